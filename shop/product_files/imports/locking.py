"""Who works on an import: each step claims it in a commit of its own, so pages see it and rivals wait."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from shop.models import ProductImport
from shop.services.errors import ConcurrentUpdate, ImportNotReady, NotFound

State = ProductImport.State
#: Who gives no sign of life for so long has been killed.
SILENCE = timedelta(seconds=60)
STATE_ERRORS = {
    State.UPLOADED: "This import has not been checked yet.",
    State.CHECKING: "This import is being checked. Wait until that is done.",
    State.CHECKED: "This import has been checked and not been applied.",
    State.APPLYING: "This import is being applied already.",
    State.APPLIED: "This import has been applied already.",
    State.UNDOING: "This import is being taken back already.",
    State.UNDONE: "This import has been taken back already.",
    State.CLOSED: "This import is closed: its rows are no longer kept, so it cannot be taken back.",
    State.FAILED: "This file could not be read, so there is nothing to apply.",
}


def is_stalled(product_import: ProductImport) -> bool:
    """Whether somebody was at work on it and is not heard of any more: the step can be taken again."""
    silent_since = timezone.now() - SILENCE
    return product_import.state in ProductImport.IN_PROGRESS and (
        product_import.heartbeat_at is None or product_import.heartbeat_at < silent_since
    )


def claim(import_id: int, state: State, *, of: Collection[State]) -> datetime:
    """Begin a step from one of these states, or take it over where it is stuck; returns the first beat.

    Raises NotFound, and ImportNotReady with what it is doing instead.
    """
    now = timezone.now()
    is_free = Q(state__in=of) | Q(state=state, heartbeat_at__lt=now - SILENCE)
    if not ProductImport.objects.filter(is_free, pk=import_id).update(
        state=state, heartbeat_at=now, error=""
    ):
        found = ProductImport.objects.filter(pk=import_id).values_list("state", flat=True).first()
        if found is None:
            raise NotFound
        raise ImportNotReady(STATE_ERRORS[State(found)])
    return now


def heartbeat(import_id: int, last: datetime, **columns: object) -> datetime:
    """A sign of life, with what else to write down; raises Overtaken if another has begun anew meanwhile."""
    now = timezone.now()
    if not ProductImport.objects.filter(pk=import_id, heartbeat_at=last).update(
        heartbeat_at=now, **columns
    ):
        raise ConcurrentUpdate
    return now


def release(import_id: int, last: datetime, state: State, **columns: object) -> None:
    """Give it back as it was before the step, unless another has begun anew."""
    ProductImport.objects.filter(pk=import_id, heartbeat_at=last).update(state=state, **columns)


def renew_heartbeat(import_id: int) -> None:
    """A sign of life of work that nobody else has to wait for."""
    ProductImport.objects.filter(pk=import_id).update(heartbeat_at=timezone.now())
