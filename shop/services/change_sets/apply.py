"""Apply a checked import to the catalogue, in one transaction."""

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shop.db.transactions import atomically
from shop.models import ChangeRow, ChangeSet, User
from shop.services import audit
from shop.services.change_sets import missing, relations, statements
from shop.services.change_sets.locking import STATE_ERRORS, State, claim, release
from shop.services.change_sets.sql import CHANGED, NEW
from shop.services.errors import ImportNotReady, InsufficientStock, ProductsChanged

#: Rows that are quoted in the error about conflicts.
MAX_QUOTED_CONFLICTS = 5


def apply_change_set(change_set_id: int, *, actor: User, good_only: bool = False) -> dict[str, int]:
    """Write the new and changed rows; return the numbers `new`, `changed` and `left_out`.

    If the rows name brands or the like that are to be created, their number is `created`.

    With `good_only`, rows with errors are left out, and so are those whose product changed since
    the preview; the latter store the reason. Calling it again after a killed worker is safe.

    Raises NotFound; ImportNotReady if it is not checked or has errors; ProductsChanged if products
    changed since the preview. Nothing is changed then.
    """
    heartbeat = claim(change_set_id, State.APPLYING, from_states=[State.CHECKED])
    try:
        return _apply_rows(change_set_id, actor=actor, good_only=good_only)
    except IntegrityError as error:
        release(change_set_id, heartbeat, State.CHECKED)
        raise ProductsChanged(describe_integrity_error(error)) from error
    except Exception:
        release(change_set_id, heartbeat, State.CHECKED)
        raise


@atomically
def _apply_rows(change_set_id: int, *, actor: User, good_only: bool) -> dict[str, int]:
    change_set = ChangeSet.objects.select_for_update(no_key=True).get(pk=change_set_id)
    if change_set.state != State.APPLYING:
        raise ImportNotReady(str(STATE_ERRORS[State(change_set.state)]))
    error_count = change_set.counts.get(ChangeRow.Status.ERROR, 0)
    if error_count and not good_only:
        message = ngettext(
            "%(count)s row has errors. Correct it and upload the file again,"
            " or apply the valid rows only.",
            "%(count)s rows have errors. Correct them and upload the file again,"
            " or apply the valid rows only.",
            error_count,
        )
        raise ImportNotReady(message % {"count": f"{error_count:,}"})

    statements.raise_statement_timeout()
    created = missing.create_missing(change_set, actor=actor)
    result = _write_products(change_set, actor, good_only=good_only)
    if created:
        result["created"] = created
    change_set.state, change_set.applied_at = State.APPLIED, timezone.now()
    change_set.result = result
    change_set.save(update_fields=["state", "applied_at", "result", "detected"])
    change = _("applied: %(new)s new, %(changed)s changed, %(left_out)s left out")
    numbers = result | {"left_out": result["left_out"] + error_count}
    audit.log(actor, change_set, change % {name: f"{n:,}" for name, n in numbers.items()})
    return result


def _write_products(change_set: ChangeSet, actor: User, *, good_only: bool) -> dict[str, int]:
    taken = statements.leave_out_new_conflicts(change_set)
    added = statements.add_products(change_set)
    relations.link_added_products(change_set)
    statements.record_stock(change_set, NEW, actor=actor)
    changed, conflicts = write_changed_products(
        change_set, actor, good_only=good_only, conflicts_before=taken
    )
    return {"new": added, "changed": changed, "left_out": taken + conflicts}


def write_changed_products(
    change_set: ChangeSet, actor: User, *, good_only: bool = False, conflicts_before: int = 0
) -> tuple[int, int]:
    """Lock and write the products of the changed rows, with stock, ledger and relations.

    Return how many changed, and how many were left out since they changed after the preview. With
    `good_only` not set, raises ProductsChanged if there are any, or conflicts before.
    """
    marked = statements.mark_applied(change_set)
    statements.lock_products(change_set, CHANGED)
    conflicts = statements.leave_out_conflicts(
        change_set,
        stock_is_set=change_set.detected["stock_mode"] == ChangeSet.StockMode.SET,
    )
    if (conflicts or conflicts_before) and not good_only:
        raise ProductsChanged(_describe_conflicts(change_set, conflicts + conflicts_before))

    changed = statements.update_products(change_set)
    if changed != marked - conflicts:
        raise InsufficientStock
    relations.relink_products(change_set)
    statements.record_stock(change_set, CHANGED, actor=actor)
    return changed, conflicts


def describe_integrity_error(error: IntegrityError) -> str:
    """Say what somebody else did at the same moment."""
    if "product_sku_is_unique" in str(error):
        return _("Someone just added a product with a SKU of this file. Check the file again.")
    return _("Someone just changed something that this file needs. Check the file again.")


def _describe_conflicts(change_set: ChangeSet, count: int) -> str:
    """Quote the first conflicts and say what to do."""
    rows = change_set.rows.filter(outcome=ChangeRow.Outcome.LEFT_OUT).order_by("number")
    sentences = [
        _("Line %(number)s (%(sku)s): %(reason)s")
        % {"number": row.number, "sku": row.sku, "reason": row.reason}
        for row in rows[:MAX_QUOTED_CONFLICTS]
    ]
    if (more := count - MAX_QUOTED_CONFLICTS) > 0:
        sentences.append(_("And %(count)s more.") % {"count": f"{more:,}"})
    sentences.append(_("Check the file again, or apply the valid rows only."))
    return " ".join(sentences)
