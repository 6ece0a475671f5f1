"""Reading an uploaded product file as headers and rows of text, whatever its file type."""

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO

from django.utils.translation import gettext as _

from shop.product_files.formats import header_aliases
from shop.product_files.reading import archives, csv_reader, encodings, file_types, limits
from shop.product_files.reading.csv_reader import NumberedRow
from shop.product_files.reading.limits import quote_text
from shop.product_files.reading.xlsx_reader import XlsxReader
from shop.services.errors import FileRefused

__all__ = ["Sheet", "open_sheet", "read_table"]

_LOOKS_LIKE_DATA = re.compile(r"[^\w]*\d+(?:[.,\s'\u2019]\d+)*[^\w]*|https?://.*")


@dataclass(frozen=True)
class Sheet:
    """One table: its headers, and its rows, which each iteration reads from the file.

    A row is its line number in the file (headers are on line 1) and its cells. It has at least as
    many cells as there are headers; more only if they contain text, which is an error of that row.
    Blank rows are left out. Iterating raises FileRefused if a row breaks a limit or can't be read.
    """

    headers: list[str]
    rows: Iterable[NumberedRow]
    format: str
    encoding: str
    delimiter: str


class _DataRows:
    """The rows below the headers. Each iteration reads them from the file."""

    def __init__(self, read_rows: Callable[[], Iterator[NumberedRow]], width: int) -> None:
        self._read_rows, self._width = read_rows, width

    def __iter__(self) -> Iterator[NumberedRow]:
        width = self._width
        data_rows = self._read_rows()
        next(data_rows)  # the headers
        for count, (line, cells) in enumerate(data_rows, 1):
            if count > limits.MAX_ROWS:
                message = _("The file has more than %(limit)s rows. Split it into several files.")
                raise FileRefused(message % {"limit": f"{limits.MAX_ROWS:,}"})
            while len(cells) > width and not cells[-1].strip():
                cells.pop()
            if len(cells) < width:
                cells.extend([""] * (width - len(cells)))
            elif len(cells) > width:
                csv_reader.check_column_count(line, len(cells))
            yield line, cells


