"""Undo an applied import, except for what changed after it."""

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from shop.db.transactions import atomically
from shop.models import ImportRow, ProductImport, User
from shop.product_files.imports.locking import STATE_ERRORS, State, claim, release
from shop.services import audit, import_missing, import_pictures, import_relations, imports
from shop.services.errors import ImportNotReady
from shop.services.import_sql import CHANGED, NEW

Outcome = ImportRow.Outcome


def undo_import(import_id: int, *, actor: User) -> dict[str, int]:
    """Restore changed products, remove added ones; return `removed`, `restored`, `not_undone`.

    Fields edited after the import keep their value, and so do new products that were ordered or
    edited; these rows store the reason. Stock returns as a difference, recorded in the ledger.
    Brands and the like that the import created are removed unless they were edited or are in use.
    Calling it again after a killed worker is safe.

    Raises NotFound, and ImportNotReady if it is not applied.
    """
    heartbeat = claim(import_id, State.UNDOING, from_states=[State.APPLIED])
    try:
        return _undo_rows(import_id, actor=actor)
    except Exception:
        release(import_id, heartbeat, State.APPLIED)
        raise


@atomically
def _undo_rows(import_id: int, *, actor: User) -> dict[str, int]:
    product_import = ProductImport.objects.select_for_update(no_key=True).get(pk=import_id)
    if product_import.state != State.UNDOING:
        raise ImportNotReady(str(STATE_ERRORS[State(product_import.state)]))
    imports.raise_statement_timeout()
    imports.mark_undone(product_import)
    imports.lock_import_cart_items(product_import)
    imports.lock_import_products(product_import, NEW, CHANGED, for_delete=True)

    pictures = 0
    if product_import.detected.get("pictures"):
        pictures = import_pictures.restore_pictures(product_import)
    imports.mark_not_undone(product_import)
    imports.record_stock_undo(product_import, actor=actor)
    imports.restore_products(product_import)
    import_relations.restore_links(product_import)
    imports.remove_added_products(product_import)

    result = _count_undone(product_import)
    if product_import.detected.get("created"):
        removed, kept = import_missing.remove_created(product_import, actor=actor)
        result |= {"created_removed": removed, "created_kept": len(kept)}
        product_import.detected["kept"] = kept
    if pictures:
        result["pictures_restored"] = pictures
    product_import.state, product_import.undone_at = State.UNDONE, timezone.now()
    product_import.result = product_import.result | result
    product_import.save(update_fields=["state", "undone_at", "result", "detected"])
    change = _("undone: %(removed)s removed, %(restored)s restored, %(not_undone)s not undone")
    audit.log(actor, product_import, change % {name: f"{n:,}" for name, n in result.items()})
    return result


def _count_undone(product_import: ProductImport) -> dict[str, int]:
    undone = (
        product_import.rows.filter(outcome=Outcome.UNDONE)
        .order_by()
        .values_list("status")
        .annotate(n=Count("pk"))
    )
    by_status = dict(undone)
    return {
        "removed": by_status.get(ImportRow.Status.NEW, 0),
        "restored": by_status.get(ImportRow.Status.CHANGED, 0),
        "not_undone": product_import.rows.filter(outcome=Outcome.NOT_UNDONE).count(),
    }
