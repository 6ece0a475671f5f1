"""Uploads that nobody needs any more."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from shop.models import Import, ImportFile, User
from shop.services import audit
from shop.services.audit import Action
from shop.services.errors import ImportNotReady, NotFound
from shop.services.transactions import atomically

State = Import.State
#: So long an import can be taken back.
KEPT_FOR = timedelta(days=90)
NEVER_WRITTEN = (State.UPLOADED, State.CHECKED, State.FAILED)


@atomically
def discard(*, import_id: int, actor: User) -> None:
    """Forget an import that wrote nothing: its file, its rows, its line in the history.

    Raises NotFound, and ImportNotReady where it wrote something or is being worked on.
    """
    import_ = Import.objects.select_for_update(no_key=True).filter(pk=import_id).first()
    if import_ is None:
        raise NotFound
    if import_.state not in NEVER_WRITTEN or import_.asked:
        raise ImportNotReady("This import is at work, or has written already. It cannot be discarded.")
    audit.log(actor, import_, action=Action.REMOVED)
    import_.delete()


def purge_imports() -> int:
    """Forget the files and rows of imports from 90 days ago; returns how many imports.

    Those that wrote something stay in the history, closed; the others go.
    """
    since = timezone.now() - KEPT_FOR
    old = Import.objects.filter(Q(beat_at=None) | Q(beat_at__lt=since), created_at__lt=since, asked={})
    written = old.filter(state__in=(State.APPLIED, State.UNDONE))
    closed = [_close(pk) for pk in written.values_list("pk", flat=True)]
    gone = list(old.filter(state__in=NEVER_WRITTEN).values_list("pk", flat=True))
    Import.objects.filter(pk__in=gone).delete()
    return len(closed) + len(gone)


@atomically
def _close(import_id: int) -> None:
    import_ = Import.objects.select_for_update(no_key=True).get(pk=import_id)
    import_.rows.all().delete()
    ImportFile.objects.filter(pk=import_id).delete()
    import_.state = State.CLOSED
    import_.save(update_fields=["state"])
