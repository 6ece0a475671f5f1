"""The rows with errors as a file to correct: the file's own columns after errors and suggestions.

The corrected file is imported like any other. The two columns come first, where they are seen and
cannot be confused with the surplus cells of a row.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import PurePath

from shop.models import ChangeRow, ChangeSet
from shop.product_files.exports.columns import CellType, Column
from shop.product_files.exports.csv_writer import BOM
from shop.product_files.exports.xlsx_writer import write_xlsx
from shop.product_files.formats import header_aliases
from shop.product_files.formats.column_matching import match_columns
from shop.product_files.formula_escaping import escape_formula, unescape_formula

#: Headers of the added columns. An import ignores them.
REPORT_HEADERS = ("errors", "suggestions")
NAME_SUFFIX = " errors"
Status = ChangeRow.Status


def build_error_report(change_set: ChangeSet) -> tuple[str, bytes]:
    """Return file name and content: XLSX for an XLSX upload, else CSV with the same delimiter."""
    stem = PurePath(change_set.name).stem.removesuffix(NAME_SUFFIX) + NAME_SUFFIX
    if change_set.detected.get("file_type") == "XLSX":
        return f"{stem}.xlsx", _to_xlsx(list(_report_lines(change_set)))
    text = io.StringIO(newline="")
    delimiter = change_set.detected.get("delimiter") or ","
    csv.writer(text, delimiter=delimiter).writerows(_report_lines(change_set))
    return f"{stem}.csv", f"{BOM}{text.getvalue()}".encode()


def _to_xlsx(lines: list[list[str]]) -> bytes:
    width = max(map(len, lines))
    header, *rows = [(*line, *[""] * (width - len(line))) for line in lines]
    columns = [Column(name, str, cell_type=CellType.LINE) for name in header]
    return b"".join(write_xlsx(columns, rows))


def _report_lines(change_set: ChangeSet) -> Iterator[list[str]]:
    """Yield the header, then each row's errors, suggestions and cells, with any surplus cells."""
    headers = change_set.headers
    kept = [
        index
        for index, header in enumerate(headers)
        if header and header.lower() not in REPORT_HEADERS
    ]
    is_woocommerce = change_set.detected.get("file_format") == "woocommerce"
    yield [*REPORT_HEADERS, *(headers[index] for index in kept)]
    for row in _report_rows(change_set):
        cells = [row.cells[index] if index < len(row.cells) else "" for index in kept]
        cells += row.cells[len(headers) :]
        if not is_woocommerce:  # whose cells keep WooCommerce's own formula escaping
            cells = [escape_formula(unescape_formula(cell)) for cell in cells]
        errors = " ".join(problem["message"] for problem in row.problems)
        suggestions = " ".join(filter(None, (problem["suggestion"] for problem in row.problems)))
        yield [escape_formula(errors), escape_formula(suggestions), *cells]


def _report_rows(change_set: ChangeSet) -> Iterator[ChangeRow]:
    """Yield the rows with errors, after the WooCommerce parents that their variations need."""
    errors = change_set.rows.filter(status=Status.ERROR).order_by("number")
    if change_set.detected.get("file_format") == "woocommerce":
        yield from _woocommerce_parents(change_set, errors)
    yield from errors.iterator(chunk_size=2000)


def _woocommerce_parents(change_set: ChangeSet, rows: Iterable[ChangeRow]) -> Iterator[ChangeRow]:
    columns = match_columns(change_set.headers, header_aliases.WOOCOMMERCE).places
    if not {"type", "parent"} <= columns.keys():
        return

    def cell(row: ChangeRow, field: str) -> str:
        return row.cells[columns[field]].strip().casefold() if field in columns else ""

    wanted = {cell(row, "parent") for row in rows} - {""}
    for row in change_set.rows.filter(status=Status.SKIPPED).order_by("number"):
        if {cell(row, "sku"), f"id:{cell(row, 'id')}"} & wanted:
            yield row
