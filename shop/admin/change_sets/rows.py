"""The rows on an import's page: tabs, search and pages of fifty, with old and new values."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from shop import exposure, text_validation
from shop.admin.change_sets.record_names import RecordNames
from shop.db.search_text import FoldedText
from shop.models import ChangeRow, ChangeSet, Product
from shop.services.audit import format_value

ROWS_PER_PAGE = 50
#: Characters of a value that are shown folded, and of all values that a page can unfold.
MAX_FOLDED, MAX_UNFOLDED = 100, 400_000
Status, Outcome = ChangeRow.Status, ChangeRow.Outcome
#: The tab that opens first is the first of these with rows.
TAB_PRIORITY = (
    Outcome.NOT_UNDONE,
    Outcome.LEFT_OUT,
    Status.ERROR,
    Status.NEW,
    Status.CHANGED,
    Status.SKIPPED,
    Status.UNCHANGED,
)


@dataclass
class RowTable:
    """The rows selected by the page's query string, such as `?show=changed&q=mug&page=2`."""

    change_set: ChangeSet
    parameters: QueryDict

    @cached_property
    def tabs(self) -> list[dict[str, Any]]:
        """A tab per status with its count, and one per outcome that has rows."""
        counts, result = self.change_set.counts, self.change_set.result
        is_file = self.change_set.kind == ChangeSet.Kind.FILE
        tabs = [
            (status.value, str(status.label), counts.get(status, 0))
            for status in Status
            if is_file or counts.get(status)
        ]
        tabs += [
            (outcome.value, str(outcome.label), result[outcome])
            for outcome in (Outcome.LEFT_OUT, Outcome.NOT_UNDONE)
            if result.get(outcome)
        ]
        return [
            {"name": name, "label": label, "count": count, "count_text": f"{count:,}"}
            for name, label, count in tabs
        ]

    @cached_property
    def current_tab(self) -> str:
        """The requested tab, else the first that has rows by `TAB_PRIORITY`."""
        counts = {tab["name"]: tab["count"] for tab in self.tabs}
        requested = self.parameters.get("show", "")
        if requested in counts:
            return requested
        return next((name.value for name in TAB_PRIORITY if counts.get(name)), Status.NEW.value)

    @property
    def search_term(self) -> str:
        """The SKU or name that is searched for."""
        return text_validation.trim_text(self.parameters.get("q", ""))

    @cached_property
    def page(self) -> Page[ChangeRow]:
        """Fifty rows. Without a search their number is known and costs no query."""
        field = "outcome" if self.current_tab in Outcome.values else "status"
        rows = self.change_set.rows.filter(**{field: self.current_tab})
        rows = rows.order_by("number").defer("cells")
        if term := self.search_term:
            rows = rows.alias(text=FoldedText("sku", "name")).filter(text__icontains=term)
        paginator = Paginator(rows, ROWS_PER_PAGE)
        if not self.search_term:
            counts = {tab["name"]: tab["count"] for tab in self.tabs}
            paginator.__dict__["count"] = counts[self.current_tab]
        page: Page[ChangeRow] = paginator.get_page(self.parameters.get("page"))
        return page

    def page_rows(self) -> Iterator[dict[str, Any]]:
        """Yield the page's rows with their changes."""
        rows = list(self.page.object_list)
        names = RecordNames(self.change_set, rows)
        for row in rows:
            yield {
                "row": row,
                "changes": list(_row_changes(row, names, limit=MAX_UNFOLDED // (2 * len(rows)))),
                "has_product": row.product_id and row.outcome != Outcome.UNDONE,
            }


def _row_changes(row: ChangeRow, names: RecordNames, *, limit: int) -> Iterator[dict[str, Any]]:
    """Yield each changed field's label, old and new value; of a new product its filled fields."""
    # A row may have fields that were removed from the model since then.
    known = {field.name: field for field in exposure.all_fields(Product)}
    for name, after in row.after.items():
        if name not in known:
            continue
        if row.status == Status.NEW and (name in {"sku", "name"} or after in ("", None, [])):
            continue
        field = known[name]
        old = _format_value(field, row.before[name], names) if name in row.before else None
        yield {
            "label": field.verbose_name,
            "old": None if old is None else _foldable_text(old, limit),
            "new": _foldable_text(_format_value(field, after, names), limit),
        }
    if row.status == Status.NEW and row.delta:
        yield {"label": _("stock"), "old": None, "new": {"folded": f"{row.delta:,}"}}


def _format_value(field: exposure.Field, value: Any, names: RecordNames) -> str:
    if field.is_relation:
        return names.format(field, value) or format_value("")
    known = dict(field.flatchoices).get(value, value) if field.choices else value
    return str(known) if isinstance(known, str) and known else format_value(known)


def _foldable_text(text: str, limit: int) -> dict[str, str]:
    """Return a text; a long one folded, with up to `limit` characters to unfold."""
    if len(text) <= MAX_FOLDED:
        return {"folded": text}
    unfolded = text
    if len(text) > limit:
        more = _("… (%(count)s characters more: search for this row to see them)")
        unfolded = text[:limit] + more % {"count": f"{len(text) - limit:,}"}
    return {"folded": f"{text[: MAX_FOLDED - 1]}…", "unfolded": unfolded}
