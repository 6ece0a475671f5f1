"""One answer for each Idempotency-Key, whatever is lost on the way."""

import hashlib
from collections.abc import Callable
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from shop.db.raw_sql import db_now
from shop.db.transactions import atomically
from shop.models import IdempotencyKey, User
from shop.services.errors import IdempotencyKeyReused

KEPT_FOR = timedelta(hours=72)


@atomically
def run_once(*, user: User, key: str, request: str, work: Callable[[], str]) -> tuple[str, bool]:
    """The answer to a request, and whether it is that of an earlier call with the same key.

    Key, work and answer are one transaction: a rival with the same key waits here for the first, and a
    refusal leaves no key behind, so that a retry runs anew. Without a key the work simply runs.
    Raises IdempotencyKeyReused when the key came with another request, and whatever the work raises.
    """
    if not key:
        return work(), False
    fingerprint = hashlib.sha256(request.encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO shop_idempotencykey (user_id, key, fingerprint, answer, created_at)"
            " VALUES (%s, %s, %s, '', %s) ON CONFLICT (user_id, key) DO NOTHING RETURNING id",
            [user.pk, key, fingerprint, db_now()],
        )
        mine = cursor.fetchone()
        if mine is None:
            return _earlier(user, key, fingerprint), True
        answer = work()
        cursor.execute("UPDATE shop_idempotencykey SET answer = %s WHERE id = %s", [answer, *mine])
    return answer, False


def _earlier(user: User, key: str, fingerprint: str) -> str:
    earlier = IdempotencyKey.objects.get(user=user, key=key)
    if earlier.fingerprint != fingerprint:
        raise IdempotencyKeyReused
    return earlier.answer


def purge_keys() -> int:
    """Forget keys older than 72 hours; returns how many."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()[0]
