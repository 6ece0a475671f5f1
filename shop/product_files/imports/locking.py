"""Which worker runs an import's step: claimed in a commit of its own, kept alive by heartbeats."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shop.models import ProductImport
from shop.services.errors import ConcurrentUpdate, ImportNotReady, NotFound

State = ProductImport.State
#: A step whose last heartbeat is older than this was killed.
STALLED_AFTER = timedelta(seconds=60)
STATE_ERRORS = {
    State.UPLOADED: _("This import hasn't been checked yet."),
    State.CHECKING: _("This import is being checked. Wait until that is done."),
    State.CHECKED: _("This import was checked, but not applied."),
    State.APPLYING: _("This import is already being applied."),
    State.APPLIED: _("This import was already applied."),
    State.UNDOING: _("This import is already being undone."),
    State.UNDONE: _("This import was already undone."),
    State.CLOSED: _("This import is closed: its rows were deleted, so it can't be undone."),
    State.FAILED: _("This file could not be read, so there is nothing to apply."),
}


def is_stalled(product_import: ProductImport) -> bool:
    """Return whether a step was claimed and its worker killed: the step can be claimed again."""
    oldest = timezone.now() - STALLED_AFTER
    return product_import.state in ProductImport.IN_PROGRESS and (
        product_import.heartbeat_at is None or product_import.heartbeat_at < oldest
    )


def claim(import_id: int, state: State, *, from_states: Collection[State]) -> datetime:
    """Start a step from one of these states, or take over a stalled one; return its heartbeat.

    Raises NotFound, and ImportNotReady if the import is in another state.
    """
    now = timezone.now()
    is_free = Q(state__in=from_states) | Q(state=state, heartbeat_at__lt=now - STALLED_AFTER)
    claimed = ProductImport.objects.filter(is_free, pk=import_id).update(
        state=state, heartbeat_at=now, error=""
    )
    if not claimed:
        current = ProductImport.objects.filter(pk=import_id).values_list("state", flat=True).first()
        if current is None:
            raise NotFound
        raise ImportNotReady(str(STATE_ERRORS[State(current)]))
    return now


def send_heartbeat(import_id: int, last: datetime, **columns: object) -> datetime:
    """Update the heartbeat and these columns; return the new heartbeat.

    Raises ConcurrentUpdate if another worker has taken over since the last heartbeat.
    """
    now = timezone.now()
    updated = ProductImport.objects.filter(pk=import_id, heartbeat_at=last).update(
        heartbeat_at=now, **columns
    )
    if not updated:
        raise ConcurrentUpdate
    return now


def release(import_id: int, last: datetime, state: State, **columns: object) -> None:
    """Set the state at the end of a failed step, unless another worker has taken over."""
    ProductImport.objects.filter(pk=import_id, heartbeat_at=last).update(state=state, **columns)


def renew_heartbeat(import_id: int) -> None:
    """Update the heartbeat of a step that holds no claim."""
    ProductImport.objects.filter(pk=import_id).update(heartbeat_at=timezone.now())
