"""Accounts, passwords and API sessions."""

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.http import urlsafe_base64_decode
from django.utils.translation import gettext as _

from shop import exposure
from shop.db.transactions import atomically
from shop.models import Session, User
from shop.models.users import hash_password
from shop.services import audit, background, outbox, two_factor
from shop.services.errors import (
    EmailTaken,
    IdempotencyKeyReused,
    InvalidCredentials,
    InvalidResetToken,
    InvalidToken,
    TokenReused,
    WrongCode,
    WrongPassword,
)
from shop.services.idempotency import find_answer, run_once

#: Reuse of a refresh token within this time is a second tab or a lost answer, not theft.
GRACE = timedelta(seconds=10)


def register(
    *,
    email: str,
    password: str,
    first_name: str,
    last_name: str,
    phone: str = "",
    device: str = "",
    key: str = "",
    request: str = "",
) -> Session:
    """Create a customer and open a session; a repeated `request` with the same key returns it.

    Raises EmailTaken; ValidationError for a weak password or an invalid field; InvalidToken if the
    session of the first request has ended.
    """
    user = User(email=email, first_name=first_name, last_name=last_name, phone=phone)
    user.clean_fields(exclude=["password"])
    _check_password(password, user, field="password")
    user.set_password(password)  # hashing takes 0.2 s: before the transaction, not inside it
    try:
        return _create_with_session(user, device, key, request)
    except EmailTaken:
        owner = User.objects.filter(email=email).first()
        with suppress(IdempotencyKeyReused):
            if owner and (session := _find_session(owner, key, request)):
                return session
        raise


@atomically
def _create_with_session(user: User, device: str, key: str, request: str) -> Session:
    _save_user(user)
    return _open_session_once(user, device, key, request)


@atomically
def add_customer(
    *, actor: User, email: str, first_name: str, last_name: str, phone: str = ""
) -> User:
    """Create a customer for staff, without a password; the customer can reset it by email.

    Raises EmailTaken; ValidationError for an invalid field.
    """
    user = User(email=email, first_name=first_name, last_name=last_name, phone=phone)
    user.set_unusable_password()
    user.clean_fields()
    _save_user(user)
    audit.log(actor, user, {"email": ("", email)}, action=audit.Action.ADDED)
    return user


def _save_user(user: User) -> None:
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise EmailTaken from error


def login(
    *,
    email: str,
    password: str,
    otp: str = "",
    device: str = "",
    key: str = "",
    request: str = "",
) -> Session:
    """Authenticate and open a session; a repeated `request` with the same key returns it.

    Raises InvalidCredentials, in the same time for known and unknown accounts; WrongCode for staff
    whose two-factor code is missing or wrong; IdempotencyKeyReused; InvalidToken if the session of
    the first request has ended.
    """
    user = authenticate(email=email, password=password)
    if not isinstance(user, User):
        raise InvalidCredentials
    # Before the code, which is accepted only once.
    if session := _find_session(user, key, request):
        return session
    needs_code = two_factor.is_required(user)
    if needs_code and two_factor.verify_code(user=user, code=otp) is None:
        raise WrongCode
    User.objects.filter(pk=user.pk).update(last_login=timezone.now())
    return _open_session_once(user, device, key, request, is_verified=needs_code)


def _find_session(user: User, key: str, request: str) -> Session | None:
    """Return the session that this request has opened before, if any."""
    pk = find_answer(user=user, key=key, request=request)
    if pk is None:
        return None
    session = Session.objects.select_related("user").filter(pk=pk).first()
    if session is None or not session.is_live(timezone.now()):
        raise InvalidToken
    session.is_replay = True
    return session


def _open_session_once(
    user: User, device: str, key: str, request: str, *, is_verified: bool = False
) -> Session:
    """Open a session; of concurrent calls with the same key and request, only one does."""
    if not key:
        return open_session(user, device, is_verified=is_verified)
    opened = []

    def work() -> str:
        opened.append(open_session(user, device, is_verified=is_verified))
        return str(opened[-1].pk)

    _pk, is_replay = run_once(user=user, key=key, request=request, work=work)
    replayed = _find_session(user, key, request) if is_replay else None
    return replayed or opened[-1]


def refresh(*, session_id: uuid.UUID, token_id: uuid.UUID) -> Session:
    """Rotate a refresh token and return its session with the successor as `current_token`.

    A used token returns the same successor for GRACE, and until the successor is used: the response
    was lost. Reuse after that suggests theft: it ends the session and raises TokenReused (RFC 9700,
    section 4.14.2). Raises InvalidToken if the session has ended.
    """
    now = timezone.now()
    sessions = Session.objects.select_related("user").filter(pk=session_id)
    session = sessions.first()
    if session is None or not session.is_live(now):
        raise InvalidToken
    successor = {
        "previous_token": F("current_token"),
        "current_token": uuid.uuid4(),
        "successor_used": False,
        "refreshed_at": now,
    }
    rotated = Session.objects.filter(pk=session_id, current_token=token_id).update(**successor)
    session = sessions.first()
    if session is None:
        raise InvalidToken
    may_return = not session.successor_used or now - session.refreshed_at <= GRACE
    if rotated or (session.previous_token == token_id and may_return):
        return session
    end_sessions(session.user, because="token reused", only=session)
    raise TokenReused


