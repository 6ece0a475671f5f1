"""The rows of an import's page: tabs, a search, fifty at a time, each change with its old and new value."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db import models
from django.http import QueryDict
from django.utils.functional import cached_property

from shop import exposure
from shop.models import ImportRow, Product, ProductImport
from shop.services.audit import format_value

PER_PAGE = 50
#: Characters of a value that stand in the line, and of all that a page unfolds.
SHORT, LONG = 100, 400_000
Status, Outcome = ImportRow.Status, ImportRow.Outcome
#: A wrong row has to be seen to first.
ORDER = (Status.WRONG, Status.NEW, Status.CHANGED, Status.SKIPPED, Status.SAME)
LEFT, KEPT = "left", "kept"


@dataclass
class RowTable:
    """What the page's address asks for: `?show=changed&q=mug&page=2`."""

    product_import: ProductImport
    asked: QueryDict

    @cached_property
    def tabs(self) -> list[dict[str, Any]]:
        """Each kind with its count; what was left or kept only where there is some."""
        counts, result = self.product_import.counts, self.product_import.result
        tabs: list[tuple[str, str, int]] = [(v.value, v.label, counts.get(v, 0)) for v in Status]
        tabs += [
            (key, label, result[key])
            for key, label in ((LEFT, "Left out"), (KEPT, "Not taken back"))
            if result.get(key)
        ]
        return [
            {"name": name, "label": label, "count": count, "shown": f"{count:,}"}
            for name, label, count in tabs
        ]

    @cached_property
    def here(self) -> str:
        """The tab that is open; by itself the first that has rows and asks for attention."""
        wanted = self.asked.get("show", "")
        counts = {tab["name"]: tab["count"] for tab in self.tabs}
        if wanted in counts:
            return wanted
        order = (KEPT, LEFT, *(status.value for status in ORDER))
        return next((name for name in order if counts.get(name)), Status.NEW.value)

    @property
    def query(self) -> str:
        """What is searched for."""
        return self.asked.get("q", "").replace("\x00", "").strip()

    @cached_property
    def page(self) -> Page[ImportRow]:
        """Fifty rows. Their number is known already, unless they are searched."""
        by = {"outcome": self.here} if self.here in {LEFT, KEPT} else {"status": self.here}
        found = self.product_import.rows.filter(**by).order_by("number").defer("cells")
        if self.query:
            found = found.filter(
                models.Q(sku__icontains=self.query) | models.Q(name__icontains=self.query)
            )
        paginator = Paginator(found, PER_PAGE)
        if not self.query:
            paginator.__dict__["count"] = next(
                t["count"] for t in self.tabs if t["name"] == self.here
            )
        page: Page[ImportRow] = paginator.get_page(self.asked.get("page"))
        return page

    def lines(self) -> Iterator[dict[str, Any]]:
        """The page's rows as they are shown."""
        rows = list(self.page.object_list)
        for row in rows:
            yield {
                "row": row,
                "fields": list(_fields(row, longest=LONG // (2 * len(rows)))),
                "is_there": row.product_id and row.outcome != Outcome.UNDONE,
            }


def _fields(row: ImportRow, *, longest: int) -> Iterator[dict[str, Any]]:
    """Old and new of what a row changes; of a new product what it has."""
    for name, after in row.after.items():
        if row.status == Status.NEW and (name in {"sku", "name"} or after in {"", None}):
            continue
        field = exposure.get_field(Product, name)
        yield {
            "label": field.verbose_name,
            "old": _value(field, row.before[name], longest) if name in row.before else None,
            "new": _value(field, after, longest),
        }
    if row.status == Status.NEW and row.delta:
        yield {"label": "stock", "old": None, "new": {"short": f"{row.delta:,}"}}


def _value(field: exposure.Field, value: Any, longest: int) -> dict[str, str]:
    """A value in words; a long one short, with the whole to unfold: of many very long ones, when searched."""
    known = dict(field.flatchoices).get(value, value) if field.choices else value
    text = format_value(known) if not isinstance(known, str) else known or "nothing"
    if len(text) <= SHORT:
        return {"short": text}
    more = f"… ({len(text) - longest:,} characters more: search for this row to see them)"
    whole = text if len(text) <= longest else f"{text[:longest]}{more}"
    return {"short": f"{text[: SHORT - 1]}…", "whole": whole}
