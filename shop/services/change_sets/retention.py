"""Delete uploads and their rows when they are discarded or too old to undo."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from shop.db.transactions import atomically
from shop.models import ChangeSet, ImportFile, User
from shop.services import audit
from shop.services.audit import Action
from shop.services.errors import ImportNotReady, NotFound

State = ChangeSet.State
#: How long an import can be undone.
CHANGE_SET_RETENTION = timedelta(days=90)
#: States of imports that changed no product.
DISCARDABLE_STATES = (State.UPLOADED, State.CHECKED, State.FAILED)


@atomically
def discard_change_set(*, change_set_id: int, actor: User) -> None:
    """Delete an import that changed no product, with its file and rows.

    Raises NotFound, and ImportNotReady if it changed products or a step is pending.
    """
    change_set = ChangeSet.objects.select_for_update(no_key=True).filter(pk=change_set_id).first()
    if change_set is None:
        raise NotFound
    if change_set.state not in DISCARDABLE_STATES or change_set.pending_step:
        raise ImportNotReady(_("An import that is running or was applied can't be discarded."))
    audit.log(actor, change_set, action=Action.REMOVED)
    change_set.delete()


def purge_change_sets() -> int:
    """Delete the files and rows of imports older than 90 days; return the number of imports.

    Imports that changed products stay in the history as closed, others are deleted.
    """
    limit = timezone.now() - CHANGE_SET_RETENTION
    old = ChangeSet.objects.filter(
        Q(heartbeat_at=None) | Q(heartbeat_at__lt=limit), created_at__lt=limit, pending_step={}
    )
    applied = old.filter(state__in=(State.APPLIED, State.UNDONE))
    closed = [_close_import(pk) for pk in applied.values_list("pk", flat=True)]
    discarded = list(old.filter(state__in=DISCARDABLE_STATES).values_list("pk", flat=True))
    ChangeSet.objects.filter(pk__in=discarded).delete()
    return len(closed) + len(discarded)


@atomically
def _close_import(change_set_id: int) -> None:
    change_set = ChangeSet.objects.select_for_update(no_key=True).get(pk=change_set_id)
    change_set.rows.all().delete()
    ImportFile.objects.filter(pk=change_set_id).delete()
    change_set.state = State.CLOSED
    change_set.save(update_fields=["state"])