def record_successor_use(session: Session) -> None:
    """Record the first call with the access token of a refresh: its answer has arrived."""
    rotated = Session.objects.filter(pk=session.pk, current_token=session.current_token)
    rotated.update(successor_used=True)


@atomically
def end_sessions(
    user: User, *, because: str, only: Session | None = None, by: User | None = None
) -> int:
    """End one session of an app, or all of a user; return how many of apps were live.

    All includes the sessions of browsers, which have no row. `by` is logged if staff.
    """
    if only is None:
        user.end_all_sessions()
    live = Session.objects.filter(user=user, revoked_at=None)
    if only is not None:
        live = live.filter(pk=only.pk)
    ended = live.update(revoked_at=timezone.now(), revoked_because=because)
    if ended:
        audit.log(by, user, {_("sessions"): (_("active"), _("%(count)d ended") % {"count": ended})})
    return ended


def change_password(*, session: Session, current: str, new: str) -> None:
    """Set a new password and end every other session, since each stores a hash of the old one.

    Raises WrongPassword; ValidationError if the new password is weak.
    """
    user = session.user
    if not user.check_password(current):
        raise WrongPassword
    _check_password(new, user, field="new_password")
    replace_password(user=user, current=current, new=new, keep=session)


def replace_password(*, user: User, current: str, new: str, keep: Session | None = None) -> None:
    """Set a new password that was validated, if the one that was checked is still the current one.

    Of calls at the same time one succeeds. Raises WrongPassword.
    """

    def is_current(stored: User) -> bool:
        # Comparing hashes is quick; only a hash that another login upgraded is checked anew.
        return stored.password == user.password or stored.check_password(current)

    if not _store_password(user, hash_password(new), is_allowed=is_current, keep=keep):
        raise WrongPassword


@atomically
def _store_password(
    user: User,
    password_hash: str,
    *,
    is_allowed: Callable[[User], bool],
    keep: Session | None = None,
) -> bool:
    """Set the password if the user's locked row allows it; return whether it was set.

    The hash is computed by the caller, since hashing takes 0.2 s. The session `keep` survives.
    """
    stored = User.objects.select_for_update(no_key=True).filter(pk=user.pk, is_active=True).first()
    if stored is None or not is_allowed(stored):
        return False
    stored.password = password_hash
    stored.save(update_fields=["password"])
    user.password, user.session_version = password_hash, stored.session_version
    if keep is not None:
        keep.password_hash = stored.get_session_auth_hash()
        keep.save(update_fields=["password_hash"])
    return True


def request_reset(*, email: str, key: str = "", request: str = "") -> None:
    """Email a reset link if the account exists, at most three an hour, and once for a key.

    Takes the same time either way.
    """
    background.enqueue(partial(outbox.send_reset_message, email=email, key=key, request=request))


def decode_uid(uid: str) -> int:
    """Return the user id in an emailed `uid`; 0 if it is invalid. One id has several encodings."""
    try:
        return int(urlsafe_base64_decode(uid))
    except ValueError:
        return 0


def reset_password(*, uid: str, token: str, new: str) -> None:
    """Set a new password with an emailed token and end every session.

    Raises InvalidResetToken; ValidationError if the new password is weak.
    """
    user = User.objects.filter(pk=decode_uid(uid), is_active=True).first()
    if user is None or not default_token_generator.check_token(user, token):
        raise InvalidResetToken
    _check_password(new, user, field="new_password")
    if not _store_password(
        user,
        hash_password(new),
        is_allowed=lambda stored: default_token_generator.check_token(stored, token),
    ):
        raise InvalidResetToken


def update_profile(*, user: User, changes: dict[str, str]) -> User:
    """Change the named fields of the profile. Raises ValidationError; InvalidToken if erased."""
    for name, value in changes.items():
        setattr(user, name, value)
    user.clean_fields(
        exclude={field.name for field in exposure.concrete_fields(User)} - changes.keys()
    )
    # Conditional, so that a call during an erasure does not bring personal data back.
    stored = User.objects.filter(pk=user.pk, is_active=True)
    if changes and not stored.update(**{name: getattr(user, name) for name in changes}):
        raise InvalidToken
    return user


def purge_sessions() -> int:
    """Delete sessions whose tokens have all expired; return the count."""
    now = timezone.now()
    expired = Q(expires_at__lt=now) | Q(refreshed_at__lt=now - settings.REFRESH_LIFETIME)
    return Session.objects.filter(expired).delete()[0]


def open_session(user: User, device: str, *, is_verified: bool = False) -> Session:
    """Create the session of a login on a device; `is_verified` if it was made with a code."""
    now = timezone.now()
    return Session.objects.create(
        user=user,
        password_hash=user.get_session_auth_hash(),
        is_verified=is_verified,
        device=device[:200],
        created_at=now,
        refreshed_at=now,
        expires_at=now + settings.SESSION_LIFETIME,
    )


def _check_password(password: str, user: User, *, field: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({field: error.error_list}) from error
