"""Delete uploads and their rows when they are discarded or too old to undo."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from shop.db.transactions import atomically
from shop.models import ImportFile, ProductImport, User
from shop.services import audit
from shop.services.audit import Action
from shop.services.errors import ImportNotReady, NotFound

State = ProductImport.State
#: How long an import can be undone.
IMPORT_RETENTION = timedelta(days=90)
#: States of imports that changed no product.
DISCARDABLE_STATES = (State.UPLOADED, State.CHECKED, State.FAILED)


@atomically
def discard_import(*, import_id: int, actor: User) -> None:
    """Delete an import that changed no product, with its file and rows.

    Raises NotFound, and ImportNotReady if it changed products or a step is pending.
    """
    product_import = (
        ProductImport.objects.select_for_update(no_key=True).filter(pk=import_id).first()
    )
    if product_import is None:
        raise NotFound
    if product_import.state not in DISCARDABLE_STATES or product_import.pending_step:
        raise ImportNotReady(_("An import that is running or was applied can't be discarded."))
    audit.log(actor, product_import, action=Action.REMOVED)
    product_import.delete()


def purge_imports() -> int:
    """Delete the files and rows of imports older than 90 days; return the number of imports.

    Imports that changed products stay in the history as closed, others are deleted.
    """
    limit = timezone.now() - IMPORT_RETENTION
    old = ProductImport.objects.filter(
        Q(heartbeat_at=None) | Q(heartbeat_at__lt=limit), created_at__lt=limit, pending_step={}
    )
    applied = old.filter(state__in=(State.APPLIED, State.UNDONE))
    closed = [_close_import(pk) for pk in applied.values_list("pk", flat=True)]
    discarded = list(old.filter(state__in=DISCARDABLE_STATES).values_list("pk", flat=True))
    ProductImport.objects.filter(pk__in=discarded).delete()
    return len(closed) + len(discarded)


@atomically
def _close_import(import_id: int) -> None:
    product_import = ProductImport.objects.select_for_update(no_key=True).get(pk=import_id)
    product_import.rows.all().delete()
    ImportFile.objects.filter(pk=import_id).delete()
    product_import.state = State.CLOSED
    product_import.save(update_fields=["state"])
