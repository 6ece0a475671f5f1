"""Undo an applied change set, except for what changed after it."""

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from shop.db.transactions import atomically
from shop.models import ChangeRow, ChangeSet, Product, User
from shop.services import audit
from shop.services.change_sets import missing, pictures, relations, statements
from shop.services.change_sets.locking import STATE_ERRORS, State, claim, release
from shop.services.change_sets.sql import CHANGED, NEW
from shop.services.errors import ImportNotReady

Outcome = ChangeRow.Outcome


def undo_change_set(change_set_id: int, *, actor: User) -> dict[str, int]:
    """Restore changed products, remove added ones; return `removed`, `restored`, `not_undone`.

    Fields edited after the import keep their value, and so do new products that were ordered or
    edited; these rows store the reason. Stock returns as a difference, recorded in the ledger.
    Brands and the like that the import created are removed unless they were edited or are in use.
    Calling it again after a killed worker is safe.

    Raises NotFound, and ImportNotReady if it is not applied.
    """
    heartbeat = claim(change_set_id, State.UNDOING, from_states=[State.APPLIED])
    try:
        return _undo_rows(change_set_id, actor=actor)
    except Exception:
        release(change_set_id, heartbeat, State.APPLIED)
        raise


@atomically
def _undo_rows(change_set_id: int, *, actor: User) -> dict[str, int]:
    change_set = ChangeSet.objects.select_for_update(no_key=True).get(pk=change_set_id)
    if change_set.state != State.UNDOING:
        raise ImportNotReady(str(STATE_ERRORS[State(change_set.state)]))
    statements.raise_statement_timeout()
    statements.mark_undone(change_set)
    statements.lock_cart_items(change_set)
    statements.lock_products(change_set, NEW, CHANGED, for_delete=True)

    restored = 0
    if change_set.detected.get("pictures"):
        restored = pictures.restore_pictures(change_set)
    statements.mark_not_undone(change_set)
    statements.record_stock_undo(change_set, actor=actor)
    statements.restore_products(change_set)
    relations.restore_links(change_set)
    statements.remove_added_products(change_set)

    result = _count_undone(change_set)
    if change_set.detected.get("created"):
        removed, kept = missing.remove_created(change_set, actor=actor)
        result |= {"created_removed": removed, "created_kept": len(kept)}
        change_set.detected["kept"] = kept
    if restored:
        result["pictures_restored"] = restored
    change_set.state, change_set.undone_at = State.UNDONE, timezone.now()
    change_set.result = change_set.result | result
    change_set.save(update_fields=["state", "undone_at", "result", "detected"])
    change = _("undone: %(removed)s removed, %(restored)s restored, %(not_undone)s not undone")
    audit.log(actor, change_set, change % {name: f"{n:,}" for name, n in result.items()})
    if change_set.kind != ChangeSet.Kind.FILE:
        _log_products(change_set, actor)
    return result


def _log_products(change_set: ChangeSet, actor: User) -> None:
    """Record at each product that the change was undone, as it was recorded when it was applied."""
    rows = change_set.rows.filter(outcome__in=(Outcome.UNDONE, Outcome.NOT_UNDONE))
    change = _("undone: %(name)s") % {"name": change_set}
    products = [Product(pk=pk, name=name) for pk, name in rows.values_list("product_id", "name")]
    entries = [(product, change) for product in products]
    audit.log_many(actor, entries, change_set=change_set)


def _count_undone(change_set: ChangeSet) -> dict[str, int]:
    undone = (
        change_set.rows.filter(outcome=Outcome.UNDONE)
        .order_by()
        .values_list("status")
        .annotate(n=Count("pk"))
    )
    by_status = dict(undone)
    return {
        "removed": by_status.get(ChangeRow.Status.NEW, 0),
        "restored": by_status.get(ChangeRow.Status.CHANGED, 0),
        "not_undone": change_set.rows.filter(outcome=Outcome.NOT_UNDONE).count(),
    }
