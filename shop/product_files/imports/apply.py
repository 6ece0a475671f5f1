"""A checked import becomes the catalogue: whole, or not at all."""

from django.db import IntegrityError
from django.utils import timezone

from shop.db.transactions import atomically
from shop.models import ImportRow, ProductImport, User
from shop.product_files.imports.locking import STATE_ERRORS, State, claim, release
from shop.services import audit, imports
from shop.services.errors import ImportChanged, ImportNotReady, InsufficientStock

NAMED = 5


def apply_import(import_id: int, *, actor: User, good_only: bool = False) -> dict[str, int]:
    """Write the new and the changed rows in one transaction; returns how many of each, and how many left.

    With `good_only`, rows that are wrong, or whose product changed since the check, are left out and say why.
    Raises ImportNotReady when it is not checked or has wrong rows, ImportChanged, NotFound; the import is
    then as it was. After a killed worker the same call finishes the work.
    """
    mine = claim(import_id, State.APPLYING, of=[State.CHECKED])
    try:
        return _apply(import_id, actor=actor, good_only=good_only)
    except IntegrityError as error:
        release(import_id, mine, State.CHECKED)
        raise ImportChanged(
            "Somebody added a product with a SKU of this file at the same moment. Check the file again."
        ) from error
    except Exception:
        release(import_id, mine, State.CHECKED)
        raise


@atomically
def _apply(import_id: int, *, actor: User, good_only: bool) -> dict[str, int]:
    product_import = ProductImport.objects.select_for_update(no_key=True).get(pk=import_id)
    if product_import.state != State.APPLYING:
        raise ImportNotReady(STATE_ERRORS[State(product_import.state)])
    wrong = product_import.counts.get("wrong", 0)
    if wrong and not good_only:
        raise ImportNotReady(
            f"{wrong:,} rows are wrong. Correct them and bring the file again, or apply the good rows only."
        )
    added, changed, left = _write(product_import, actor, good_only=good_only)
    result = {"new": added, "changed": changed, "left": left}
    product_import.state, product_import.applied_at, product_import.result = (
        State.APPLIED,
        timezone.now(),
        result,
    )
    product_import.save(update_fields=["state", "applied_at", "result"])
    audit.log(
        actor,
        product_import,
        f"applied: {added:,} new, {changed:,} changed, {left + wrong:,} left out",
    )
    return result


def _write(product_import: ProductImport, actor: User, *, good_only: bool) -> tuple[int, int, int]:
    """How many were added, changed, and left out."""
    imports.raise_statement_timeout()
    marked = imports.mark_applied(product_import)
    left = imports.leave_taken_skus(product_import)
    added = imports.add_products(product_import)
    imports.record_stock(product_import, imports.NEW, actor=actor)
    imports.lock_import_products(product_import, imports.CHANGED)
    gone = imports.leave_what_changed(
        product_import, stock_is_set=product_import.found["stock"] == ProductImport.Stock.SET
    )
    if (left or gone) and not good_only:
        raise ImportChanged(_changed(product_import, left + gone))
    changed = imports.change_products(product_import)
    if changed != marked - gone:
        raise InsufficientStock
    imports.record_stock(product_import, imports.CHANGED, actor=actor)
    return added, changed, left + gone


def _changed(product_import: ProductImport, count: int) -> str:
    """The refusal in words, naming the first of them."""
    rows = product_import.rows.filter(outcome=ImportRow.Outcome.LEFT).order_by("number")[:NAMED]
    named = " ".join(f"Line {row.number} ({row.sku}): {row.why}" for row in rows)
    more = f" And {count - NAMED:,} more." if count > NAMED else ""
    return f"{named}{more} Check the file again, or apply the good rows only."
