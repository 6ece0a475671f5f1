"""Access and refresh tokens: JWTs signed with HS256 (RFC 7519, RFC 8725).

They contain ids only. The session they belong to is in the database.
"""

import functools
import hashlib
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import jwt
from django.conf import settings

from shop.models import Session
from shop.services.errors import InvalidToken, TokenExpired

ALGORITHM = "HS256"
REQUIRED_CLAIMS = ["iss", "aud", "sub", "sid", "jti", "iat", "exp", "typ"]
CLOCK_SKEW = timedelta(seconds=60)

type TokenType = Literal["access", "refresh"]


@dataclass(frozen=True)
class Claims:
    """The ids in a verified token. A refresh rotates `token_id` within the session."""

    user_id: int
    session_id: uuid.UUID
    token_id: uuid.UUID


def sign_token(session: Session, token_type: TokenType) -> str:
    """Return the session's current token of this type. It's the same until the next refresh."""
    is_access = token_type == "access"  # noqa: S105 - a type, not a token
    token_id = access_token_id(session) if is_access else session.current_token
    claims = {
        "iss": settings.JWT_ISSUER,
        "aud": settings.JWT_AUDIENCE,
        "sub": str(session.user_id),
        "sid": str(session.pk),
        "jti": str(token_id),
        "iat": int(session.refreshed_at.timestamp()),
        "exp": int(expiry(session, token_type).timestamp()),
        "typ": token_type,
    }
    key_id, key = next(iter(_keys_by_id(settings.JWT_SIGNING_KEYS).items()))
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": key_id})


def access_token_id(session: Session) -> uuid.UUID:
    """Return the id of the session's current access token."""
    return uuid.uuid5(session.current_token, "access")


def expiry(session: Session, token_type: TokenType) -> datetime:
    """Return when the session's current token of this type expires: with the session at latest."""
    is_access = token_type == "access"  # noqa: S105 - a type, not a token
    lifetime: timedelta = settings.ACCESS_LIFETIME if is_access else settings.REFRESH_LIFETIME
    return min(session.refreshed_at + lifetime, session.expires_at)


def read_token(token: str, token_type: TokenType) -> Claims:
    """Verify a token of this type. Raises TokenExpired, or InvalidToken for any other fault."""
    claims, expires_at = _verify_token(token, token_type, tuple(settings.JWT_SIGNING_KEYS))
    if expires_at <= time.time():
        raise TokenExpired
    return claims


@functools.lru_cache(maxsize=4096)
def _verify_token(token: str, token_type: TokenType, keys: tuple[str, ...]) -> tuple[Claims, int]:
    """Return a token's ids and expiry time (Unix). Cached, so the caller checks the expiry.

    The clock of the server that issued the token may be ahead by CLOCK_SKEW.
    """
    try:
        claims = jwt.decode(
            token,
            _verification_key(token, keys),
            algorithms=[ALGORITHM],
            issuer=settings.JWT_ISSUER,
            audience=settings.JWT_AUDIENCE,
            options={"require": REQUIRED_CLAIMS},
            leeway=CLOCK_SKEW,
        )
        if claims["typ"] != token_type:
            raise InvalidToken
        ids = Claims(int(claims["sub"]), uuid.UUID(claims["sid"]), uuid.UUID(claims["jti"]))
        return ids, int(claims["exp"])
    except jwt.ExpiredSignatureError as error:
        raise TokenExpired from error
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as error:
        raise InvalidToken from error


def _keys_by_id(keys: Iterable[str]) -> dict[str, str]:
    """Map each key's id (`kid`) to the key. The first key signs; all of them verify."""
    return {hashlib.sha256(key.encode()).hexdigest()[:8]: key for key in keys}


def _verification_key(token: str, keys: tuple[str, ...]) -> str:
    """Return the key with the token's `kid`, or the oldest for none. `keys` is newest first."""
    key_id = jwt.get_unverified_header(token).get("kid")
    if key_id is None:
        return keys[-1]
    if key_id not in (by_id := _keys_by_id(keys)):
        raise InvalidToken
    return by_id[key_id]
