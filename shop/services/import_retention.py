"""Uploads that nobody needs any more."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from shop.db.transactions import atomically
from shop.models import ImportFile, ProductImport, User
from shop.services import audit
from shop.services.audit import Action
from shop.services.errors import ImportNotReady, NotFound

State = ProductImport.State
#: So long an import can be taken back.
KEPT_FOR = timedelta(days=90)
NEVER_WRITTEN = (State.UPLOADED, State.CHECKED, State.FAILED)


@atomically
def discard_import(*, import_id: int, actor: User) -> None:
    """Forget an import that wrote nothing: its file, its rows, its line in the history.

    Raises NotFound, and ImportNotReady where it wrote something or is being worked on.
    """
    product_import = (
        ProductImport.objects.select_for_update(no_key=True).filter(pk=import_id).first()
    )
    if product_import is None:
        raise NotFound
    if product_import.state not in NEVER_WRITTEN or product_import.asked:
        raise ImportNotReady(
            "This import is at work, or has written already. It cannot be discarded."
        )
    audit.log(actor, product_import, action=Action.REMOVED)
    product_import.delete()


def purge_imports() -> int:
    """Forget the files and rows of imports from 90 days ago; returns how many imports.

    Those that wrote something stay in the history, closed; the others go.
    """
    since = timezone.now() - KEPT_FOR
    old = ProductImport.objects.filter(
        Q(heartbeat_at=None) | Q(heartbeat_at__lt=since), created_at__lt=since, asked={}
    )
    written = old.filter(state__in=(State.APPLIED, State.UNDONE))
    closed = [_close(pk) for pk in written.values_list("pk", flat=True)]
    gone = list(old.filter(state__in=NEVER_WRITTEN).values_list("pk", flat=True))
    ProductImport.objects.filter(pk__in=gone).delete()
    return len(closed) + len(gone)


@atomically
def _close(import_id: int) -> None:
    product_import = ProductImport.objects.select_for_update(no_key=True).get(pk=import_id)
    product_import.rows.all().delete()
    ImportFile.objects.filter(pk=import_id).delete()
    product_import.state = State.CLOSED
    product_import.save(update_fields=["state"])
