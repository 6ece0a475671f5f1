"""An applied import taken back, as far as nobody has built on it since."""

from django.db.models import Count
from django.utils import timezone

from shop.exchange.states import SAYS, State, claim, release
from shop.models import Import, ImportRow, User
from shop.services import audit, import_pictures, imports
from shop.services.errors import ImportNotReady
from shop.services.transactions import atomically

Outcome = ImportRow.Outcome


def undo(import_id: int, *, actor: User) -> dict[str, int]:
    """Restore what the import changed and remove what it added; returns how many, and how many were kept.

    Fields that hold something else by now are left, and so is a new product that was ordered or edited since;
    each such row says so. Stock goes back as a difference, through the ledger: sold units stay sold.
    Raises ImportNotReady when it is not applied, NotFound. After a killed worker the same call finishes it.
    """
    mine = claim(import_id, State.UNDOING, of=[State.APPLIED])
    try:
        return _undo(import_id, actor=actor)
    except Exception:
        release(import_id, mine, State.APPLIED)
        raise


@atomically
def _undo(import_id: int, *, actor: User) -> dict[str, int]:
    import_ = Import.objects.select_for_update(no_key=True).get(pk=import_id)
    if import_.state != State.UNDOING:
        raise ImportNotReady(SAYS[State(import_.state)])
    imports.take_time()
    imports.mark_undone(import_)
    imports.lock_carts(import_)
    imports.lock_products(import_, imports.NEW, imports.CHANGED, may_go=True)
    pictures = import_pictures.take_back(import_) if import_.found.get("pictures") else 0
    imports.keep_what_changed(import_)
    imports.return_stock(import_, actor=actor)
    imports.restore_products(import_)
    imports.remove_products(import_)
    result = _result(import_) | ({"pictures_back": pictures} if pictures else {})
    import_.state, import_.undone_at = State.UNDONE, timezone.now()
    import_.result = import_.result | result
    import_.save(update_fields=["state", "undone_at", "result"])
    told = (
        f"taken back: {result['removed']:,} removed, {result['restored']:,} restored, {result['kept']:,} kept"
    )
    audit.log(actor, import_, told)
    return result


def _result(import_: Import) -> dict[str, int]:
    undone = (
        import_.rows.filter(outcome=Outcome.UNDONE).order_by().values_list("verdict").annotate(n=Count("pk"))
    )
    found = dict(undone)
    kept = import_.rows.filter(outcome=Outcome.KEPT).count()
    return {"removed": found.get("new", 0), "restored": found.get("changed", 0), "kept": kept}