class _FileView(io.RawIOBase):
    """A file with a position of its own, so that two can read it at once. Never closes the file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._position = file, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._file.seek(self._position)
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def open_sheet(file: IO[bytes], name: str, *, encoding: str = "", delimiter: str = "") -> Sheet:
    """Open the table of an uploaded file: CSV, TSV, TXT or XLSX, or one of these in a ZIP.

    The file type is detected from the content; `name` is used in messages. `encoding` (UTF-8,
    UTF-16, Windows-1252) and `delimiter` are detected unless given. The file must stay open while
    rows are read. Raises FileRefused with a message for staff.
    """
    if file.seek(0, 2) > limits.MAX_BYTES:
        raise FileRefused(str(limits.TOO_LARGE))
    return _open_content(file, name, encoding, delimiter, is_packed=False)


def read_table(file: IO[bytes], *, max_rows: int) -> Iterator[list[str]]:
    """Yield the rows of a CSV or XLSX file as text, the headers first, without blank rows.

    Raises FileRefused for another file, for a damaged one, and for too many rows.
    """
    head = file.read(encodings.HEAD_BYTES)
    if not head.strip():
        raise FileRefused(_("The file is empty."))
    if file_types.detect_file_type(head, lambda: head + file.read()) == file_types.TEXT:
        _encoding, codec, separator = _detect_csv(file, "", "")
        rows = csv_reader.read_csv_rows(_file_opener(file), codec, separator)
    else:
        archive = archives.open_archive(file)
        if not archives.is_xlsx(archive):
            raise FileRefused(_("This is a ZIP file. Upload the table in it, as CSV or XLSX."))
        rows = XlsxReader(file, archive).read_rows()
    for count, (line, cells) in enumerate(rows):
        if count > max_rows:
            message = _("The file has more than %(limit)s rows. Split it into several files.")
            raise FileRefused(message % {"limit": f"{max_rows:,}"})
        csv_reader.check_column_count(line, len(cells))
        yield cells


def _open_content(
    file: IO[bytes], name: str, encoding: str, delimiter: str, *, is_packed: bool
) -> Sheet:
    file.seek(0)
    head = file.read(encodings.HEAD_BYTES)
    if not head.strip():
        message = _("%(name)s is empty. Upload a file with column names and products.")
        raise FileRefused(message % {"name": quote_text(name)})
    if file_types.detect_file_type(head, lambda: head + file.read()) == file_types.TEXT:
        return _open_csv(file, encoding, delimiter)
    archive = archives.open_archive(file)
    if archives.is_xlsx(archive):
        return _build_sheet(XlsxReader(file, archive).read_rows, "XLSX")
    if is_packed:
        raise FileRefused(str(archives.NESTED_ZIP))
    # Unpacked as a whole, because reading a table needs random access.
    member = io.BytesIO(archive.read(archives.find_table(archive)))
    return _open_content(member, PurePath(name).stem, encoding, delimiter, is_packed=True)


def _open_csv(file: IO[bytes], encoding: str, delimiter: str) -> Sheet:
    encoding, codec, separator = _detect_csv(file, encoding, delimiter)
    return _build_sheet(
        lambda: csv_reader.read_csv_rows(_file_opener(file), codec, separator),
        *("CSV", encoding, separator),
    )


def _file_opener(file: IO[bytes]) -> Callable[[], IO[bytes]]:
    return lambda: io.BufferedReader(_FileView(file), encodings.HEAD_BYTES)


def _detect_csv(file: IO[bytes], encoding: str, delimiter: str) -> tuple[str, str, str]:
    """Return a text file's encoding, Python's codec for it, and the separator of its columns."""
    open_file = _file_opener(file)
    if encoding:
        encoding, codec = encodings.check_encoding(open_file, encoding)
    else:
        encoding, codec = encodings.detect_encoding(open_file)
    if delimiter and delimiter not in csv_reader.DELIMITERS:
        message = _(
            "%(separator)s can't separate columns. Choose comma, semicolon, tab or vertical bar."
        )
        raise FileRefused(message % {"separator": quote_text(delimiter)})
    return encoding, codec, delimiter or csv_reader.detect_delimiter(open_file, codec)


def _build_sheet(
    read_rows: Callable[[], Iterator[NumberedRow]],
    file_format: str,
    encoding: str = "",
    delimiter: str = "",
) -> Sheet:
    first_rows = read_rows()
    headers = _clean_headers(next(first_rows, (1, []))[1])
    if next(first_rows, None) is None:
        raise FileRefused(
            _("The file has column names but no products. Put one product in each row below them.")
        )
    return Sheet(headers, _DataRows(read_rows, len(headers)), file_format, encoding, delimiter)


def _clean_headers(cells: list[str]) -> list[str]:
    headers = [cell.replace("\ufeff", "").strip() for cell in cells]
    while headers and not headers[-1]:
        headers.pop()
    csv_reader.check_column_count(1, len(headers))
    names = [header for header in headers if header]
    if not any(map(header_aliases.is_known_header, names)):
        _refuse_missing_headers(names)
    for name, count in Counter(" ".join(name.casefold().split()) for name in names).items():
        if count > 1:
            message = _("More than one column is called %(name)s. Rename or delete all but one.")
            raise FileRefused(message % {"name": quote_text(name)})
    return headers


def _refuse_missing_headers(names: list[str]) -> None:
    """Raise FileRefused if the first row is data, or a single cell that is no header."""
    if any(map(_LOOKS_LIKE_DATA.fullmatch, names)):
        message = _(
            "The first row, %(row)s, looks like a product, not like column names."
            " Add a row with column names above it, for example: SKU, name, price, stock."
        )
        raise FileRefused(message % {"row": quote_text(", ".join(names))})
    if len(names) <= 1:
        message = _(
            "The file has only one column, %(header)s, and its name is unknown."
            " If the columns have another separator, choose it. Otherwise put column names"
            " on the first line, for example: SKU, name, price, stock."
        )
        raise FileRefused(message % {"header": quote_text("".join(names))})
