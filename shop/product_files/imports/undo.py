"""An applied import taken back, as far as nobody has built on it since."""

from django.db.models import Count
from django.utils import timezone

from shop.db.transactions import atomically
from shop.models import ImportRow, ProductImport, User
from shop.product_files.imports.locking import STATE_ERRORS, State, claim, release
from shop.services import audit, import_pictures, imports
from shop.services.errors import ImportNotReady

Outcome = ImportRow.Outcome


def undo_import(import_id: int, *, actor: User) -> dict[str, int]:
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
    product_import = ProductImport.objects.select_for_update(no_key=True).get(pk=import_id)
    if product_import.state != State.UNDOING:
        raise ImportNotReady(STATE_ERRORS[State(product_import.state)])
    imports.raise_statement_timeout()
    imports.mark_undone(product_import)
    imports.lock_carts(product_import)
    imports.lock_import_products(product_import, imports.NEW, imports.CHANGED, may_go=True)
    pictures = (
        import_pictures.restore_pictures(product_import)
        if product_import.found.get("pictures")
        else 0
    )
    imports.keep_what_changed(product_import)
    imports.revert_stock(product_import, actor=actor)
    imports.restore_products(product_import)
    imports.remove_products(product_import)
    result = _result(product_import) | ({"pictures_back": pictures} if pictures else {})
    product_import.state, product_import.undone_at = State.UNDONE, timezone.now()
    product_import.result = product_import.result | result
    product_import.save(update_fields=["state", "undone_at", "result"])
    told = f"taken back: {result['removed']:,} removed, {result['restored']:,} restored, {result['kept']:,} kept"
    audit.log(actor, product_import, told)
    return result


def _result(product_import: ProductImport) -> dict[str, int]:
    undone = (
        product_import.rows.filter(outcome=Outcome.UNDONE)
        .order_by()
        .values_list("status")
        .annotate(n=Count("pk"))
    )
    found = dict(undone)
    kept = product_import.rows.filter(outcome=Outcome.KEPT).count()
    return {"removed": found.get("new", 0), "restored": found.get("changed", 0), "kept": kept}
