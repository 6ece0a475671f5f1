"""The rows that are wrong, as a file to mend: its own columns, behind what is wrong and what could be right.

Corrected, it is imported as it is. In front the two columns are seen first, and a row that has too many
cells can still be told from them.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import PurePath

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from shop.exchange import vocabulary
from shop.exchange.cells import guard, unguard
from shop.exchange.columns import match
from shop.models import Import, ImportRow

#: Read by nobody when they come back.
EXPLAINED = ("what is wrong", "suggestion")
BOM = "\ufeff"
Verdict = ImportRow.Verdict


def fixit_file(import_: Import) -> tuple[str, bytes]:
    """The file's name and its content: XLSX for XLSX, else CSV with the same delimiter."""
    stem = PurePath(import_.name).stem.removesuffix(" to mend")
    if import_.found.get("format") == "XLSX":
        return f"{stem} to mend.xlsx", _xlsx(_table(import_))
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=import_.found.get("delimiter") or ",").writerows(_table(import_))
    return f"{stem} to mend.csv", f"{BOM}{text.getvalue()}".encode()


def _table(import_: Import) -> Iterator[list[str]]:
    places = [
        place for place, header in enumerate(import_.headers) if header and header.lower() not in EXPLAINED
    ]
    is_guarded = import_.found.get("dialect") == "woocommerce"
    yield [*EXPLAINED, *(import_.headers[place] for place in places)]
    for row in _rows(import_):
        cells = [row.cells[place] if place < len(row.cells) else "" for place in places]
        cells += row.cells[len(import_.headers) :]
        said = " ".join(one["said"] for one in row.problems)
        meant = " ".join(one["suggestion"] for one in row.problems if one["suggestion"])
        # WooCommerce guards its cells by a rule of its own, which its reader knows.
        guarded = cells if is_guarded else [guard(unguard(cell)) for cell in cells]
        yield [guard(said), guard(meant), *guarded]


def _rows(import_: Import) -> Iterator[ImportRow]:
    """The wrong rows, behind the products of which wrong WooCommerce variations take their name."""
    wrong = import_.rows.filter(verdict=Verdict.WRONG).order_by("number")
    if import_.found.get("dialect") == "woocommerce":
        yield from _parents(import_, wrong)
    yield from wrong.iterator(chunk_size=2000)


def _parents(import_: Import, wrong: Iterable[ImportRow]) -> Iterator[ImportRow]:
    places = match(import_.headers, vocabulary.WOOCOMMERCE).places
    if not {"type", "parent"} <= places.keys():
        return

    def cell(row: ImportRow, field: str) -> str:
        return row.cells[places[field]].strip().casefold() if field in places else ""

    wanted = {cell(row, "parent") for row in wrong} - {""}
    for row in import_.rows.filter(verdict=Verdict.SKIPPED).order_by("number"):
        if {cell(row, "sku"), f"id:{cell(row, 'id')}"} & wanted:
            yield row


def _xlsx(table: Iterable[list[str]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("To mend")
    for row in table:
        cells = []
        for text in row:
            cell = WriteOnlyCell(sheet, text)
            cell.data_type = "s"  # never a formula
            cells.append(cell)
        sheet.append(cells)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
