"""The template context of a change set's page in each state."""

from collections.abc import Iterator
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from shop.admin.change_sets.forms import DELIMITER_LABELS, NUMBER_FORMATS, ReadingOptionsForm
from shop.admin.change_sets.messages import describe_result
from shop.admin.change_sets.rows import RowTable
from shop.models import ChangeRow, ChangeSet
from shop.models.order_status import Role
from shop.product_files.imports import runner
from shop.product_files.imports.error_report import REPORT_HEADERS
from shop.product_files.imports.preview import CHECKABLE_STATES, FILE_FORMATS
from shop.product_files.imports.relations import created_entries, list_names
from shop.services.change_sets.locking import STATE_ERRORS
from shop.services.change_sets.missing import known_entries

State, Status = ChangeSet.State, ChangeRow.Status
#: Step -> what the page says while it is pending or running.
PROGRESS_LABELS = {
    runner.PREVIEW: gettext_lazy("Checking the rows"),
    runner.APPLY: gettext_lazy("Applying the changes"),
    runner.UNDO: gettext_lazy("Undoing the import"),
    runner.PICTURES: gettext_lazy("Adding the pictures"),
}
STATE_ROLES: dict[str, Role] = {
    State.CHECKED: "warning",
    State.APPLIED: "success",
    State.FAILED: "danger",
    State.CHECKING: "info",
    State.APPLYING: "info",
    State.UNDOING: "info",
}


def page_context(
    change_set: ChangeSet,
    query: QueryDict,
    *,
    user: Any,
    may_decide: bool,
    form: ReadingOptionsForm | None = None,
) -> dict[str, Any]:
    """Return the context. The rows cost at most one query, and one more to count a search."""
    is_busy = bool(change_set.pending_step) or change_set.state in ChangeSet.IN_PROGRESS
    is_open = may_decide and not is_busy and change_set.state in CHECKABLE_STATES
    if is_open and form is None:
        form = ReadingOptionsForm(change_set=change_set, user=user)
    is_checked = is_open and change_set.state == State.CHECKED
    context: dict[str, Any] = {
        "change_set": change_set,
        "role": STATE_ROLES.get(State(change_set.state), "neutral"),
        "may_decide": may_decide,
        "is_busy": is_busy,
        "reading": _reading_summary(change_set),
        "results": _result_sentences(change_set),
        "form": form if is_open else None,
        "apply": _apply_context(change_set) if is_checked else None,
        **_progress_context(change_set),
    }
    if change_set.state == State.CLOSED:
        context["results"].append(STATE_ERRORS[State.CLOSED])
    elif change_set.counts and not is_busy:
        context["rows"] = RowTable(change_set, query)
    return context


def _progress_context(change_set: ChangeSet) -> dict[str, Any]:
    checked, total = change_set.rows_checked, change_set.rows_total
    step = change_set.pending_step.get("step", "")
    progress = _("%(checked)s of %(total)s rows")
    return {
        "is_abandoned": runner.is_abandoned(change_set),
        "is_waiting": runner.is_waiting(change_set),
        "progress_label": PROGRESS_LABELS.get(step, change_set.get_state_display()),
        "progress": progress % {"checked": f"{checked:,}", "total": f"{total:,}"},
        "percent": 100 * checked // total if total else None,
    }


def _apply_context(change_set: ChangeSet) -> dict[str, Any]:
    """Return the numbers of rows to apply and with errors, and the texts about them."""
    statuses = (Status.NEW, Status.CHANGED, Status.ERROR)
    new, changed, errors = (change_set.counts.get(status, 0) for status in statuses)
    message = ngettext("%(count)s row has errors.", "%(count)s rows have errors.", errors)
    return {
        "changes": _describe_changes(new, changed, change_set.detected.get("pictures", 0)),
        "row_count": new + changed,
        "created": list(list_names(created_entries(change_set))),
        "error_count": errors,
        "error_message": message % {"count": f"{errors:,}"},
        "seen": change_set.checked_at.isoformat() if change_set.checked_at else "",
        # Conflicts that were found when applying can be left out as well.
        "offers_good_only": bool(errors or change_set.error),
    }


def _describe_changes(new: int, changed: int, pictures: int) -> str:
    """Name what the Apply button does, such as "3 new products and 1 change"."""
    added = ngettext("%(count)s new product", "%(count)s new products", new)
    added %= {"count": f"{new:,}"}
    edited = ngettext("%(count)s change", "%(count)s changes", changed)
    edited %= {"count": f"{changed:,}"}
    if new and changed:
        return _("%(added)s and %(changed)s") % {"added": added, "changed": edited}
    if new or changed:
        return added if new else edited
    return _("pictures") if pictures else ""


