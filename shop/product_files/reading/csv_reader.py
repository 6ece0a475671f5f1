"""CSV, TSV and the like, quoted as in RFC 4180, with any line ending."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from django.utils.translation import gettext as _

from shop.product_files.reading import limits
from shop.product_files.reading.encodings import FileOpener
from shop.services.errors import FileRefused

DELIMITERS = ",;\t|"
SAMPLE_LENGTH = 1 << 16
MAX_SAMPLE_LINES = 100
#: Columns are counted before parsing only in lines longer than this.
LONG_LINE_LENGTH = 1 << 20
_QUOTED = re.compile(r'"[^"]*"')
_LINE_END = re.compile(r"\r\n|\r|\n")
#: Excel's declaration of the delimiter, which may be the first line of a file.
_EXCEL_DELIMITER = re.compile(r'\ufeff?"?sep=([,;\t|])"?\s*', re.IGNORECASE)

#: Line number in the file, from 1, and the row's cells.
type NumberedRow = tuple[int, list[str]]


def detect_delimiter(open_file: FileOpener, codec: str) -> str:
    """Return the delimiter that splits the first lines most evenly, outside quotation marks."""
    with open_file() as stream:
        text = io.TextIOWrapper(stream, codec, newline="")
        sample = text.read(SAMPLE_LENGTH)
        is_whole_file = not text.read(1)
        text.detach()
    if declaration := _EXCEL_DELIMITER.match(sample):
        return declaration[1]
    lines = [line for line in _LINE_END.split(_QUOTED.sub("", sample)) if line.strip()]
    if len(lines) > 1 and not is_whole_file:
        lines.pop()
    best = max(DELIMITERS, key=lambda delimiter: _evenness(lines[:MAX_SAMPLE_LINES], delimiter))
    return best if lines and best in lines[0] else ","


def _evenness(lines: list[str], delimiter: str) -> tuple[float, int]:
    """Return the share of lines with as many delimiters as the first one, and that number."""
    counts = [line.count(delimiter) for line in lines]
    if not counts or not counts[0]:
        return 0.0, 0
    return Counter(counts)[counts[0]] / len(counts), counts[0]


def read_csv_rows(open_file: FileOpener, codec: str, delimiter: str) -> Iterator[NumberedRow]:
    """Yield each row that is not empty, with its first line's number. Raises FileRefused."""
    with open_file() as stream, io.TextIOWrapper(stream, codec, newline="") as text:
        reader = csv.reader(_limit_columns(text, delimiter), delimiter=delimiter, strict=True)
        next_line = 1
        try:
            for cells in reader:
                line, next_line = next_line, reader.line_num + 1
                if not any(cells):
                    continue
                if line == 1 and _EXCEL_DELIMITER.fullmatch(delimiter.join(cells)):
                    continue
                longest = max(map(len, cells))
                if longest > limits.MAX_CELL_LENGTH:
                    column = [*map(len, cells)].index(longest) + 1
                    raise FileRefused(describe_long_cell(line, column))
                if cells[0].strip() or not "".join(cells).isspace():
                    yield line, cells
        except csv.Error as error:
            message = _describe_csv_error(str(error), open_file, codec, delimiter, next_line)
            raise FileRefused(message) from error


def _limit_columns(lines: Iterable[str], delimiter: str) -> Iterator[str]:
    """Yield the lines. Checks very long ones before the csv module builds their cells."""
    for number, line in enumerate(lines, 1):
        if len(line) > LONG_LINE_LENGTH:
            check_column_count(number, _QUOTED.sub("", line).count(delimiter) + 1)
        yield line


def check_column_count(line: int, columns: int) -> None:
    """Raise FileRefused if the line has more columns than a product file may have."""
    if columns > limits.MAX_COLUMNS:
        message = _(
            "Line %(line)d has more than %(limit)d columns."
            " Delete the columns that don't describe a product."
        )
        raise FileRefused(message % {"line": line, "limit": limits.MAX_COLUMNS})


def describe_long_cell(line: int, column: int) -> str:
    """Return the error message for a cell that is too long."""
    return _(
        "Line %(line)d, column %(column)d: the cell is longer than %(limit)s characters."
        " Shorten it. In a CSV file, look for a quotation mark that is never closed."
    ) % {"line": line, "column": column, "limit": f"{limits.MAX_CELL_LENGTH:,}"}


def _describe_csv_error(
    error: str, open_file: FileOpener, codec: str, delimiter: str, line: int
) -> str:
    """Turn the csv module's error for the row that starts on `line` into a message for staff."""
    if "field larger" in error:
        return describe_long_cell(line, _find_long_cell_column(open_file, codec, delimiter, line))
    if "end of data" in error:
        message = _(
            "The row on line %(line)d opens a quotation mark and never closes it."
            " Close it, or delete it."
        )
    else:
        message = _(
            "The row on line %(line)d has a quotation mark in the middle of a cell."
            ' Inside quotation marks, write each one twice: "".'
        )
    return message % {"line": line}


def _find_long_cell_column(open_file: FileOpener, codec: str, delimiter: str, line: int) -> int:
    """Return the column of a cell that is too long. The csv module doesn't report it."""
    column, length, is_quoted = 1, 0, False
    with open_file() as stream, io.TextIOWrapper(stream, codec, newline="") as text:
        for character in chain.from_iterable(islice(text, line - 1, None)):
            length += 1
            if character == '"':
                is_quoted = not is_quoted
            elif character == delimiter and not is_quoted:
                column, length = column + 1, 0
            if length > limits.MAX_CELL_LENGTH:
                break
    return column
