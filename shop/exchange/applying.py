"""A checked import becomes the catalogue: whole, or not at all."""

from django.db import IntegrityError
from django.utils import timezone

from shop.exchange.states import SAYS, State, claim, release
from shop.models import Import, ImportRow, User
from shop.services import audit, imports
from shop.services.errors import ImportChanged, ImportNotReady, InsufficientStock
from shop.services.transactions import atomically

NAMED = 5


def apply(import_id: int, *, actor: User, good_only: bool = False) -> dict[str, int]:
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
    import_ = Import.objects.select_for_update(no_key=True).get(pk=import_id)
    if import_.state != State.APPLYING:
        raise ImportNotReady(SAYS[State(import_.state)])
    wrong = import_.counts.get("wrong", 0)
    if wrong and not good_only:
        raise ImportNotReady(
            f"{wrong:,} rows are wrong. Correct them and bring the file again, or apply the good rows only."
        )
    added, changed, left = _write(import_, actor, good_only=good_only)
    result = {"new": added, "changed": changed, "left": left}
    import_.state, import_.applied_at, import_.result = State.APPLIED, timezone.now(), result
    import_.save(update_fields=["state", "applied_at", "result"])
    audit.log(actor, import_, f"applied: {added:,} new, {changed:,} changed, {left + wrong:,} left out")
    return result


def _write(import_: Import, actor: User, *, good_only: bool) -> tuple[int, int, int]:
    """How many were added, changed, and left out."""
    imports.take_time()
    marked = imports.mark_applied(import_)
    left = imports.leave_taken_skus(import_)
    added = imports.add_products(import_)
    imports.record_stock(import_, imports.NEW, actor=actor)
    imports.lock_products(import_, imports.CHANGED)
    gone = imports.leave_what_changed(import_, stock_is_set=import_.found["stock"] == Import.Stock.SET)
    if (left or gone) and not good_only:
        raise ImportChanged(_changed(import_, left + gone))
    changed = imports.change_products(import_)
    if changed != marked - gone:
        raise InsufficientStock
    imports.record_stock(import_, imports.CHANGED, actor=actor)
    return added, changed, left + gone


def _changed(import_: Import, count: int) -> str:
    """The refusal in words, naming the first of them."""
    rows = import_.rows.filter(outcome=ImportRow.Outcome.LEFT).order_by("number")[:NAMED]
    named = " ".join(f"Line {row.number} ({row.sku}): {row.why}" for row in rows)
    more = f" And {count - NAMED:,} more." if count > NAMED else ""
    return f"{named}{more} Check the file again, or apply the good rows only."
