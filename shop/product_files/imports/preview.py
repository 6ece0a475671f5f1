"""Check an uploaded file row by row against the catalogue, without changing the catalogue."""

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import batched
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from shop.db.transactions import atomically
from shop.models import ChangeSet, ImportFile, User
from shop.product_files.formats import file_formats
from shop.product_files.formats.column_matching import match_columns
from shop.product_files.formats.file_formats import FileFormat
from shop.product_files.formats.parsed_row import ParsedRow, is_remote
from shop.product_files.imports.field_parsing import MONEY_FIELDS, RELATIONS
from shop.product_files.imports.relations import RelatedNames
from shop.product_files.imports.unique_values import RepeatedValues
from shop.product_files.imports.validation import (
    ImportSettings,
    RowDraft,
    Status,
    StockMode,
    validate_rows,
)
from shop.product_files.reading import number_parsing
from shop.product_files.reading.sheets import Sheet, open_sheet
from shop.services.change_sets.locking import State, claim, release, send_heartbeat
from shop.services.change_sets.row_store import RowRecord, store_rows
from shop.services.errors import ConcurrentUpdate, FileRefused

ROWS_PER_TRANSACTION = 2000
FILE_FORMATS = {
    file_format.name: file_format
    for file_format in vars(file_formats).values()
    if isinstance(file_format, FileFormat)
}
CHECKABLE_STATES = (State.UPLOADED, State.CHECKED, State.FAILED)
#: Option -> the question to staff if it could not be detected.
QUESTIONS = {
    "decimal_mark": gettext_lazy(
        "Some prices, such as 1,800, can be read in two ways. Which number format has this file?"
    ),
    "stock_mode": gettext_lazy("This file has stock numbers. What should we do with them?"),
}
#: Shares above which a price change, or products that fall to zero stock, are warned of.
LARGE_PRICE_CHANGE, LARGE_SOLD_OUT_SHARE = 0.5, 0.5


@atomically
def store_upload(
    *, actor: User, name: str, content: bytes, options: dict[str, Any] | None = None
) -> ChangeSet:
    """Store an uploaded file as a new import; `preview_import` is the next step."""
    change_set = ChangeSet.objects.create(actor=actor, name=name[-200:], options=options or {})
    ImportFile.objects.create(change_set=change_set, content=content)
    return change_set


def preview_import(change_set: ChangeSet) -> None:
    """Compute each row's changes: set the import's `rows`, `counts`, `warnings` and `detected`.

    Reads the file twice: first for what applies to all of it, then in batches, each stored in a
    short transaction. May be repeated until the import is applied. A file that cannot be read sets
    the state to failed, with the error.

    Raises ImportNotReady; ConcurrentUpdate if another worker has taken over.
    """
    heartbeat_at = claim(change_set.pk, State.CHECKING, from_states=CHECKABLE_STATES)
    run = _PreviewRun(change_set, heartbeat_at)
    try:
        run.run()
    except FileRefused as error:
        release(change_set.pk, run.heartbeat_at, State.FAILED, error=str(error))
    except ConcurrentUpdate:
        raise
    except Exception:
        message = _("Something went wrong. Check the file again.")
        release(change_set.pk, run.heartbeat_at, State.FAILED, error=message)
        raise
    finally:
        change_set.refresh_from_db()


def open_upload(change_set: ChangeSet) -> tuple[Sheet, FileFormat]:
    """Open the uploaded table with the options that staff chose; raises FileRefused."""
    options = change_set.options
    upload = ImportFile.objects.get(pk=change_set.pk)
    sheet = open_sheet(
        io.BytesIO(upload.content),
        change_set.name,
        encoding=options.get("encoding", ""),
        delimiter=options.get("delimiter", ""),
    )
    chosen = FILE_FORMATS.get(options.get("file_format", ""))
    file_format = chosen or file_formats.detect_format(sheet.headers)
    if columns := options.get("columns"):
        sheet = replace(sheet, headers=_rename_headers(sheet.headers, file_format, columns))
    return sheet, file_format


def _rename_headers(
    headers: list[str], file_format: FileFormat, columns: dict[str, int]
) -> list[str]:
    """Name the chosen columns like their fields, and blank the columns matched to these before."""
    known = file_format.known()
    matched = match_columns(headers, known).places
    renamed = list(headers)
    for name in columns.keys() & matched.keys():
        renamed[matched[name]] = ""
    for name, index in columns.items():
        if name in known and 0 <= index < len(renamed):
            renamed[index] = known[name][0]
    return renamed


def _describe_file(sheet: Sheet, file_format: FileFormat) -> dict[str, Any]:
    """Return the `detected` values that come from the file's format and headers."""
    columns = match_columns(sheet.headers, file_format.known())
    return {
        "file_type": sheet.format,
        "encoding": sheet.encoding,
        "delimiter": sheet.delimiter,
        "file_format": file_format.name,
        "columns": columns.places,
        "unknown_headers": columns.unknown,
        "suggestions": columns.suggestions,
    }


