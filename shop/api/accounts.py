"""Accounts: register, sign in and out, profile, passwords."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from shop.api import tokens
from shop.api.auth import ApiRequest, signed_in
from shop.api.openapi import documents_errors
from shop.api.responses import respond
from shop.api.schemas import (
    LoginIn,
    LogoutIn,
    PasswordChangeIn,
    PasswordResetConfirmIn,
    PasswordResetIn,
    ProfileIn,
    ProfilePatch,
    RefreshIn,
    RegisterIn,
    SessionOut,
    UserOut,
)
from shop.models import Session, User
from shop.services import accounts
from shop.services.errors import (
    EmailTaken,
    InvalidCredentials,
    InvalidResetToken,
    InvalidToken,
    TokenExpired,
    TokenReused,
    WrongCode,
    WrongPassword,
)
from shop.throttling import check_login_rate, check_rate, client_ip

router = Router()


def user_row(user: User) -> dict[str, Any]:
    """A user as `UserOut` shows it."""
    return {name: getattr(user, name) for name in UserOut.model_fields}


@router.post("/register/", response={201: SessionOut})
@documents_errors(EmailTaken)
def register(request: HttpRequest, body: RegisterIn) -> HttpResponse:
    """Open an account and sign in."""
    check_rate("register", client_ip(request))
    check_rate("register", body.email.lower())
    session = accounts.register(**body.model_dump(), device=_device(request))
    return _session(session, status=201)


@router.post("/login/", response=SessionOut)
@documents_errors(InvalidCredentials, WrongCode)
def login(request: HttpRequest, body: LoginIn) -> HttpResponse:
    """Sign in. The answer is the same whether or not the email is known."""
    check_login_rate(request, body.email)
    return _session(accounts.login(**body.model_dump(), device=_device(request)))


@router.post("/refresh/", response=SessionOut)
@documents_errors(InvalidToken, TokenExpired, TokenReused)
def refresh(request: HttpRequest, body: RefreshIn) -> HttpResponse:
    """A new pair of tokens; the old refresh token is spent. One that comes back later ends the session."""
    check_rate("api", client_ip(request))
    claims = tokens.read_token(body.refresh, "refresh")
    check_rate("api", str(claims.user_id))
    return _session(accounts.refresh(session_id=claims.session_id, token_id=claims.token_id))


@router.post("/logout/", response={204: None}, auth=signed_in)
def logout(request: ApiRequest, body: LogoutIn | None = None) -> Status[None]:
    """End this session, or all of the user's, at once."""
    everywhere = body is not None and body.everywhere
    only = None if everywhere else request.auth.session
    accounts.end_sessions(request.auth.user, because="logout", only=only)
    return Status(204, None)


@router.get("/profile/", response=UserOut, auth=signed_in)
def get_profile(request: ApiRequest) -> HttpResponse:
    """Who is signed in."""
    return respond(UserOut, user_row(request.auth.user))


@router.put("/profile/", response=UserOut, auth=signed_in)
def replace_profile(request: ApiRequest, body: ProfileIn) -> HttpResponse:
    """Change names and phone."""
    user = accounts.update_profile(user=request.auth.user, changes=body.model_dump())
    return respond(UserOut, user_row(user))


@router.patch("/profile/", response=UserOut, auth=signed_in)
def change_profile(request: ApiRequest, body: ProfilePatch) -> HttpResponse:
    """Change some of names and phone."""
    changes = body.model_dump(exclude_unset=True)
    return respond(
        UserOut, user_row(accounts.update_profile(user=request.auth.user, changes=changes))
    )


@router.post("/password/change/", response={204: None}, auth=signed_in)
@documents_errors(WrongPassword)
def change_password(request: ApiRequest, body: PasswordChangeIn) -> Status[None]:
    """Set a new password; every other session ends."""
    check_login_rate(request, f"user {request.auth.user.pk}")
    accounts.change_password(
        session=request.auth.session, current=body.current_password, new=body.new_password
    )
    return Status(204, None)


@router.post("/password/reset/", response={202: None})
def request_password_reset(request: HttpRequest, body: PasswordResetIn) -> Status[None]:
    """Mail a link or code, if there is such an account. The answer never tells."""
    check_login_rate(request, f"reset {body.email}")
    accounts.request_reset(email=body.email)
    return Status(202, None)


@router.post("/password/reset/confirm/", response={204: None})
@documents_errors(InvalidResetToken)
def reset_password(request: HttpRequest, body: PasswordResetConfirmIn) -> Status[None]:
    """Set a new password with what was mailed; every session ends."""
    check_login_rate(request, f"reset {accounts.decode_uid(body.uid)}")
    accounts.reset_password(uid=body.uid, token=body.token, new=body.new_password)
    return Status(204, None)


def _device(request: HttpRequest) -> str:
    return request.headers.get("User-Agent", "")


def _session(session: Session, *, status: int = 200) -> HttpResponse:
    data = {
        "access": tokens.sign_token(session, "access"),
        "refresh": tokens.sign_token(session, "refresh"),
        "token_type": "Bearer",
        "expires_in": int(settings.ACCESS_LIFETIME.total_seconds()),
        "user": user_row(session.user),
    }
    return respond(SessionOut, data, status=status)
