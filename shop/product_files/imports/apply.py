"""Apply a checked import to the catalogue, in one transaction."""

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shop.db.transactions import atomically
from shop.models import ImportRow, ProductImport, User
from shop.product_files.imports.locking import STATE_ERRORS, State, claim, release
from shop.services import audit, import_missing, import_relations, imports
from shop.services.errors import ImportChanged, ImportNotReady, InsufficientStock
from shop.services.import_sql import CHANGED, NEW

#: Rows that are quoted in the error about conflicts.
MAX_QUOTED_CONFLICTS = 5


def apply_import(import_id: int, *, actor: User, good_only: bool = False) -> dict[str, int]:
    """Write the new and changed rows; return the numbers `new`, `changed` and `left_out`.

    If the rows name brands or the like that are to be created, their number is `created`.

    With `good_only`, rows with errors are left out, and so are those whose product changed since
    the preview; the latter store the reason. Calling it again after a killed worker is safe.

    Raises NotFound; ImportNotReady if it is not checked or has errors; ImportChanged if products
    changed since the preview. Nothing is changed then.
    """
    heartbeat = claim(import_id, State.APPLYING, from_states=[State.CHECKED])
    try:
        return _apply_rows(import_id, actor=actor, good_only=good_only)
    except IntegrityError as error:
        release(import_id, heartbeat, State.CHECKED)
        raise ImportChanged(_describe_integrity_error(error)) from error
    except Exception:
        release(import_id, heartbeat, State.CHECKED)
        raise


@atomically
def _apply_rows(import_id: int, *, actor: User, good_only: bool) -> dict[str, int]:
    product_import = ProductImport.objects.select_for_update(no_key=True).get(pk=import_id)
    if product_import.state != State.APPLYING:
        raise ImportNotReady(str(STATE_ERRORS[State(product_import.state)]))
    error_count = product_import.counts.get(ImportRow.Status.ERROR, 0)
    if error_count and not good_only:
        message = ngettext(
            "%(count)s row has errors. Correct it and upload the file again,"
            " or apply the valid rows only.",
            "%(count)s rows have errors. Correct them and upload the file again,"
            " or apply the valid rows only.",
            error_count,
        )
        raise ImportNotReady(message % {"count": f"{error_count:,}"})

    imports.raise_statement_timeout()
    created = import_missing.create_missing(product_import, actor=actor)
    result = _write_products(product_import, actor, good_only=good_only)
    if created:
        result["created"] = created
    product_import.state, product_import.applied_at = State.APPLIED, timezone.now()
    product_import.result = result
    product_import.save(update_fields=["state", "applied_at", "result", "detected"])
    change = _("applied: %(new)s new, %(changed)s changed, %(left_out)s left out")
    numbers = result | {"left_out": result["left_out"] + error_count}
    audit.log(actor, product_import, change % {name: f"{n:,}" for name, n in numbers.items()})
    return result


def _write_products(
    product_import: ProductImport, actor: User, *, good_only: bool
) -> dict[str, int]:
    marked = imports.mark_applied(product_import)
    taken = imports.leave_out_new_conflicts(product_import)
    added = imports.add_products(product_import)
    import_relations.link_added_products(product_import)
    imports.record_stock(product_import, NEW, actor=actor)

    imports.lock_import_products(product_import, CHANGED)
    conflicts = imports.leave_out_conflicts(
        product_import,
        stock_is_set=product_import.detected["stock_mode"] == ProductImport.StockMode.SET,
    )
    if (taken or conflicts) and not good_only:
        raise ImportChanged(_describe_conflicts(product_import, taken + conflicts))

    changed = imports.update_products(product_import)
    if changed != marked - conflicts:
        raise InsufficientStock
    import_relations.relink_products(product_import)
    imports.record_stock(product_import, CHANGED, actor=actor)
    return {"new": added, "changed": changed, "left_out": taken + conflicts}


def _describe_integrity_error(error: IntegrityError) -> str:
    """Say what somebody else did at the same moment."""
    if "product_sku_is_unique" in str(error):
        return _("Someone just added a product with a SKU of this file. Check the file again.")
    return _("Someone just changed something that this file needs. Check the file again.")


def _describe_conflicts(product_import: ProductImport, count: int) -> str:
    """Quote the first conflicts and say what to do."""
    rows = product_import.rows.filter(outcome=ImportRow.Outcome.LEFT_OUT).order_by("number")
    sentences = [
        _("Line %(number)s (%(sku)s): %(reason)s")
        % {"number": row.number, "sku": row.sku, "reason": row.reason}
        for row in rows[:MAX_QUOTED_CONFLICTS]
    ]
    if (more := count - MAX_QUOTED_CONFLICTS) > 0:
        sentences.append(_("And %(count)s more.") % {"count": f"{more:,}"})
    sentences.append(_("Check the file again, or apply the valid rows only."))
    return " ".join(sentences)