@dataclass
class _PreviewRun:
    """One preview, with its counters."""

    change_set: ChangeSet
    heartbeat_at: datetime
    rows_total: int = 0
    rows_checked: int = 0
    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(Status.values, 0)))
    observed: Counter[str] = field(default_factory=Counter)
    #: Fields that any row changes of an existing product.
    changed_fields: set[str] = field(default_factory=set)

    def run(self) -> None:
        # The old rows are deleted first, so that no outdated preview can be applied.
        with transaction.atomic():
            self._save(
                rows_checked=0, rows_total=0, counts={}, warnings=[], detected={}, headers=[]
            )
            self.change_set.rows.all().delete()

        sheet, file_format = open_upload(self.change_set)
        settings, detected = self._scan(sheet, file_format)
        self._save(rows_total=self.rows_total, detected=detected, headers=sheet.headers)

        parsed_rows = file_formats.parse_rows(sheet, file_format)
        for batch in batched(parsed_rows, ROWS_PER_TRANSACTION):
            validated = validate_rows(batch, settings)
            self.rows_checked += len(validated)
            for record, draft in validated:
                self._count(record, draft)
                settings.names.note_used(record.after)
            with transaction.atomic():
                self._save(rows_checked=self.rows_checked)
                store_rows(record for record, _draft in validated)

        self._save(
            state=State.CHECKED,
            checked_at=timezone.now(),
            counts=dict(self.counts),
            warnings=self._warnings(settings),
            detected=detected
            | {
                "changed_fields": sorted(self.changed_fields),
                "missing": settings.names.missing,
            },
        )

    def _save(self, **columns: Any) -> None:
        self.heartbeat_at = send_heartbeat(self.change_set.pk, self.heartbeat_at, **columns)

    def _scan(self, sheet: Sheet, file_format: FileFormat) -> tuple[ImportSettings, dict[str, Any]]:
        """Read the whole file once for its decimal mark, repeated values and stock columns."""
        repeated = RepeatedValues()
        fields: set[str] = set()

        def prices() -> Iterator[str]:
            for parsed in self._count_lines(file_formats.parse_rows(sheet, file_format)):
                fields.update(parsed.values)
                self.observed["remote_pictures"] += any(map(is_remote, parsed.all_pictures))
                repeated.add(parsed)
                yield from (parsed.values[name] for name in MONEY_FIELDS if name in parsed.values)

        decimal_mark = number_parsing.detect_decimal_mark(prices())
        options = self.change_set.options
        stock_mode = self._stock_mode(fields)
        questions = []
        if decimal_mark is None and not options.get("decimal_mark"):
            questions.append("decimal_mark")
        if stock_mode is None:
            questions.append("stock_mode")

        settings = ImportSettings(
            change_set_id=self.change_set.pk,
            decimal_mark=options.get("decimal_mark") or decimal_mark,
            stock_mode=stock_mode or StockMode.LEAVE.value,
            clear_blanks=options.get("blank_cells") == ChangeSet.BlankCells.CLEAR,
            repeated=repeated,
            names=RelatedNames(RELATIONS, options.get("create_missing", ())),
        )
        detected = {
            "decimal_mark": decimal_mark,
            "stock_mode": settings.stock_mode,
            "questions": questions,
            "remote_pictures": self.observed["remote_pictures"],
        }
        return settings, detected | _describe_file(sheet, file_format)

    def _stock_mode(self, fields: set[str]) -> str | None:
        """Return what to do with the stock in the file; None if staff must say.

        Without the right to move stock it is left as it is.
        """
        if not self.change_set.actor.has_perm("shop.manage_stock"):
            return StockMode.LEAVE.value
        if chosen := self.change_set.options.get("stock_mode"):
            return str(chosen)
        if "stock_was" in fields:
            return StockMode.DIFFERENCE.value
        return None if "stock" in fields else StockMode.LEAVE.value

    def _count_lines(self, parsed_rows: Iterable[ParsedRow]) -> Iterator[ParsedRow]:
        for parsed in parsed_rows:
            self.rows_total += 1
            if self.rows_total % (5 * ROWS_PER_TRANSACTION) == 0:
                self._save()
            yield parsed

    def _count(self, record: RowRecord, draft: RowDraft) -> None:
        """Count the row's status and what the warnings are about."""
        self.counts[record.status] += 1
        self.changed_fields.update(record.before)
        self.observed["no_sku"] += record.status == Status.NEW and not draft.sku
        old_price = float(record.before.get("price") or 0)
        if old_price:
            change = abs(float(record.after["price"]) - old_price)
            self.observed["price_changes"] += change > LARGE_PRICE_CHANGE * old_price
        had_stock = draft.product and draft.product["stock"]
        if had_stock and draft.stock is not None and not draft.problems:
            self.observed["had_stock"] += 1
            self.observed["sold_out"] += draft.stock == 0

    def _warnings(self, settings: ImportSettings) -> list[str]:
        observed, warnings = self.observed, []
        if count := observed["price_changes"]:
            message = ngettext(
                "%(count)s price changes by more than %(share)s.",
                "%(count)s prices change by more than %(share)s.",
                count,
            )
            warnings.append(message % {"count": f"{count:,}", "share": f"{LARGE_PRICE_CHANGE:.0%}"})
        sold_out, had_stock = observed["sold_out"], observed["had_stock"]
        if sold_out and sold_out >= LARGE_SOLD_OUT_SHARE * had_stock:
            message = _("%(share)s of the products with stock in this file fall to 0.")
            warnings.append(message % {"share": f"{sold_out / had_stock:.0%}"})
        if count := settings.repeated.count("sku"):
            message = _("%(count)s rows share a SKU with another row. Keep one row per SKU.")
            warnings.append(message % {"count": f"{count:,}"})
        if count := observed["no_sku"]:
            message = ngettext(
                "%(count)s new row has no SKU. We generate one.",
                "%(count)s new rows have no SKU. We generate one for each.",
                count,
            )
            warnings.append(message % {"count": f"{count:,}"})
        if count := observed["remote_pictures"]:
            message = ngettext(
                "%(count)s row has a picture on another server. We don't fetch it;"
                " you can download its URL.",
                "%(count)s rows have pictures on another server. We don't fetch them;"
                " you can download their URLs.",
                count,
            )
            warnings.append(message % {"count": f"{count:,}"})
        return warnings
