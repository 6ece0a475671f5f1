"""An uploaded file, read and held against the catalogue row by row. The catalogue is not touched."""

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import batched
from typing import Any

from django.db import transaction
from django.utils import timezone

from shop.db.transactions import atomically
from shop.models import ImportFile, ProductImport, User
from shop.product_files.formats import file_formats
from shop.product_files.formats.column_matching import match_columns
from shop.product_files.formats.file_formats import FileFormat
from shop.product_files.formats.parsed_row import ParsedRow, is_remote
from shop.product_files.imports.field_parsing import MONEY
from shop.product_files.imports.locking import State, claim, heartbeat, release
from shop.product_files.imports.row_store import StoredRow, store_rows
from shop.product_files.imports.validation import (
    Draft,
    ImportSettings,
    Status,
    sku_key,
    validate_rows,
)
from shop.product_files.reading import number_parsing
from shop.product_files.reading.sheets import Sheet, open_sheet
from shop.services.errors import ConcurrentUpdate, FileRefused
from shop.text_validation import pluralize

BATCH = 2000
DIALECTS = {
    dialect.name: dialect
    for dialect in vars(file_formats).values()
    if isinstance(dialect, FileFormat)
}
FREE = (State.UPLOADED, State.CHECKED, State.FAILED)
POINT = "Some prices, such as 1,800, can be read in two ways. Say which sign the decimals have in this file."
STOCK = "The file has a stock, but not what it was at export. Say what to do with it; until then it is left."
#: Up to this share, prices move and stocks run out as they do; above it somebody should look.
MUCH, MOST = 0.5, 0.5


@atomically
def store_upload(
    *, actor: User, name: str, content: bytes, options: dict[str, Any] | None = None
) -> ProductImport:
    """Keep a file that somebody brought; `check` comes next."""
    product_import = ProductImport.objects.create(
        actor=actor, name=name[-200:], options=options or {}
    )
    ImportFile.objects.create(product_import=product_import, content=content)
    return product_import


def preview_import(product_import: ProductImport) -> None:
    """Say of each row what it would do: `rows`, `counts`, `warnings` and `found` of the import.

    It goes through the file twice: to see what holds for all of it, then batch by batch, each in a short
    transaction. It may be called again at any time before the import is applied, and starts anew. A file that
    cannot be read leaves the import failed, with the reason. Raises ImportNotReady, and Overtaken when
    somebody else has begun anew meanwhile.
    """
    check_ = _Check(product_import, claim(product_import.pk, State.CHECKING, of=FREE))
    try:
        check_.run()
    except FileRefused as error:
        release(product_import.pk, check_.heartbeat_at, State.FAILED, error=str(error))
    except ConcurrentUpdate:
        raise
    except Exception:
        release(
            product_import.pk,
            check_.heartbeat_at,
            State.FAILED,
            error="Something went wrong here. Check it again.",
        )
        raise
    finally:
        product_import.refresh_from_db()


def open_upload(product_import: ProductImport) -> tuple[Sheet, FileFormat]:
    """The uploaded table, with staff's choices in place of what was found; raises FileRefused."""
    chosen = product_import.options
    upload = ImportFile.objects.get(pk=product_import.pk)
    sheet = open_sheet(
        io.BytesIO(upload.content),
        product_import.name,
        encoding=chosen.get("encoding", ""),
        delimiter=chosen.get("delimiter", ""),
    )
    dialect = DIALECTS.get(chosen.get("dialect", "")) or file_formats.detect_format(sheet.headers)
    if columns := chosen.get("columns"):
        sheet = replace(sheet, headers=_renamed(sheet.headers, dialect, columns))
    return sheet, dialect


def _shape(sheet: Sheet, dialect: FileFormat) -> dict[str, Any]:
    """What kind of file it is and which column is what, for the page to show and to correct."""
    columns = match_columns(sheet.headers, dialect.known())
    return {
        "format": sheet.format,
        "encoding": sheet.encoding,
        "delimiter": sheet.delimiter,
        "dialect": dialect.name,
        "columns": columns.places,
        "unknown": columns.unknown,
        "suggestions": columns.suggestions,
    }


def _renamed(headers: list[str], dialect: FileFormat, columns: dict[str, int]) -> list[str]:
    """The headers as if the chosen columns had the names of their fields, and nothing else had."""
    known = dialect.known()
    found = match_columns(headers, known).places
    done = list(headers)
    for name in columns.keys() & found.keys():
        done[found[name]] = ""
    for name, place in columns.items():
        if name in known and 0 <= place < len(done):
            done[place] = known[name][0]
    return done


