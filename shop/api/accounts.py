"""Account endpoints: registration, login, tokens, profile and passwords."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router, Status

from shop import exposure
from shop.api import tokens
from shop.api.auth import ApiRequest, signed_in
from shop.api.idempotency import REPLAYED, IdempotencyKeyHeader, request_text
from shop.api.openapi import documents_errors
from shop.api.record_data import errors_by_api_name, record_data
from shop.api.responses import json_response, respond
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
from shop.services import accounts, errors, sessions, sign_ins
from shop.services.sign_ins import SignInAttempt, is_known_client
from shop.throttling import check_login_rate, check_rate, client_ip

router = Router()


@router.post("/register/", response={201: SessionOut})
@documents_errors(errors.EmailTaken, errors.InvalidToken)
def register(
    request: HttpRequest, body: RegisterIn, idempotency_key: IdempotencyKeyHeader = ""
) -> HttpResponse:
    """Create an account and log in.

    Sent again with the same `Idempotency-Key`, it returns the same session, or 401 once that has
    ended.
    """
    check_rate("register", client_ip(request))
    check_rate("register", body.email.lower())
    values = exposure.rename_api_names(User, body.model_dump())
    with errors_by_api_name(User):
        session, is_replay = accounts.register(
            **values,
            device=request.headers.get("User-Agent", ""),
            client_ip=client_ip(request),
            key=idempotency_key,
            request=request_text(request, body),
        )
    sign_ins.record(SignInAttempt.from_request(request, body.email), sign_ins.Action.SIGNED_IN)
    return _session_response(request, session, is_replay=is_replay, status=201)


@router.post("/login/", response=SessionOut)
@documents_errors(
    errors.InvalidCredentials, errors.WrongCode, errors.IdempotencyKeyReused, errors.InvalidToken
)
def login(
    request: HttpRequest, body: LoginIn, idempotency_key: IdempotencyKeyHeader = ""
) -> HttpResponse:
    """Log in. Unknown emails and wrong passwords get the same response.

    Sent again with the same `Idempotency-Key`, it returns the same session, or 401 once that has
    ended.
    """
    with sign_ins.record_outcome(SignInAttempt.from_request(request, body.email)):
        _count_attempt(request, body.email, email=body.email)
        session, is_replay = accounts.login(
            **body.model_dump(),
            device=request.headers.get("User-Agent", ""),
            client_ip=client_ip(request),
            key=idempotency_key,
            request=request_text(request, body),
        )
    return _session_response(request, session, is_replay=is_replay)


@router.post("/refresh/", response=SessionOut)
@documents_errors(errors.InvalidToken, errors.TokenExpired, errors.TokenReused)
def refresh(request: HttpRequest, body: RefreshIn) -> HttpResponse:
    """Exchange a refresh token for a new pair of tokens.

    It needs no `Idempotency-Key`: each refresh token works once, and using it again returns the
    same successor within 10 seconds, and for as long as the successor is unused. Using it after
    that ends the session.
    """
    check_rate("api", client_ip(request))
    claims = tokens.read_token(body.refresh, "refresh")
    check_rate("api", str(claims.user_id))
    session = sessions.refresh(session_id=claims.session_id, token_id=claims.token_id)
    return _session_response(request, session)


@router.post("/logout/", response={204: None}, auth=signed_in)
def logout(request: ApiRequest, body: LogoutIn | None = None) -> Status[None]:
    """End this session, or all sessions of the user. Their tokens stop working immediately.

    It takes no `Idempotency-Key`: a 401 to a repeated call says that the first one succeeded.
    """
    everywhere = body is not None and body.everywhere
    only = None if everywhere else request.auth.session
    sessions.end_sessions(request.auth.user, because="logout", only=only)
    return Status(204, None)


@router.get("/profile/", response=UserOut, auth=signed_in)
def get_profile(request: ApiRequest) -> HttpResponse:
    """Get the user's own account."""
    return respond(UserOut, record_data(request, request.auth.user))


