"""CSV and its relatives as RFC 4180 has them: quotation marks, line breaks in cells, any line ending."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from shop.product_files.reading import limits
from shop.product_files.reading.encodings import Opener
from shop.services.errors import FileRefused

DELIMITERS = ",;\t|"
SAMPLE = 1 << 16
SAMPLE_LINES = 100
_QUOTED = re.compile(r'"[^"]*"')
_LINE_END = re.compile(r"\r\n|\r|\n")
#: Excel's own word for the delimiter, in a first line of its own.
_SEP = re.compile(r'\ufeff?"?sep=([,;\t|])"?\s*', re.IGNORECASE)
LONGEST_LINE = 1 << 20
TOO_WIDE = f"has more than {limits.MAX_COLUMNS} columns. Leave out those that describe no product."

type NumberedRow = tuple[int, list[str]]


def detect_delimiter(start: Opener, codec: str) -> str:
    """The delimiter that cuts the first lines most evenly, counted outside of quotation marks."""
    with start() as stream:
        text = io.TextIOWrapper(stream, codec, newline="")
        sample = text.read(SAMPLE)
        is_all = not text.read(1)
        text.detach()
    if hint := _SEP.match(sample):
        return hint[1]
    lines = [line for line in _LINE_END.split(_QUOTED.sub("", sample)) if line.strip()]
    if len(lines) > 1 and not is_all:
        lines.pop()
    best = max(DELIMITERS, key=lambda one: _evenness(lines[:SAMPLE_LINES], one))
    return best if lines and best in lines[0] else ","


def _evenness(lines: list[str], delimiter: str) -> tuple[float, int]:
    counts = [line.count(delimiter) for line in lines]
    if not counts or not counts[0]:
        return 0.0, 0
    return Counter(counts)[counts[0]] / len(counts), counts[0]


def read_csv_rows(start: Opener, codec: str, delimiter: str) -> Iterator[NumberedRow]:
    """Each row that is not empty, with the line on which it begins. Raises FileRefused among them."""
    with start() as stream, io.TextIOWrapper(stream, codec, newline="") as text:
        reader = csv.reader(_bounded(text, delimiter), delimiter=delimiter, strict=True)
        line = 1
        try:
            for cells in reader:
                begins, line = line, reader.line_num + 1
                if not any(cells) or (begins == 1 and _SEP.fullmatch(delimiter.join(cells))):
                    continue
                longest = max(map(len, cells))
                if longest > limits.MAX_CELL:
                    column = 1 + next(at for at, cell in enumerate(cells) if len(cell) == longest)
                    raise FileRefused(_too_long(begins, column))
                if cells[0].strip() or not "".join(cells).isspace():
                    yield begins, cells
        except csv.Error as error:
            raise FileRefused(_uncuttable(str(error), start, codec, delimiter, line)) from error


def _bounded(lines: Iterable[str], delimiter: str) -> Iterator[str]:
    """The lines as they are, before a million columns become a million objects."""
    for number, line in enumerate(lines, 1):
        if (
            len(line) > LONGEST_LINE
            and _QUOTED.sub("", line).count(delimiter) >= limits.MAX_COLUMNS
        ):
            raise FileRefused(f"Line {number} {TOO_WIDE}")
        yield line


def _too_long(line: int, column: int) -> str:
    return (
        f"Line {line}, column {column}: the cell is longer than {limits.MAX_CELL:,} characters. Shorten it. "
        "Perhaps a quotation mark is opened there and never closed."
    )


def _uncuttable(error: str, start: Opener, codec: str, delimiter: str, line: int) -> str:
    """The library's word for the row that begins on `line` and cannot be cut, as a sentence."""
    if "field larger" in error:
        return _too_long(line, _column_of_the_long_cell(start, codec, delimiter, line))
    if "end of data" in error:
        return f"A quotation mark is opened in the row on line {line} and never closed. Close it, or delete it."
    return (
        f"The row on line {line} has a quotation mark in the middle of a cell. "
        'Inside of quotation marks each one is written twice: "".'
    )


def _column_of_the_long_cell(start: Opener, codec: str, delimiter: str, line: int) -> int:
    """Read again, letter by letter: the library does not say how far it came."""
    column, length, is_quoted = 1, 0, False
    with start() as stream, io.TextIOWrapper(stream, codec, newline="") as text:
        for letter in chain.from_iterable(islice(text, line - 1, None)):
            length += 1
            if letter == '"':
                is_quoted = not is_quoted
            elif letter == delimiter and not is_quoted:
                column, length = column + 1, 0
            if length > limits.MAX_CELL:
                break
    return column
