"""A product file as rows of text, whatever program wrote it; or a sentence that says what to do about it."""

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO

from shop.product_files.formats import header_aliases
from shop.product_files.reading import archives, csv_reader, encodings, file_types, limits
from shop.product_files.reading.csv_reader import NumberedRow
from shop.product_files.reading.limits import quote_text
from shop.product_files.reading.xlsx_reader import Workbook
from shop.services.errors import FileRefused

__all__ = ["Sheet", "open_sheet"]

EMPTY = "{name} is empty. Send a file with column names and products."
ONE_COLUMN = (
    "The file has one column, {header}, and that is no name of ours. If another sign parts the columns, "
    "choose it. Else put names on the first line, for example: SKU, name, price, stock."
)
NO_COLUMN_NAMES = (
    "The first row, {row}, looks like a product and not like column names. "
    "Put a row with names on top of it, for example: SKU, name, price, stock."
)
_LOOKS_LIKE_DATA = re.compile(r"[^\w]*\d+(?:[.,\s'\u2019]\d+)*[^\w]*|https?://.*")


@dataclass(frozen=True)
class Sheet:
    """One table: its column names and its rows, which are read from the file anew in each iteration.

    A row is its line in the file as a person counts it (the names are on line 1), and its cells as text. It
    has at least as many cells as there are headers; more only if something stands in them, which is then
    wrong. A row without text is left out. Iterating raises FileRefused on what is found only there: too many
    rows, a cell too long, quotation marks that do not close.
    """

    headers: list[str]
    rows: Iterable[NumberedRow]
    format: str
    encoding: str
    delimiter: str


class _Rows:
    """Rows below the names, the same in each iteration."""

    def __init__(self, read: Callable[[], Iterator[NumberedRow]], width: int) -> None:
        self._read, self._width = read, width

    def __iter__(self) -> Iterator[NumberedRow]:
        width = self._width
        below = self._read()
        next(below)  # the names
        for count, (line, cells) in enumerate(below, 1):
            if count > limits.MAX_ROWS:
                raise FileRefused(
                    f"The file has more than {limits.MAX_ROWS:,} rows. Split it into several files."
                )
            while len(cells) > width and not cells[-1].strip():
                cells.pop()
            if len(cells) < width:
                cells.extend([""] * (width - len(cells)))
            elif len(cells) > limits.MAX_COLUMNS:
                raise FileRefused(f"Line {line} {csv_reader.TOO_WIDE}")
            yield line, cells


class _Window(io.RawIOBase):
    """A file read from its start at a place of its own, so that two may read at once and none closes it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._at = file, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._file.seek(self._at)
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def open_sheet(file: IO[bytes], name: str, *, encoding: str = "", delimiter: str = "") -> Sheet:
    """The table in an uploaded file: CSV, TSV, TXT or XLSX, or one of these in a ZIP.

    What it is shows in its bytes; the name only helps in sentences. `encoding` (UTF-8, UTF-16, Windows-1252)
    and `delimiter` are found unless a person has chosen them. Raises FileRefused, with a sentence that says
    what to do. The file must stay open as long as rows are read.
    """
    size = file.seek(0, 2) or file.tell()
    if size > limits.MAX_BYTES:
        raise FileRefused(limits.TOO_LARGE)
    return _open(file, name, encoding, delimiter, is_packed=False)


def _open(file: IO[bytes], name: str, encoding: str, delimiter: str, *, is_packed: bool) -> Sheet:
    file.seek(0)
    head = file.read(encodings.HEAD)
    if not head.strip():
        raise FileRefused(EMPTY.format(name=quote_text(name)))
    kind, refused = file_types.detect_file_type(head, lambda: head + file.read())
    if refused:
        raise FileRefused(refused)
    if kind == file_types.TEXT:
        return _text(lambda: io.BufferedReader(_Window(file), encodings.HEAD), encoding, delimiter)
    archive = archives.open_archive(file)
    if archives.is_workbook(archive):
        return _sheet(Workbook(file, archive).rows, "XLSX")
    if is_packed:
        raise FileRefused("The ZIP holds another ZIP. Unpack the inner one and send that.")
    # A workbook is read here and there, which only an unpacked one can be.
    member = io.BytesIO(archive.read(archives.find_table(archive)))
    return _open(member, PurePath(name).stem, encoding, delimiter, is_packed=True)


def _text(start: encodings.Opener, encoding: str, delimiter: str) -> Sheet:
    label, codec = (
        encodings.check_encoding(start, encoding) if encoding else encodings.detect_encoding(start)
    )
    if delimiter and delimiter not in csv_reader.DELIMITERS:
        raise FileRefused(
            f"{quote_text(delimiter)} cannot part columns. Choose comma, semicolon, tab or |."
        )
    sign = delimiter or csv_reader.detect_delimiter(start, codec)
    return _sheet(lambda: csv_reader.read_csv_rows(start, codec, sign), "CSV", label, sign)


def _sheet(
    read: Callable[[], Iterator[NumberedRow]], kind: str, encoding: str = "", delimiter: str = ""
) -> Sheet:
    beginning = read()
    headers = _headers(next(beginning, (1, []))[1])
    if next(beginning, None) is None:
        raise FileRefused(
            "The file has column names, but no products under them. Put each into a row."
        )
    return Sheet(headers, _Rows(read, len(headers)), kind, encoding, delimiter)


def _headers(cells: list[str]) -> list[str]:
    headers = [cell.replace("\ufeff", "").strip() for cell in cells]
    while headers and not headers[-1]:
        headers.pop()
    if len(headers) > limits.MAX_COLUMNS:
        raise FileRefused(f"Line 1 {csv_reader.TOO_WIDE}")
    named = [header for header in headers if header]
    if not any(map(header_aliases.is_known_header, named)):
        if any(map(_LOOKS_LIKE_DATA.fullmatch, named)):
            raise FileRefused(NO_COLUMN_NAMES.format(row=quote_text(", ".join(named))))
        if len(named) <= 1:
            raise FileRefused(ONE_COLUMN.format(header=quote_text("".join(named))))
    for name, count in Counter(" ".join(header.casefold().split()) for header in named).items():
        if count > 1:
            raise FileRefused(
                f"{count} columns are called {quote_text(name)}. Rename or delete all but one."
            )
    return headers
