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

from shop.models import ImportRow, ProductImport
from shop.product_files.exports.csv_writer import BOM
from shop.product_files.formats import header_aliases
from shop.product_files.formats.column_matching import match_columns
from shop.product_files.formula_escaping import escape_formula, unescape_formula

#: Read by nobody when they come back.
EXPLAINED = ("what is wrong", "suggestion")
Status = ImportRow.Status


def build_error_report(product_import: ProductImport) -> tuple[str, bytes]:
    """The file's name and its content: XLSX for XLSX, else CSV with the same delimiter."""
    stem = PurePath(product_import.name).stem.removesuffix(" to mend")
    if product_import.found.get("format") == "XLSX":
        return f"{stem} to mend.xlsx", _xlsx(_table(product_import))
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=product_import.found.get("delimiter") or ",").writerows(
        _table(product_import)
    )
    return f"{stem} to mend.csv", f"{BOM}{text.getvalue()}".encode()


def _table(product_import: ProductImport) -> Iterator[list[str]]:
    places = [
        place
        for place, header in enumerate(product_import.headers)
        if header and header.lower() not in EXPLAINED
    ]
    is_guarded = product_import.found.get("dialect") == "woocommerce"
    yield [*EXPLAINED, *(product_import.headers[place] for place in places)]
    for row in _rows(product_import):
        cells = [row.cells[place] if place < len(row.cells) else "" for place in places]
        cells += row.cells[len(product_import.headers) :]
        said = " ".join(one["said"] for one in row.problems)
        meant = " ".join(one["suggestion"] for one in row.problems if one["suggestion"])
        # WooCommerce guards its cells by a rule of its own, which its reader knows.
        guarded = (
            cells if is_guarded else [escape_formula(unescape_formula(cell)) for cell in cells]
        )
        yield [escape_formula(said), escape_formula(meant), *guarded]


def _rows(product_import: ProductImport) -> Iterator[ImportRow]:
    """The wrong rows, behind the products of which wrong WooCommerce variations take their name."""
    wrong = product_import.rows.filter(status=Status.WRONG).order_by("number")
    if product_import.found.get("dialect") == "woocommerce":
        yield from _parents(product_import, wrong)
    yield from wrong.iterator(chunk_size=2000)


def _parents(product_import: ProductImport, wrong: Iterable[ImportRow]) -> Iterator[ImportRow]:
    places = match_columns(product_import.headers, header_aliases.WOOCOMMERCE).places
    if not {"type", "parent"} <= places.keys():
        return

    def cell(row: ImportRow, field: str) -> str:
        return row.cells[places[field]].strip().casefold() if field in places else ""

    wanted = {cell(row, "parent") for row in wrong} - {""}
    for row in product_import.rows.filter(status=Status.SKIPPED).order_by("number"):
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