def _result_sentences(change_set: ChangeSet) -> list[str]:
    """Say what applying and undoing changed."""
    return [*_apply_sentences(change_set), *_undo_sentences(change_set)]


def _format_counts(message: str, **counts: int) -> str:
    return message % {name: f"{count:,}" for name, count in counts.items()}


def _apply_sentences(change_set: ChangeSet) -> Iterator[str]:
    result = change_set.result
    if "changed" in result and change_set.kind != ChangeSet.Kind.FILE:
        yield describe_result(change_set)
    if "new" in result:
        message = ngettext(
            "%(new)s product was added, %(changed)s changed.",
            "%(new)s products were added, %(changed)s changed.",
            result["new"],
        )
        yield _format_counts(message, new=result["new"], changed=result["changed"])
        if errors := change_set.counts.get(Status.ERROR):
            message = ngettext(
                "%(count)s row with errors was left out.",
                "%(count)s rows with errors were left out.",
                errors,
            )
            yield _format_counts(message, count=errors)
        if left_out := result.get("left_out"):
            message = ngettext(
                "%(count)s row was left out: see “Left out”.",
                "%(count)s rows were left out: see “Left out”.",
                left_out,
            )
            yield _format_counts(message, count=left_out)
    for names in list_names(known_entries(change_set, "created")):
        yield _("Created: %(names)s.") % {"names": names}
    if count := result.get("pictures"):
        message = ngettext("%(count)s picture was added.", "%(count)s pictures were added.", count)
        yield _format_counts(message, count=count)


def _undo_sentences(change_set: ChangeSet) -> Iterator[str]:
    result = change_set.result
    if "restored" in result:
        removed, restored = result["removed"], result["restored"]
        if change_set.kind == ChangeSet.Kind.FILE:
            message = ngettext(
                "The import was undone: %(removed)s product was removed and %(restored)s restored.",
                "The import was undone: %(removed)s products were removed and %(restored)s"
                " restored.",
                removed,
            )
        else:
            message = ngettext(
                "Undone: %(restored)s product is as it was before.",
                "Undone: %(restored)s products are as they were before.",
                restored,
            )
        yield _format_counts(message, removed=removed, restored=restored)
        if not_undone := result.get("not_undone"):
            message = ngettext(
                "%(count)s row was not undone: see “Not undone”.",
                "%(count)s rows were not undone: see “Not undone”.",
                not_undone,
            )
            yield _format_counts(message, count=not_undone)
        if count := result.get("created_removed"):
            message = ngettext(
                "%(count)s record that the import had created was removed.",
                "%(count)s records that the import had created were removed.",
                count,
            )
            yield _format_counts(message, count=count)
        if kept := change_set.detected.get("kept"):
            message = _("Kept, because they were edited or are in use: %(names)s.")
            yield message % {"names": ", ".join(kept)}


def _reading_summary(change_set: ChangeSet) -> list[tuple[str, Any]]:
    """Return how the file was read, as pairs of label and text."""
    detected, options = change_set.detected, change_set.options
    if "file_format" not in detected:
        return []
    file_format = FILE_FORMATS[detected["file_format"]]
    known, delimiter = file_format.known(), detected["delimiter"]
    columns = [
        # A field may have been removed from the model since then.
        _column_text(change_set.headers[index], known.get(field, (field,))[0])
        for field, index in detected["columns"].items()
    ]
    ignored = [name for name in detected["unknown_headers"] if name not in REPORT_HEADERS]
    decimal_mark = options.get("decimal_mark") or detected.get("decimal_mark") or ""
    blank_cells = options.get("blank_cells") or ChangeSet.BlankCells.KEEP
    stock = _("Not in the file")
    if "stock" in detected["columns"]:
        stock = str(ChangeSet.StockMode(detected["stock_mode"]).label)
    pictures = detected.get("pictures")
    matched = ngettext("%(count)s matches a row", "%(count)s match a row", pictures or 0)
    pairs = [
        (_("File"), ", ".join(filter(None, [detected["file_type"], detected["encoding"]]))),
        (_("Separator"), DELIMITER_LABELS.get(delimiter, delimiter)),
        (_("Format"), file_format.label),
        (_("Imported columns"), ", ".join(columns)),
        (_("Ignored columns"), ", ".join(ignored)),
        (_("Number format"), NUMBER_FORMATS.get(decimal_mark, "")),
        (_("Stock"), stock),
        (_("Blank cells"), ChangeSet.BlankCells(blank_cells).label),
        (_("Pictures"), matched % {"count": f"{pictures:,}"} if pictures is not None else ""),
    ]
    return [(label, text) for label, text in pairs if text]


def _column_text(header: str, field: str) -> str:
    if header.casefold() == field.casefold():
        return header
    return _("%(header)s (as %(field)s)") % {"header": header, "field": field}
