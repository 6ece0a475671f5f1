"""XLSX files: the first visible sheet with content, with cells as the text that people see."""

import datetime
import re
import zipfile
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from django.utils.translation import gettext as _

from shop.product_files.reading import limits
from shop.product_files.reading.archives import ARCHIVE_ERRORS, DAMAGED
from shop.product_files.reading.csv_reader import NumberedRow, describe_long_cell
from shop.product_files.reading.limits import quote_text
from shop.services.errors import FileRefused

#: Everything that openpyxl raises for a damaged or hostile workbook.
XLSX_ERRORS = (*ARCHIVE_ERRORS, ParseError, LookupError, TypeError, AttributeError, AssertionError)
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_ZEROS_FORMAT = re.compile(r"0+")
#: Spreadsheets keep 15 significant digits. Further digits come from binary floats.
SIGNIFICANT_DIGITS = ".15g"
MAX_SHEET_ROWS = 1_048_576


class XlsxReader:
    """An open XLSX file whose rows can be read several times, each time from the file."""

    def __init__(self, file: IO[bytes], archive: zipfile.ZipFile) -> None:
        """Open a file whose archive has been checked. Raises FileRefused if it can't be read."""
        self._file = file
        self._workbook = _load_workbook(file, data_only=True)
        self._sheet = self._find_sheet()
        self._formulas = self._open_formulas() if _has_formulas(archive) else None

    def read_rows(self) -> Iterator[NumberedRow]:
        """Yield each row that is not empty, with its number. Raises FileRefused."""
        try:
            for number, cells in enumerate(self._read_cells(), 1):
                if number > MAX_SHEET_ROWS:
                    raise FileRefused(str(DAMAGED))
                texts = _format_row(number, cells)
                if any(text.strip() for text in texts):
                    yield number, texts
        except XLSX_ERRORS as error:
            raise FileRefused(str(DAMAGED)) from error

    def _read_cells(self) -> Iterable[Iterable[Any]]:
        rows: Iterable[Any] = self._sheet.iter_rows()
        if self._formulas is None:
            return rows
        return map(_check_formulas, rows, self._formulas.iter_rows(values_only=True))

    def _find_sheet(self) -> Any:
        try:
            for sheet in self._workbook.worksheets:
                # The size that a sheet declares is often wrong and would cut it off.
                sheet.reset_dimensions()
                if sheet.sheet_state == "visible" and any(
                    value not in (None, "")
                    for row in sheet.iter_rows(values_only=True)
                    for value in row
                ):
                    return sheet
        except XLSX_ERRORS as error:
            raise FileRefused(str(DAMAGED)) from error
        raise FileRefused(
            _("The workbook is empty: no visible sheet has content. Upload one with a table.")
        )

    def _open_formulas(self) -> Any:
        """Open the sheet once more, with formulas instead of their values."""
        sheet = _load_workbook(self._file, data_only=False)[self._sheet.title]
        sheet.reset_dimensions()
        return sheet


def _load_workbook(file: IO[bytes], *, data_only: bool) -> Any:
    # Importing openpyxl takes half a second, which only XLSX files need.
    from openpyxl import load_workbook  # noqa: PLC0415
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        file.seek(0)
        return load_workbook(file, read_only=True, data_only=data_only, keep_links=False)
    except (*XLSX_ERRORS, InvalidFileException) as error:
        raise FileRefused(str(DAMAGED)) from error


def _has_formulas(archive: zipfile.ZipFile) -> bool:
    """Return whether any sheet has a formula, so that sheets without are read only once."""
    for name in archive.namelist():
        if name.startswith("xl/worksheets/"):
            with archive.open(name) as member:
                tail = b""
                while chunk := member.read(1 << 18):
                    if _FORMULA.search(tail + chunk):
                        return True
                    tail = chunk[-40:]
    return False


def _check_formulas(cells: Iterable[Any], formulas: Iterable[Any]) -> Iterable[Any]:
    """Return the cells. Raises FileRefused if one has a formula without a saved value."""
    cells = tuple(cells)
    for cell, formula in zip(cells, formulas, strict=False):
        if cell.value is None and formula is not None:
            message = _(
                "Cell %(cell)s has a formula without a saved value (%(formula)s). Open the file"
                " in your spreadsheet program and save it, or replace the formula by its value."
            )
            params = {"cell": cell.coordinate, "formula": quote_text(str(formula))}
            raise FileRefused(message % params)
    return cells


def _format_row(number: int, cells: Iterable[Any]) -> list[str]:
    texts = [_format_cell(cell) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    for column, text in enumerate(texts, 1):
        if len(text) > limits.MAX_CELL_LENGTH:
            raise FileRefused(describe_long_cell(number, column))
    return texts


def _format_cell(cell: Any) -> str:
    value = cell.value
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int):
        # An article number is often typed as 90750 and shown as 090750.
        shown = cell.number_format
        return str(value).zfill(len(shown)) if _ZEROS_FORMAT.fullmatch(shown) else str(value)
    if isinstance(value, float):
        return _format_float(value)
    if isinstance(value, datetime.datetime):
        is_midnight = value.time() == datetime.time()
        return value.date().isoformat() if is_midnight else value.isoformat(" ", "seconds")
    return str(value)


def _format_float(number: float) -> str:
    """Return `12.5`, `12` or `0.0000001`: as spreadsheets show it, without an exponent."""
    text = format(Decimal(format(number, SIGNIFICANT_DIGITS)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
