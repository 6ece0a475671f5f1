"""What an import's page says and offers in each of its states."""

from typing import Any

from django.http import QueryDict

from shop.admin.import_forms import DELIMITERS, TermsForm
from shop.admin.import_rows import Rows
from shop.exchange import work
from shop.exchange.checking import DIALECTS, FREE
from shop.exchange.fixit import EXPLAINED
from shop.exchange.states import SAYS
from shop.models import Import
from shop.text import counted

State = Import.State
#: What is being done, or waits to be.
DOING = {
    work.CHECK: "Looking at each row",
    work.APPLY: "Writing to the catalogue",
    work.UNDO: "Taking it back",
    work.PICTURES: "Drawing pictures",
}
PILLS = {
    State.CHECKED: "pending",
    State.APPLIED: "delivered",
    State.FAILED: "out",
    State.CHECKING: "confirmed",
    State.APPLYING: "confirmed",
    State.UNDOING: "confirmed",
}
POINT_NAMES = {".": "a point", ",": "a comma"}


def context_of(
    import_: Import, asked: QueryDict, *, may_decide: bool, terms: TermsForm | None = None
) -> dict[str, Any]:
    """For the template: never more than one query for the rows and one for their number."""
    is_busy = bool(import_.asked) or import_.state in Import.AT_WORK
    is_open = may_decide and not is_busy and import_.state in FREE
    context: dict[str, Any] = {
        "import": import_,
        "pill": PILLS.get(State(import_.state), ""),
        "may_decide": may_decide,
        "is_busy": is_busy,
        "is_forgotten": work.is_forgotten(import_),
        "is_waiting": work.is_waiting(import_),
        "doing": DOING.get(import_.asked.get("step", ""), import_.get_state_display()),
        "so_far": f"{import_.done:,} of {import_.total:,} rows",
        "percent": 100 * import_.done // import_.total if import_.total else None,
        "found": _found(import_),
        "sentences": _sentences(import_),
        "terms": (terms or TermsForm(import_=import_)) if is_open else None,
        "apply": _apply(import_) if is_open and import_.state == State.CHECKED else None,
    }
    if import_.state == State.CLOSED:
        context["sentences"].append(SAYS[State.CLOSED])
    elif import_.counts and not is_busy:
        context["rows"] = Rows(import_, asked)
    return context


def _apply(import_: Import) -> dict[str, Any]:
    """The button in words, with what it does."""
    new, changed, wrong = (import_.counts.get(kind, 0) for kind in ("new", "changed", "wrong"))
    parts = []
    if new:
        parts.append(f"{new:,} new {'product' if new == 1 else 'products'}")
    if changed:
        parts.append(f"{changed:,} {'change' if changed == 1 else 'changes'}")
    what = " and ".join(parts)
    if not what and import_.found.get("pictures"):
        what = "the pictures"
    return {
        "what": what,
        "wrong": f"{wrong:,}" if wrong else "",
        "says_wrong": counted(wrong, "row is", "rows are"),
        "good": new + changed,
        "seen": import_.checked_at.isoformat() if import_.checked_at else "",
        # What was refused since the preview can be left out as well.
        "offers_good_only": bool(wrong or import_.error),
    }


def _sentences(import_: Import) -> list[str]:
    """What happened, as a person would say it."""
    result, said = import_.result, []
    if "new" in result:
        said.append(
            f"{counted(result['new'], 'product was', 'products were')} added, {result['changed']:,} changed."
        )
        if wrong := import_.counts.get("wrong"):
            said.append(f"{counted(wrong, 'wrong row was', 'wrong rows were')} left out.")
        if result.get("left"):
            said.append(f"{counted(result['left'], 'row was', 'rows were')} left out: see “Left out”.")
    if result.get("pictures"):
        said.append(f"{counted(result['pictures'], 'picture was', 'pictures were')} set.")
    if "restored" in result:
        said.append(
            f"Then it was taken back: {counted(result['removed'], 'product was', 'products were')} removed,"
            f" {result['restored']:,} restored."
        )
        if result.get("kept"):
            said.append(f"{counted(result['kept'], 'row stays', 'rows stay')}: see “Not taken back”.")
    return said


def _found(import_: Import) -> list[tuple[str, str]]:
    """What reading found, as pairs of label and words."""
    found = import_.found
    if not found:
        return []
    known = DIALECTS[found["dialect"]].known()
    kind = [found["format"], found["encoding"]]
    if sign := found["delimiter"]:
        kind.append(f"parted by {DELIMITERS.get(sign, sign)}")
    point = import_.options.get("point") or found.get("point")
    read = [_read(import_.headers[place], known[field][0]) for field, place in found["columns"].items()]
    unread = [header for header in found["unknown"] if header not in EXPLAINED]
    pairs = [
        ("File", ", ".join(filter(None, kind))),
        ("Columns of", DIALECTS[found["dialect"]].label),
        ("Read", ", ".join(read)),
        ("Not read", ", ".join(unread)),
        ("Decimals after", POINT_NAMES.get(point or "", "")),
        ("Stock", _stock(found)),
        ("A blank cell", Import.Blank(import_.options.get("blank") or Import.Blank.KEEP).label),
        ("Pictures", f"{found['pictures']:,} of the ZIP find their product" if "pictures" in found else ""),
    ]
    return [(label, words) for label, words in pairs if words]


def _read(header: str, field: str) -> str:
    return header if header.casefold() == field.casefold() else f"{header} (as {field})"


def _stock(found: dict[str, Any]) -> str:
    if "stock" not in found["columns"]:
        return "not in the file"
    return Import.Stock(found["stock"]).label
