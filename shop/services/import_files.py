"""Uploads that nobody needs any more."""

from shop.models import Import, User
from shop.services import audit
from shop.services.audit import Action
from shop.services.errors import ImportNotReady, NotFound
from shop.services.transactions import atomically

State = Import.State
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
