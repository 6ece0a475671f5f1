"""The trace of sign-ins: a log line and an audit log entry for each, and what they tell later."""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.utils import timezone

from shop import caching
from shop.db.transactions import atomically
from shop.models import AuditEntry, User
from shop.services import background
from shop.services.errors import InvalidCredentials, WrongCode
from shop.throttling import TooManyCalls

Action = AuditEntry.Action
ACTIONS = (Action.SIGNED_IN, Action.SIGN_IN_FAILED, Action.WRONG_CODE, Action.LOCKED_OUT)
#: By the code of the error that ended the attempt, in the API or in the admin's form.
FAILURES = {
    TooManyCalls.code: Action.LOCKED_OUT,
    "too-many": Action.LOCKED_OUT,
    WrongCode.code: Action.WRONG_CODE,
    InvalidCredentials.code: Action.SIGN_IN_FAILED,
    "invalid_login": Action.SIGN_IN_FAILED,
}
USER_MODEL = "user"
RETENTION = timedelta(days=90)
#: Of many refused attempts, one in this time is recorded per client and per account.
REFUSALS_RECORDED_EVERY = 300

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attempt:
    """An attempt to sign in: the email that was entered, the client's IP and its User-Agent."""

    email: str
    ip: str
    device: str


@contextmanager
def recorded(attempt: Attempt) -> Iterator[None]:
    """Record how the sign-in in this block ends: without an error, or with one of FAILURES."""
    try:
        yield
    except Exception as error:
        if action := FAILURES.get(getattr(error, "code", "")):
            record(attempt, action)
        raise
    record(attempt, Action.SIGNED_IN)


def record(attempt: Attempt, action: Action) -> None:
    """Record an attempt, in the background: the response takes the same time for every account."""
    if action == Action.LOCKED_OUT and not _is_first_refusal(attempt):
        return
    background.enqueue(partial(_write, attempt, action))


def _is_first_refusal(attempt: Attempt) -> bool:
    """Return whether this refusal is to be recorded, so that a flood does not fill the table."""
    email = hashlib.sha256(attempt.email.lower().encode(errors="replace")).hexdigest()
    keys = (f"refused:{attempt.ip}", f"refused:{email}")
    with suppress(caching.CacheUnavailable):
        return all(caching.add(key, 1, seconds=REFUSALS_RECORDED_EVERY) for key in keys)
    return False


@atomically
def _write(attempt: Attempt, action: Action) -> None:
    # Locked, so that an erasure at the same time waits, and erases this entry too.
    user = User.objects.select_for_update(no_key=True).filter(email=attempt.email).first()
    level = logging.INFO if action == Action.SIGNED_IN else logging.WARNING
    who = f"user {user.pk}" if user else "an unknown account"
    logger.log(level, "Sign-in of %s from %s: %s", who, attempt.ip, action.value)
    if user is None:
        return
    AuditEntry.objects.create(
        actor=user if action == Action.SIGNED_IN else None,
        action=action,
        model_name=USER_MODEL,
        record_id=str(user.pk),
        record_label=str(user)[:200],
        changes=f"{attempt.ip}\n{attempt.device[:200]}",
    )


def is_known_client(ip: str, **account: Any) -> bool:
    """Return whether the account, such as `pk=7`, was signed in to from this IP before.

    Two queries, also for an unknown account.
    """
    pk = User.objects.filter(**account).values_list("pk", flat=True).first()
    return AuditEntry.objects.filter(
        model_name=USER_MODEL,
        record_id=str(pk),
        action=Action.SIGNED_IN,
        changes__startswith=f"{ip}\n",
    ).exists()


def purge_sign_ins() -> int:
    """Delete the entries of sign-ins older than RETENTION; return the count."""
    oldest = timezone.now() - RETENTION
    return AuditEntry.objects.filter(action__in=ACTIONS, created_at__lt=oldest).delete()[0]