@dataclass
class _Check:
    product_import: ProductImport
    heartbeat_at: datetime
    count: int = 0
    done: int = 0
    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(Status.values, 0)))
    seen: Counter[str] = field(default_factory=Counter)
    #: Fields that any row changes of a product that is there.
    changes: set[str] = field(default_factory=set)

    def run(self) -> None:
        # An old preview must not be applied while the new one is made, so its rows go first.
        with transaction.atomic():
            self._beat(done=0, total=0, counts={}, warnings=[], found={}, headers=[])
            self.product_import.rows.all().delete()
        sheet, dialect = open_upload(self.product_import)
        terms, found = self._look_through(sheet, dialect)
        self._beat(total=self.count, found=found, headers=sheet.headers)
        for lines in batched(file_formats.parse_rows(sheet, dialect), BATCH):
            judged = validate_rows(lines, terms)
            self.done += len(judged)
            for row, draft in judged:
                self._note(row, draft)
            with transaction.atomic():
                self._beat(done=self.done)
                store_rows(row for row, _ in judged)
        warnings = self._warnings(terms)
        found |= {"changes": sorted(self.changes)}
        now, counts = timezone.now(), dict(self.counts)
        self._beat(
            state=State.CHECKED, checked_at=now, counts=counts, warnings=warnings, found=found
        )

    def _beat(self, **columns: Any) -> None:
        self.heartbeat_at = heartbeat(self.product_import.pk, self.heartbeat_at, **columns)

    def _look_through(
        self, sheet: Sheet, dialect: FileFormat
    ) -> tuple[ImportSettings, dict[str, Any]]:
        """What holds for the whole file: its decimal sign, its repeated SKUs, what it says of stock."""
        first: dict[str, int] = {}
        repeated: dict[str, list[int]] = {}
        fields: set[str] = set()

        def prices() -> Iterator[str]:
            for line in self._counted(file_formats.parse_rows(sheet, dialect)):
                fields.update(line.values)
                self.seen["remote"] += any(map(is_remote, line.pictures))
                key = sku_key(line)
                if key and first.setdefault(key, line.number) != line.number:
                    repeated.setdefault(key, [first[key]]).append(line.number)
                yield from (line.values[name] for name in MONEY if name in line.values)

        point = number_parsing.detect_decimal_mark(prices())
        chosen = self.product_import.options
        by_itself = (
            ProductImport.Stock.DIFFERENCE if "stock_was" in fields else ProductImport.Stock.LEAVE
        )
        stock = chosen.get("stock") or by_itself.value
        questions = {}
        if point is None and not chosen.get("point"):
            questions["point"] = POINT
        if "stock" in fields and "stock_was" not in fields and not chosen.get("stock"):
            questions["stock"] = STOCK
        clears = chosen.get("blank") == ProductImport.Blank.CLEAR
        terms = ImportSettings(
            self.product_import.pk, chosen.get("point") or point, stock, clears, repeated
        )
        found = {
            "point": point,
            "stock": stock,
            "questions": questions,
            "remote": self.seen["remote"],
        }
        return terms, found | _shape(sheet, dialect)

    def _counted(self, lines: Iterable[ParsedRow]) -> Iterator[ParsedRow]:
        for line in lines:
            self.count += 1
            if self.count % (5 * BATCH) == 0:
                self._beat()
            yield line

    def _note(self, row: StoredRow, draft: Draft) -> None:
        """Count what the warnings are made of."""
        self.counts[row.status] += 1
        self.changes.update(row.before)
        self.seen["no_sku"] += row.status == Status.NEW and not draft.sku
        old = row.before.get("price")
        if old is not None and float(old):
            self.seen["price_leaps"] += abs(float(row.after["price"]) - float(old)) > MUCH * float(
                old
            )
        if (
            draft.product
            and draft.product["stock"]
            and draft.stock is not None
            and not draft.problems
        ):
            self.seen["had_stock"] += 1
            self.seen["sold_out"] += draft.stock == 0

    def _warnings(self, terms: ImportSettings) -> list[str]:
        seen, found = self.seen, []
        if leaps := seen["price_leaps"]:
            found.append(
                f"{pluralize(leaps, 'price changes', 'prices change')} by more than {MUCH:.0%}."
            )
        if seen["sold_out"] and seen["sold_out"] >= MOST * seen["had_stock"]:
            share = seen["sold_out"] / seen["had_stock"]
            found.append(f"{share:.0%} of the products with stock in this file fall to 0.")
        if repeated := sum(map(len, terms.repeated.values())):
            found.append(f"{repeated:,} rows have a SKU that another row has too.")
        if blank := seen["no_sku"]:
            found.append(
                f"{pluralize(blank, 'new row has', 'new rows have')} no SKU. One is made for each."
            )
        if remote := seen["remote"]:
            named = pluralize(remote, "row names a picture", "rows name pictures")
            found.append(
                f"{named} on another server. They are not fetched; the list can be downloaded."
            )
        return found