@router.put("/profile/", response=UserOut, auth=signed_in)
def replace_profile(request: ApiRequest, body: ProfileIn) -> HttpResponse:
    """Set the fields of the profile. A phone number that is left out is cleared.

    Other fields that are left out keep their values: an app may be older than they are.
    """
    return _update_profile(request, {"phone": "", **body.model_dump(exclude_unset=True)})


@router.patch("/profile/", response=UserOut, auth=signed_in)
def change_profile(request: ApiRequest, body: ProfilePatch) -> HttpResponse:
    """Change the fields of the profile that are sent."""
    return _update_profile(request, body.model_dump(exclude_unset=True))


def _update_profile(request: ApiRequest, values: dict[str, Any]) -> HttpResponse:
    changes = exposure.rename_api_names(User, values)
    with errors_by_api_name(User):
        user = accounts.update_profile(user=request.auth.user, changes=changes)
    return respond(UserOut, record_data(request, user))


@router.post("/password/change/", response={204: None}, auth=signed_in)
@documents_errors(errors.WrongPassword, errors.IdempotencyKeyReused)
def change_password(
    request: ApiRequest, body: PasswordChangeIn, idempotency_key: IdempotencyKeyHeader = ""
) -> HttpResponse:
    """Set a new password and end every other session of the user."""
    user = request.auth.user
    _count_attempt(request, f"user {user.pk}", pk=user.pk)
    is_replay = accounts.change_password(
        user=user,
        current=body.current_password,
        new=body.new_password,
        keep=request.auth.session,
        key=idempotency_key,
        request=request_text(request, body),
    )
    return _empty_response(is_replay=is_replay)


@router.post("/password/reset/", response={202: None})
def request_password_reset(
    request: HttpRequest, body: PasswordResetIn, idempotency_key: IdempotencyKeyHeader = ""
) -> Status[None]:
    """Send a link or code for a new password. The response doesn't reveal if the account exists."""
    check_rate("login", client_ip(request))
    accounts.request_reset(
        email=body.email, key=idempotency_key, request=request_text(request, body)
    )
    return Status(202, None)


@router.post("/password/reset/confirm/", response={204: None})
@documents_errors(errors.InvalidResetToken, errors.IdempotencyKeyReused)
def reset_password(
    request: HttpRequest, body: PasswordResetConfirmIn, idempotency_key: IdempotencyKeyHeader = ""
) -> HttpResponse:
    """Set a new password with the `uid` and `token` from the email, and end every session."""
    pk = accounts.decode_uid(body.uid)
    _count_attempt(request, f"reset {pk}", pk=pk)
    user, is_replay = accounts.reset_password(
        uid=body.uid,
        token=body.token,
        new=body.new_password,
        key=idempotency_key,
        request=request_text(request, body),
    )
    # At once, so that a log-in from this client right after it passes the bound of the account.
    attempt = SignInAttempt.from_request(request, user.email)
    sign_ins.write_entry(attempt, sign_ins.Action.PASSWORD_RESET)
    return _empty_response(is_replay=is_replay)


def _count_attempt(request: HttpRequest, name: str, **account: Any) -> None:
    """Count an attempt at a password or code. `account` is the lookup of the user."""
    is_known = partial(is_known_client, client_ip(request), **account)
    check_login_rate(request, name, is_known=is_known)


def _empty_response(*, is_replay: bool) -> HttpResponse:
    return json_response("", status=204, headers=REPLAYED if is_replay else {})


def _session_response(
    request: HttpRequest, session: Session, *, is_replay: bool = False, status: int = 200
) -> HttpResponse:
    seconds_left = (tokens.expiry(session, "access") - timezone.now()).total_seconds()
    data = {
        "access": tokens.sign_token(session, "access"),
        "refresh": tokens.sign_token(session, "refresh"),
        "token_type": "Bearer",
        "expires_in": max(0, round(seconds_left)),
        "user": record_data(request, session.user),
    }
    return respond(SessionOut, data, status=status, headers=REPLAYED if is_replay else {})
