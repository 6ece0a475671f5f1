"""One answer for each Idempotency-Key, whatever is lost on the way."""

import hashlib
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from shop.models import IdempotencyKey, User
from shop.services.errors import IdempotencyKeyReused
from shop.services.transactions import atomically

KEPT_FOR = timedelta(hours=72)


@atomically
def once(*, user: User, key: str, request: str, work: Callable[[], str]) -> tuple[str, bool]:
    """The answer to a request, and whether it is that of an earlier call with the same key.

    Key, work and answer are one transaction: a rival with the same key waits here for the first, and a
    refusal leaves no key behind, so that a retry runs anew. Without a key the work simply runs.
    Raises IdempotencyKeyReused when the key came with another request, and whatever the work raises.
    """
    if not key:
        return work(), False
    fingerprint = hashlib.sha256(request.encode()).hexdigest()
    try:
        with transaction.atomic():
            mine = IdempotencyKey.objects.create(user=user, key=key, fingerprint=fingerprint)
    except IntegrityError:
        earlier = IdempotencyKey.objects.get(user=user, key=key)
        if earlier.fingerprint != fingerprint:
            raise IdempotencyKeyReused from None
        return earlier.answer, True
    answer = work()
    IdempotencyKey.objects.filter(pk=mine.pk).update(answer=answer)
    return answer, False


def purge_keys() -> int:
    """Forget keys older than 72 hours; returns how many."""
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()[0]
