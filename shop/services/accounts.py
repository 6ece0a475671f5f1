"""Accounts and their passwords."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.http import urlsafe_base64_decode
from django.utils.translation import gettext as _

from shop import exposure
from shop.db.transactions import atomically
from shop.models import Session, User
from shop.models.users import hash_password
from shop.services import audit, background, crud, password_links, sessions, two_factor
from shop.services.errors import (
    AlreadyAccepted,
    EmailTaken,
    IdempotencyKeyReused,
    InvalidCredentials,
    InvalidResetToken,
    InvalidToken,
    WrongCode,
    WrongPassword,
)
from shop.services.idempotency import find_answer, run_once


def register(
    *,
    email: str,
    password: str,
    device: str = "",
    client_ip: str = "",
    key: str = "",
    request: str = "",
    **fields: Any,
) -> tuple[Session, bool]:
    """Create a customer and open a session; return it, and whether `key` shows a repeated request.

    `fields` are those that customers fill in, see `exposure.customer_writable_fields`. A repeated
    `request` gets the session of the first. Raises EmailTaken; ValidationError for a weak password
    or an invalid field; InvalidToken if the session of the first request has ended.
    """
    user = _build_user(email, fields)
    _check_password(password, user, field="password")
    user.set_password(password)  # hashing takes 0.2 s: before the transaction, not inside it
    try:
        return _create_with_session(user, fields, device, client_ip, key, request)
    except EmailTaken:
        owner = User.objects.filter(email=email).first()
        with suppress(IdempotencyKeyReused):
            if owner and (pk := find_answer(user=owner, key=key, request=request)):
                return sessions.find_session(pk), True
        raise


def _build_user(email: str, fields: Mapping[str, Any]) -> User:
    """Return an unsaved customer. Raises ValidationError, but not for an email that is taken."""
    user = User(email=email)
    crud.assign_values(user, fields)
    user.full_clean(exclude=["password"], validate_unique=False, validate_constraints=False)
    user.validate_unique(exclude=["email"])
    return user


@atomically
def _create_with_session(
    user: User, fields: Mapping[str, Any], *opened: str
) -> tuple[Session, bool]:
    _save_user(user, fields)
    return sessions.open_session_once(user, *opened)


@atomically
def add_customer(*, actor: User, email: str, **fields: Any) -> User:
    """Create a customer for staff, without a password; the customer can reset it by email.

    Raises EmailTaken; ValidationError for an invalid field.
    """
    user = _build_user(email, fields)
    user.set_unusable_password()
    _save_user(user, fields)
    audit.log(actor, user, {"email": ("", email)}, action=audit.Action.ADDED)
    return user


@atomically
def invite_staff(*, actor: User, page: str, email: str, **fields: Any) -> User:
    """Create a member of staff without a password, and email a link to `page` to choose one.

    `fields` are those of the model, such as `groups`; `page` is a URL with `{uid}` and `{token}`.
    Raises EmailTaken; ValidationError for an invalid field.
    """
    fields["role"] = User.Role.ADMIN
    user = _build_user(email, fields)
    changes = audit.diff_record(User(), {"email": email, **fields})
    user.set_unusable_password()
    _save_user(user, fields)
    audit.log(actor, user, changes, action=audit.Action.ADDED)
    password_links.add_invitation(user, page=page, invited_by=actor)
    return user


@atomically
def invite_again(*, user: User, actor: User, page: str) -> None:
    """Email a new link to a colleague who has not used the one before. Raises AlreadyAccepted."""
    stored = _lock_user(user)
    if stored is None or not stored.is_invited:
        raise AlreadyAccepted
    audit.log(actor, stored, _("invited again"))
    password_links.add_invitation(stored, page=page, invited_by=actor)


def _save_user(user: User, fields: Mapping[str, Any]) -> None:
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        if User.objects.filter(email=user.email).exists():
            raise EmailTaken from error
        raise
    crud.set_relations(user, fields)


def login(
    *,
    email: str,
    password: str,
    otp: str = "",
    device: str = "",
    client_ip: str = "",
    key: str = "",
    request: str = "",
) -> tuple[Session, bool]:
    """Authenticate and open a session; return it, and whether `key` shows a repeated request.

    A repeated `request` gets the session of the first. Raises InvalidCredentials, in the same time
    for known and unknown accounts; WrongCode for staff whose two-factor code is missing or wrong;
    IdempotencyKeyReused; InvalidToken if the session of the first request has ended.
    """
    user = authenticate(email=email, password=password)
    if not isinstance(user, User):
        raise InvalidCredentials
    # Before the code, which is accepted only once.
    if pk := find_answer(user=user, key=key, request=request):
        return sessions.find_session(pk), True
    if two_factor.is_required(user) and two_factor.verify_code(user=user, code=otp) is None:
        raise WrongCode
    User.objects.filter(pk=user.pk).update(last_login=timezone.now())
    return sessions.open_session_once(user, device, client_ip, key, request)


def change_password(
    *,
    user: User,
    current: str,
    new: str,
    keep: Session | None = None,
    key: str = "",
    request: str = "",
) -> bool:
    """Set a new password and end every session but `keep`, since each stores a hash of the old one.

    Of calls at the same time one succeeds. Returns whether `key` shows a repeated `request`. Raises
    WrongPassword; ValidationError if the new password is weak; IdempotencyKeyReused.
    """
    if find_answer(user=user, key=key, request=request):
        return True
    if not user.check_password(current):
        raise WrongPassword
    _check_password(new, user, field="new_password")
    password_hash = hash_password(new)  # takes 0.2 s: before the transaction, not inside it

    def store() -> str:
        stored = _lock_user(user)
        # Comparing hashes is quick; only a hash that another login upgraded is checked anew.
        if stored is None or (
            stored.password != user.password and not stored.check_password(current)
        ):
            raise WrongPassword
        stored.password = user.password = password_hash
        stored.save(update_fields=["password"])
        if keep is not None:
            # From the user as authenticated: if a change of rights or a sign-out has ended the
            # session meanwhile, it stays so.
            keep.password_hash = user.get_session_auth_hash()
            keep.save(update_fields=["password_hash"])
        return "changed"

    return run_once(user=user, key=key, request=request, work=store)[1]


def _lock_user(user: User) -> User | None:
    """Return the user's locked row, unless the account was closed meanwhile."""
    users = User.objects.select_for_update(no_key=True)
    return users.filter(pk=user.pk, is_active=True).first()


