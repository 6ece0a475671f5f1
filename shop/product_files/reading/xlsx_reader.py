"""XLSX: the first visible sheet with something in it, its cells as the text that a person sees."""

import datetime
import re
import zipfile
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from shop.product_files.reading import limits
from shop.product_files.reading.archives import BROKEN, DAMAGED
from shop.product_files.reading.csv_reader import NumberedRow
from shop.product_files.reading.limits import quote_text
from shop.services.errors import FileRefused

#: All that a damaged or hostile workbook makes openpyxl raise.
ODD = (*BROKEN, ParseError, KeyError, IndexError, TypeError, AttributeError, AssertionError)
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_LEADING_ZEROS = re.compile(r"0+")
#: A spreadsheet knows fifteen digits; what a double holds beyond them nobody typed.
DIGITS = ".15g"
LAST_LINE = 1_048_576
EMPTY = "The workbook is empty: no sheet that is shown has anything in it. Send one with a table."


class Workbook:
    """One opened XLSX file. The rows can be read again and again, each time from the file."""

    def __init__(self, file: IO[bytes], archive: zipfile.ZipFile) -> None:
        """Open an archive that has been checked; raises FileRefused when it is no workbook."""
        self._file = file
        self._book = _load(file, data_only=True)
        self._sheet = self._first()
        self._formulas = self._sheet_with_formulas() if _has_formulas(archive) else None

    def rows(self) -> Iterator[NumberedRow]:
        """Each row that is not empty, with its number; raises FileRefused on what cannot be read."""
        try:
            for number, cells in enumerate(self._cells(), 1):
                if number > LAST_LINE:
                    raise FileRefused(DAMAGED)
                texts = _texts(number, cells)
                if any(text.strip() for text in texts):
                    yield number, texts
        except ODD as error:
            raise FileRefused(DAMAGED) from error

    def _cells(self) -> Iterable[Iterable[Any]]:
        values: Iterable[Any] = self._sheet.iter_rows()
        if self._formulas is None:
            return values
        return map(_calculated, values, self._formulas.iter_rows(values_only=True))

    def _first(self) -> Any:
        try:
            for sheet in self._book.worksheets:
                # What a sheet says of its own size is often wrong, and would cut it off.
                sheet.reset_dimensions()
                if sheet.sheet_state == "visible" and any(
                    value not in (None, "")
                    for row in sheet.iter_rows(values_only=True)
                    for value in row
                ):
                    return sheet
        except ODD as error:
            raise FileRefused(DAMAGED) from error
        raise FileRefused(EMPTY)

    def _sheet_with_formulas(self) -> Any:
        sheet = _load(self._file, data_only=False)[self._sheet.title]
        sheet.reset_dimensions()
        return sheet


def _load(file: IO[bytes], *, data_only: bool) -> Any:
    # Half a second of imports that only a workbook needs.
    from openpyxl import load_workbook  # noqa: PLC0415
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        file.seek(0)
        return load_workbook(file, read_only=True, data_only=data_only, keep_links=False)
    except (*ODD, InvalidFileException) as error:
        raise FileRefused(DAMAGED) from error


def _has_formulas(archive: zipfile.ZipFile) -> bool:
    """Whether it is worth reading the sheet twice."""
    for name in archive.namelist():
        if name.startswith("xl/worksheets/"):
            with archive.open(name) as member:
                before = b""
                while chunk := member.read(1 << 18):
                    if _FORMULA.search(before + chunk):
                        return True
                    before = chunk[-40:]
    return False


def _calculated(values: Iterable[Any], formulas: Iterable[Any]) -> Iterable[Any]:
    """The cells, once each that is a formula has a value; raises FileRefused with the cell's name."""
    values = tuple(values)
    for cell, formula in zip(values, formulas, strict=False):
        if cell.value is None and formula is not None:
            raise FileRefused(
                f"Cell {cell.coordinate} is a formula without a value ({quote_text(str(formula))}). "
                "Open the file in a spreadsheet and save it, or put the value there."
            )
    return values


def _texts(number: int, cells: Iterable[Any]) -> list[str]:
    texts = [_text(cell) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    for column, text in enumerate(texts, 1):
        if len(text) > limits.MAX_CELL:
            raise FileRefused(
                f"Line {number}, column {column}: the cell is longer than {limits.MAX_CELL:,} characters. "
                "Shorten it."
            )
    return texts


def _text(cell: Any) -> str:
    value = cell.value
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int):
        # An article number is often typed as 90750 and shown as 090750.
        shown = cell.number_format
        return str(value).zfill(len(shown)) if _LEADING_ZEROS.fullmatch(shown) else str(value)
    if isinstance(value, float):
        return _plain(value)
    if isinstance(value, datetime.datetime):
        return (
            value.date().isoformat()
            if value.time() == datetime.time()
            else value.isoformat(" ", "seconds")
        )
    return str(value)


def _plain(number: float) -> str:
    """`12.5`, `12`, `0.0000001`: as a spreadsheet shows it, without an exponent."""
    text = format(Decimal(format(number, DIGITS)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
