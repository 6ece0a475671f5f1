"""Idempotency keys: a request that is sent twice is carried out once."""

from collections.abc import Callable
from datetime import timedelta

from django.db import connection
from django.utils import timezone
from django.utils.crypto import salted_hmac

from shop.db.raw_sql import db_now
from shop.db.transactions import atomically
from shop.models import IdempotencyKey, User
from shop.services.errors import IdempotencyKeyReused

KEPT_FOR = timedelta(hours=72)


@atomically
def run_once(*, user: User, key: str, request: str, work: Callable[[], str]) -> tuple[str, bool]:
    """Run `work` unless this key was used before; return its answer and whether it is a replay.

    Key, effects and answer are one transaction: a concurrent call with the same key waits for the
    first, and a failure stores no key, so that a retry runs again. An empty key always runs.

    Raises IdempotencyKeyReused if the key belongs to another request, and whatever `work` raises.
    """
    if not key:
        return work(), False
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO shop_idempotencykey (user_id, key, fingerprint, answer, created_at)"
            " VALUES (%s, %s, %s, '', %s) ON CONFLICT (user_id, key) DO NOTHING RETURNING id",
            [user.pk, key, _fingerprint(request), db_now()],
        )
        row = cursor.fetchone()
        if row is None:
            return _stored_answer(IdempotencyKey.objects.get(user=user, key=key), request), True
        answer = work()
        cursor.execute("UPDATE shop_idempotencykey SET answer = %s WHERE id = %s", [answer, *row])
    return answer, False


def is_known(*, user: User, key: str) -> bool:
    """Return whether the key was used before; an empty one never is."""
    return bool(key) and IdempotencyKey.objects.filter(user=user, key=key).exists()


def find_answer(*, user: User, key: str, request: str) -> str | None:
    """Return the stored answer to this request, or None if the key is unknown or empty.

    Raises IdempotencyKeyReused if the key belongs to another request.
    """
    stored = IdempotencyKey.objects.filter(user=user, key=key).first() if key else None
    return None if stored is None else _stored_answer(stored, request)


def _stored_answer(stored: IdempotencyKey, request: str) -> str:
    if stored.fingerprint != _fingerprint(request):
        raise IdempotencyKeyReused
    return stored.answer


def _fingerprint(request: str) -> str:
    """Return a keyed hash, because a request may contain a password."""
    return salted_hmac("shop.idempotency", request, algorithm="sha256").hexdigest()


def purge_keys() -> int:
    """Delete keys older than 72 hours; return the count."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()[0]
