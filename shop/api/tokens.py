"""Tokens: JWTs signed with HS256 that name a session and say nothing else (RFC 7519, RFC 8725)."""

import functools
import hashlib
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import jwt
from django.conf import settings

from shop.models import Session
from shop.services.errors import InvalidToken, TokenExpired

ALGORITHM = "HS256"
REQUIRED = ["iss", "aud", "sub", "sid", "jti", "iat", "exp", "typ"]

type Kind = Literal["access", "refresh"]


@dataclass(frozen=True)
class Claims:
    """What a verified token says: its user and session, and which of its refresh tokens it is."""

    user_id: int
    session_id: uuid.UUID
    token_id: uuid.UUID


def sign_token(session: Session, kind: Kind) -> str:
    """The session's token of this kind: the same one each time until the session is refreshed."""
    life: timedelta = settings.ACCESS_LIFETIME if kind == "access" else settings.REFRESH_LIFETIME
    claims = {
        "iss": settings.JWT_ISSUER,
        "aud": settings.JWT_AUDIENCE,
        "sub": str(session.user_id),
        "sid": str(session.pk),
        "jti": str(
            session.current_token if kind == "refresh" else uuid.uuid5(session.current_token, kind)
        ),
        "iat": int(session.refreshed_at.timestamp()),
        "exp": int(min(session.refreshed_at + life, session.expires_at).timestamp()),
        "typ": kind,
    }
    newest, key = next(iter(_named(settings.JWT_SIGNING_KEYS).items()))
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": newest})


def read_token(token: str, kind: Kind) -> Claims:
    """Verify a token of this kind; raises TokenExpired, or InvalidToken for everything else."""
    claims, expires_at = _verified(token, kind, tuple(settings.JWT_SIGNING_KEYS))
    if expires_at <= time.time():
        raise TokenExpired
    return claims


@functools.lru_cache(maxsize=4096)
def _verified(token: str, kind: Kind, keys: tuple[str, ...]) -> tuple[Claims, int]:
    """What a token says, and when it ends: all else of it stays as true as it was."""
    try:
        claims = jwt.decode(
            token,
            _key_of(token, keys),
            algorithms=[ALGORITHM],
            issuer=settings.JWT_ISSUER,
            audience=settings.JWT_AUDIENCE,
            options={"require": REQUIRED},
        )
        if claims["typ"] != kind:
            raise InvalidToken
        named = Claims(int(claims["sub"]), uuid.UUID(claims["sid"]), uuid.UUID(claims["jti"]))
        return named, int(claims["exp"])
    except jwt.ExpiredSignatureError as error:
        raise TokenExpired from error
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as error:
        raise InvalidToken from error


def _named(keys: Iterable[str]) -> dict[str, str]:
    """The keys by what tokens call them: the first one signs, all of them verify."""
    return {hashlib.sha256(key.encode()).hexdigest()[:8]: key for key in keys}


def _key_of(token: str, keys: tuple[str, ...]) -> str:
    """The key that a token names. The oldest has signed those from before keys had names."""
    kid = jwt.get_unverified_header(token).get("kid")
    if kid is None:
        return keys[-1]
    if kid not in (named := _named(keys)):
        raise InvalidToken
    return named[kid]
