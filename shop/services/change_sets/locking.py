"""Which worker runs an import's step: claimed in a commit of its own, kept alive by heartbeats."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shop.models import ChangeSet
from shop.services.errors import ConcurrentUpdate, ImportNotReady, NotFound

State = ChangeSet.State
#: A step whose last heartbeat is older than this was killed.
STALLED_AFTER = timedelta(seconds=60)
STATE_ERRORS = {
    State.UPLOADED: _("This hasn't been checked yet."),
    State.CHECKING: _("This is being checked. Wait until that is done."),
    State.CHECKED: _("This was checked, but not applied."),
    State.APPLYING: _("This is already being applied."),
    State.APPLIED: _("This was already applied."),
    State.UNDOING: _("This is already being undone."),
    State.UNDONE: _("This was already undone."),
    State.CLOSED: _("This is closed: its rows were deleted, so it can't be undone."),
    State.FAILED: _("This file could not be read, so there is nothing to apply."),
}


def is_stalled(change_set: ChangeSet) -> bool:
    """Return whether a step was claimed and its worker killed: the step can be claimed again."""
    oldest = timezone.now() - STALLED_AFTER
    return change_set.state in ChangeSet.IN_PROGRESS and (
        change_set.heartbeat_at is None or change_set.heartbeat_at < oldest
    )


def claim(change_set_id: int, state: State, *, from_states: Collection[State]) -> datetime:
    """Start a step from one of these states, or take over a stalled one; return its heartbeat.

    Raises NotFound, and ImportNotReady if the import is in another state.
    """
    now = timezone.now()
    is_free = Q(state__in=from_states) | Q(state=state, heartbeat_at__lt=now - STALLED_AFTER)
    claimed = ChangeSet.objects.filter(is_free, pk=change_set_id).update(
        state=state, heartbeat_at=now, error=""
    )
    if not claimed:
        current = ChangeSet.objects.filter(pk=change_set_id).values_list("state", flat=True).first()
        if current is None:
            raise NotFound
        raise ImportNotReady(str(STATE_ERRORS[State(current)]))
    return now


def send_heartbeat(change_set_id: int, last: datetime, **columns: object) -> datetime:
    """Update the heartbeat and these columns; return the new heartbeat.

    Raises ConcurrentUpdate if another worker has taken over since the last heartbeat.
    """
    now = timezone.now()
    updated = ChangeSet.objects.filter(pk=change_set_id, heartbeat_at=last).update(
        heartbeat_at=now, **columns
    )
    if not updated:
        raise ConcurrentUpdate
    return now


def release(change_set_id: int, last: datetime, state: State, **columns: object) -> None:
    """Set the state at the end of a failed step, unless another worker has taken over."""
    ChangeSet.objects.filter(pk=change_set_id, heartbeat_at=last).update(state=state, **columns)


def renew_heartbeat(change_set_id: int) -> None:
    """Update the heartbeat of a step that holds no claim."""
    ChangeSet.objects.filter(pk=change_set_id).update(heartbeat_at=timezone.now())
