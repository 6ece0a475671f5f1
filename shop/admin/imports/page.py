"""What an import's page says and offers in each of its states."""

from typing import Any

from django.http import QueryDict

from shop.admin.imports.forms import DELIMITERS, TermsForm
from shop.admin.imports.rows import RowTable
from shop.models import ProductImport
from shop.models.order_status import Role
from shop.product_files.imports import runner
from shop.product_files.imports.error_report import EXPLAINED
from shop.product_files.imports.locking import STATE_ERRORS
from shop.product_files.imports.preview import DIALECTS, FREE
from shop.text_validation import pluralize

State = ProductImport.State
#: What is being done, or waits to be.
DOING = {
    runner.CHECK: "Looking at each row",
    runner.APPLY: "Writing to the catalogue",
    runner.UNDO: "Taking it back",
    runner.PICTURES: "Drawing pictures",
}
STATE_ROLES: dict[State, Role] = {
    State.CHECKED: "warning",
    State.APPLIED: "success",
    State.FAILED: "danger",
    State.CHECKING: "info",
    State.APPLYING: "info",
    State.UNDOING: "info",
}
POINT_NAMES = {".": "a point", ",": "a comma"}


def page_context(
    product_import: ProductImport,
    asked: QueryDict,
    *,
    may_decide: bool,
    terms: TermsForm | None = None,
) -> dict[str, Any]:
    """For the template: never more than one query for the rows and one for their number."""
    is_busy = bool(product_import.asked) or product_import.state in ProductImport.IN_PROGRESS
    is_open = may_decide and not is_busy and product_import.state in FREE
    context: dict[str, Any] = {
        "import": product_import,
        "role": STATE_ROLES.get(State(product_import.state), "neutral"),
        "may_decide": may_decide,
        "is_busy": is_busy,
        "is_forgotten": runner.is_abandoned(product_import),
        "is_waiting": runner.is_pending(product_import),
        "doing": DOING.get(
            product_import.asked.get("step", ""), product_import.get_state_display()
        ),
        "so_far": f"{product_import.done:,} of {product_import.total:,} rows",
        "percent": 100 * product_import.done // product_import.total
        if product_import.total
        else None,
        "found": _found(product_import),
        "sentences": _sentences(product_import),
        "terms": (terms or TermsForm(product_import=product_import)) if is_open else None,
        "apply": _apply(product_import)
        if is_open and product_import.state == State.CHECKED
        else None,
    }
    if product_import.state == State.CLOSED:
        context["sentences"].append(STATE_ERRORS[State.CLOSED])
    elif product_import.counts and not is_busy:
        context["rows"] = RowTable(product_import, asked)
    return context


def _apply(product_import: ProductImport) -> dict[str, Any]:
    """The button in words, with what it does."""
    new, changed, wrong = (
        product_import.counts.get(kind, 0) for kind in ("new", "changed", "wrong")
    )
    parts = []
    if new:
        parts.append(f"{new:,} new {'product' if new == 1 else 'products'}")
    if changed:
        parts.append(f"{changed:,} {'change' if changed == 1 else 'changes'}")
    what = " and ".join(parts)
    if not what and product_import.found.get("pictures"):
        what = "the pictures"
    return {
        "what": what,
        "wrong": f"{wrong:,}" if wrong else "",
        "says_wrong": pluralize(wrong, "row is", "rows are"),
        "good": new + changed,
        "seen": product_import.checked_at.isoformat() if product_import.checked_at else "",
        # What was refused since the preview can be left out as well.
        "offers_good_only": bool(wrong or product_import.error),
    }


def _sentences(product_import: ProductImport) -> list[str]:
    """What happened, as a person would say it."""
    result, said = product_import.result, []
    if "new" in result:
        said.append(
            f"{pluralize(result['new'], 'product was', 'products were')} added, {result['changed']:,} changed."
        )
        if wrong := product_import.counts.get("wrong"):
            said.append(f"{pluralize(wrong, 'wrong row was', 'wrong rows were')} left out.")
        if result.get("left"):
            said.append(
                f"{pluralize(result['left'], 'row was', 'rows were')} left out: see “Left out”."
            )
    if result.get("pictures"):
        said.append(f"{pluralize(result['pictures'], 'picture was', 'pictures were')} set.")
    if "restored" in result:
        said.append(
            f"Then it was taken back: {pluralize(result['removed'], 'product was', 'products were')} removed,"
            f" {result['restored']:,} restored."
        )
        if result.get("kept"):
            said.append(
                f"{pluralize(result['kept'], 'row stays', 'rows stay')}: see “Not taken back”."
            )
    return said


def _found(product_import: ProductImport) -> list[tuple[str, str]]:
    """What reading found, as pairs of label and words."""
    found = product_import.found
    if not found:
        return []
    known = DIALECTS[found["dialect"]].known()
    kind = [found["format"], found["encoding"]]
    if sign := found["delimiter"]:
        kind.append(f"parted by {DELIMITERS.get(sign, sign)}")
    point = product_import.options.get("point") or found.get("point")
    read = [
        _read(product_import.headers[place], known[field][0])
        for field, place in found["columns"].items()
    ]
    unread = [header for header in found["unknown"] if header not in EXPLAINED]
    pairs = [
        ("File", ", ".join(filter(None, kind))),
        ("Columns of", DIALECTS[found["dialect"]].label),
        ("Read", ", ".join(read)),
        ("Not read", ", ".join(unread)),
        ("Decimals after", POINT_NAMES.get(point or "", "")),
        ("Stock", _stock(found)),
        (
            "A blank cell",
            ProductImport.Blank(
                product_import.options.get("blank") or ProductImport.Blank.KEEP
            ).label,
        ),
        (
            "Pictures",
            f"{found['pictures']:,} of the ZIP find their product" if "pictures" in found else "",
        ),
    ]
    return [(label, words) for label, words in pairs if words]


def _read(header: str, field: str) -> str:
    return header if header.casefold() == field.casefold() else f"{header} (as {field})"


def _stock(found: dict[str, Any]) -> str:
    if "stock" not in found["columns"]:
        return "not in the file"
    return ProductImport.Stock(found["stock"]).label