def request_reset(*, email: str, key: str = "", request: str = "", page: str = "") -> None:
    """Email a reset link if the account exists, at most three an hour, and once for a key.

    The link leads to the app's page; staff may be sent to another `page`, a URL with `{uid}` and
    `{token}`, which customers are not. Takes the same time either way.
    """
    background.enqueue(
        partial(password_links.send_reset_message, email=email, key=key, request=request, page=page)
    )


def decode_uid(uid: str) -> int:
    """Return the user id in an emailed `uid`; 0 if it is invalid. One id has several encodings."""
    try:
        return int(urlsafe_base64_decode(uid))
    except ValueError:
        return 0


def reset_password(
    *, uid: str, token: str, new: str, key: str = "", request: str = ""
) -> tuple[User, bool]:
    """Set a new password with an emailed token and end every session.

    Returns the user, and whether `key` shows a repeated `request`. Raises InvalidResetToken;
    ValidationError if the new password is weak; IdempotencyKeyReused.
    """
    user = User.objects.filter(pk=decode_uid(uid), is_active=True).first()
    if user is None:
        raise InvalidResetToken
    if find_answer(user=user, key=key, request=request):
        return user, True
    if not default_token_generator.check_token(user, token):
        raise InvalidResetToken
    _check_password(new, user, field="new_password")
    password_hash = hash_password(new)  # takes 0.2 s: before the transaction, not inside it

    def store() -> str:
        stored = _lock_user(user)
        if stored is None or not default_token_generator.check_token(stored, token):
            raise InvalidResetToken
        stored.password = password_hash
        stored.save(update_fields=["password"])
        return "reset"

    return user, run_once(user=user, key=key, request=request, work=store)[1]


@atomically
def update_profile(*, user: User, changes: Mapping[str, Any]) -> User:
    """Change the named fields of the profile. Raises ValidationError; InvalidToken if erased."""
    if not changes:
        return user
    crud.assign_values(user, changes)
    crud.validate_fields(user, changes)
    columns = crud.saved_columns(User, changes)
    values = {name: exposure.get_field(User, name).pre_save(user, False) for name in columns}
    # Conditional, so that a call during an erasure does not bring personal data back.
    stored = User.objects.filter(pk=user.pk, is_active=True)
    if not (stored.update(**values) if values else _lock_user(user)):
        raise InvalidToken
    crud.set_relations(user, changes)
    return user


def _check_password(password: str, user: User, *, field: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({field: error.error_list}) from error
