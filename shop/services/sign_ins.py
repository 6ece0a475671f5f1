"""The trace of sign-ins: a log line and an audit log entry for each, and what they tell later."""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from shop import caching
from shop.db.transactions import atomically
from shop.models import AuditEntry, User
from shop.models.audit import SIGN_IN_ACTIONS
from shop.services import background
from shop.services.errors import InvalidCredentials, WrongCode
from shop.throttling import TooManyCalls, client_ip

Action = AuditEntry.Action
#: After these, the owner of the account is known to use the client.
SUCCESSES = (Action.SIGNED_IN, Action.PASSWORD_RESET)
#: By the code of the error that ended the attempt, in the API or in the admin's form.
FAILURES = {
    TooManyCalls.code: Action.LOCKED_OUT,
    WrongCode.code: Action.WRONG_CODE,
    InvalidCredentials.code: Action.SIGN_IN_FAILED,
    "invalid_login": Action.SIGN_IN_FAILED,
}
USER_MODEL = "user"
RETENTION = timedelta(days=90)
#: Of many refused attempts, one in this time is recorded per client and per account.
REFUSALS_RECORDED_EVERY = 300
PURGED_AT_ONCE = 1000

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SignInAttempt:
    """An attempt to sign in: the email that was entered, the client's IP and its User-Agent."""

    email: str
    ip: str
    device: str

    @classmethod
    def from_request(cls, request: HttpRequest, email: str) -> "SignInAttempt":
        """Return the attempt that a request makes at the account with this email."""
        return cls(email, client_ip(request), request.headers.get("User-Agent", ""))


@contextmanager
def record_outcome(attempt: SignInAttempt) -> Iterator[None]:
    """Record how the sign-in in this block ends: without an error, or with one of FAILURES."""
    try:
        yield
    except Exception as error:
        if action := FAILURES.get(getattr(error, "code", "")):
            record(attempt, action)
        raise
    record(attempt, Action.SIGNED_IN)


def record(attempt: SignInAttempt, action: Action) -> None:
    """Record an attempt, in the background: the response takes the same time for every account."""
    if action == Action.LOCKED_OUT and not _is_first_refusal(attempt):
        return
    background.enqueue(partial(write_entry, attempt, action))


def _is_first_refusal(attempt: SignInAttempt) -> bool:
    """Return whether this refusal is to be recorded, so that a flood does not fill the table."""
    email = hashlib.sha256(attempt.email.lower().encode(errors="replace")).hexdigest()
    keys = (f"refused:{attempt.ip}", f"refused:{email}")
    with suppress(caching.CacheUnavailable):
        return all(caching.add(key, 1, seconds=REFUSALS_RECORDED_EVERY) for key in keys)
    return False


@atomically
def write_entry(attempt: SignInAttempt, action: Action) -> None:
    """Log an attempt, and if it names an account, write its audit log entry."""
    # Locked, so that an erasure at the same time waits, and erases this entry too.
    user = User.objects.select_for_update(no_key=True).filter(email=attempt.email).first()
    level = logging.INFO if action in SUCCESSES else logging.WARNING
    who = f"user {user.pk}" if user else "an unknown account"
    logger.log(level, "Sign-in of %s from %s: %s", who, attempt.ip, action)
    if user is None:
        return
    AuditEntry.objects.create(
        # Not customers: an actor can't be deleted.
        actor=user if action in SUCCESSES and user.is_staff else None,
        action=action,
        model_name=USER_MODEL,
        record_id=str(user.pk),
        record_label=str(user)[:200],
        client_ip=attempt.ip[:45],
        device=attempt.device[:200],
    )


def recent_sign_ins(user: User, limit: int) -> list[AuditEntry]:
    """Return the newest attempts to sign in to the account, successful or not."""
    entries = AuditEntry.objects.filter(model_name=USER_MODEL, record_id=str(user.pk))
    return list(entries.filter(action__in=SIGN_IN_ACTIONS)[:limit])


def is_known_client(ip: str, **account: Any) -> bool:
    """Return whether the owner of the account, such as `pk=7`, has used this IP before.

    Two queries, also for an unknown account.
    """
    pk = User.objects.filter(**account).values_list("pk", flat=True).first()
    return AuditEntry.objects.filter(
        model_name=USER_MODEL,
        record_id=str(pk),
        action__in=SUCCESSES,
        client_ip=ip[:45],
    ).exists()


def purge_sign_ins() -> int:
    """Delete the entries of sign-ins older than RETENTION; return the count."""
    old = AuditEntry.objects.filter(
        action__in=SIGN_IN_ACTIONS, created_at__lt=timezone.now() - RETENTION
    ).order_by("created_at")
    count = 0
    while pks := list(old.values_list("pk", flat=True)[:PURGED_AT_ONCE]):
        count += AuditEntry.objects.filter(pk__in=pks).delete()[0]
    return count
