"""Paper: a letter with a table, as data and drawn as PDF over as many pages as it needs."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import NamedTuple

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import getFont, registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FONTS = Path(__file__).parent / "fonts"


class Column(NamedTuple):
    """A column of the table: of numbers, as wide as they are, or of texts, which share what is left."""

    head: str
    is_number: bool = False


@dataclass(frozen=True)
class Document:
    """What stands on one letter: `facts` beside the address, `totals` below the table."""

    sender: str
    imprint: str
    title: str
    address: str
    facts: Sequence[tuple[str, str]]
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    totals: Sequence[tuple[str, str]]
    note: str
    has_boxes: bool

    def lines(self) -> Iterator[list[tuple[Column, str]]]:
        """The table's rows, each cell with its column."""
        return (list(zip(self.columns, row, strict=True)) for row in self.rows)


class Type(NamedTuple):
    """How letters look; `leading` is from line to line, in millimetres."""

    font: str
    size: float
    leading: float
    grey: float = 0.1


PLAIN, BOLD = "NotoSans-Regular", "NotoSans-Bold"
for _name in (PLAIN, BOLD):
    registerFont(TTFont(_name, FONTS / f"{_name}.ttf"))
BODY, STRONG, SMALL = Type(PLAIN, 9, 4.3), Type(BOLD, 9, 4.3), Type(PLAIN, 7.5, 3.6, 0.4)
ADDRESS, LOUD = Type(PLAIN, 10.5, 5), Type(BOLD, 14, 6.5)

# Millimetres from the left and the top of A4. The address stands in the window of a DL envelope (DIN 5008).
LEFT, RIGHT, WINDOW, TABLE, AGAIN, BOTTOM, FOOT = 25, 190, 52, 98, 42, 270, 279
HALF, LABEL, GAP, PAD, BOX, HEAD_AND_LINE = 80, 20, 4, 1.4, 8, 20
FACTS, SHARE = RIGHT - 65, 0.42
PIECES = re.compile(r"[^ -]+[ -]*|[ -]+")


def render_pdf(title: str, sheets: Iterable[Document]) -> bytes:
    """The letters as one file, each on pages of its own; the same bytes for the same letters.

    What the font lacks is drawn as `?`: it holds Latin, Greek and Cyrillic.
    """
    file = BytesIO()
    canvas = Canvas(file, pagesize=A4, invariant=True, lang="en")
    canvas.setTitle(title)
    for sheet in sheets:
        canvas.setAuthor(sheet.sender)
        _Letter(canvas, sheet).write()
    canvas.save()
    return file.getvalue()


def wrap(text: str, style: Type, width: float) -> list[str]:
    """The lines that fit into so many millimetres, broken at spaces and hyphens, or anywhere if need be."""
    lines = []
    for paragraph in _drawable(text).split("\n"):
        line = ""
        for piece in PIECES.findall(" ".join(paragraph.split())):
            if _wide(line + piece, style) <= width:
                line += piece
                continue
            if line:
                lines.append(line.rstrip())
            line = piece
            while _wide(line, style) > width:
                cut = _fitting(line, style, width)
                lines.append(line[:cut])
                line = line[cut:]
        lines.append(line.rstrip())
    return lines


def _wide(text: str, style: Type) -> float:
    return float(stringWidth(text.rstrip(), style.font, style.size) / mm)


def _fitting(text: str, style: Type, width: float) -> int:
    """How many characters fit; at least one."""
    return bisect_right(range(2, len(text) + 1), width, key=lambda n: _wide(text[:n], style)) + 1


def _drawable(text: str) -> str:
    known = getFont(PLAIN).face.charToGlyph
    return "".join(c if c.isspace() or ord(c) in known else "?" for c in text)


def _columns(sheet: Document) -> Iterator[list[tuple[str, Type]]]:
    for number, column in enumerate(sheet.columns):
        yield [(column.head, STRONG), *((_drawable(row[number]), BODY) for row in sheet.rows)]


def _widths(sheet: Document) -> list[float]:
    """Numbers have what they need; of the rest, a text has up to its share, and the last all that is left."""
    needs: list[float] = [
        # Whole millimetres: what is added and taken away again has to be what it was.
        ceil(GAP + max(_wide(text, style) for text, style in cells))
        for cells in _columns(sheet)
    ]
    left: float = RIGHT - LEFT - (BOX if sheet.has_boxes else 0)
    left -= sum(need for need, column in zip(needs, sheet.columns, strict=True) if column.is_number)
    *texts, last = (number for number, column in enumerate(sheet.columns) if not column.is_number)
    for number in texts:
        needs[number] = min(needs[number], SHARE * left)
    needs[last] = left - sum(needs[number] for number in texts)
    return needs


def _height(cells: Iterable[Sequence[str]], style: Type) -> float:
    return 2 * PAD + style.leading * max(len(lines) for lines in cells)


class _Letter:
    """One letter on its way to paper; `y` is how far down the page it has come."""

    def __init__(self, canvas: Canvas, sheet: Document) -> None:
        self.canvas, self.sheet = canvas, sheet
        self.widths = _widths(sheet)
        self.page, self.y = 1, 0.0

    def write(self) -> None:
        """From the letterhead to the last page's foot."""
        self._head()
        self._address()
        self._table()
        self._ending()
        self._foot(f"Page {self.page}, the last" if self.page > 1 else "")
        self.canvas.showPage()

    def _head(self) -> None:
        for x, text, right in ((LEFT, self.sheet.sender, False), (RIGHT, self.sheet.title, True)):
            for number, line in enumerate(wrap(text, LOUD, HALF)[:3]):
                self._put(line, x, 18 + number * LOUD.leading, LOUD, right=right)
        self.y = AGAIN

    def _address(self) -> None:
        """The address, and the facts to its right."""
        low: float = WINDOW
        for label, value in self.sheet.facts:
            self._put(label, FACTS, low, SMALL)
            for line in wrap(value, BODY, RIGHT - FACTS - LABEL):
                self._put(line, FACTS + LABEL, low, BODY)
                low += BODY.leading
            low += 1
        self.y = WINDOW
        self._lines(self.sheet.address, ADDRESS, HALF)
        self.y = max(self.y + 2 * GAP, low + 2 * GAP, TABLE) if self.page == 1 else self.y + 2 * GAP

    def _table(self) -> None:
        heads = [column.head for column in self.sheet.columns]
        self._need(HEAD_AND_LINE)
        self._row(self._cells(heads, STRONG), STRONG)
        for row in self.sheet.rows:
            cells = self._cells(row, BODY)
            if self._need(_height(cells, BODY)):
                self._row(self._cells(heads, STRONG), STRONG)
            if self.sheet.has_boxes:
                self._box()
            self._row(cells, BODY)

    def _ending(self) -> None:
        self.y += GAP
        for label, value in self.sheet.totals:
            self._need(STRONG.leading)
            self._put(f"{label}  {value}", RIGHT, self.y, STRONG, right=True)
            self.y += STRONG.leading
        self.y += GAP
        if self.sheet.note:
            self._lines(self.sheet.note, BODY, RIGHT - LEFT)

    def _foot(self, page: str) -> None:
        for number, line in enumerate(wrap(self.sheet.imprint, SMALL, RIGHT - LEFT - 35)[:3]):
            self._put(line, LEFT, FOOT + number * SMALL.leading, SMALL)
        self._put(page, RIGHT, FOOT, SMALL, right=True)

    def _need(self, height: float) -> bool:
        """Whether a new page was begun because the rest of this one is too short."""
        if self.y + height <= BOTTOM:
            return False
        self._foot(f"Page {self.page}, continues")
        self.canvas.showPage()
        self.page += 1
        self._head()
        return True

    def _lines(self, text: str, style: Type, width: float) -> None:
        for line in wrap(text, style, width):
            self._need(style.leading)
            self._put(line, LEFT, self.y, style)
            self.y += style.leading

    def _cells(self, row: Sequence[str], style: Type) -> list[list[str]]:
        """Each cell's lines."""
        pairs = zip(row, self.widths, strict=True)
        return [wrap(text, style, width - GAP) for text, width in pairs]

    def _row(self, cells: Sequence[Sequence[str]], style: Type) -> None:
        x: float = LEFT + (BOX if self.sheet.has_boxes else 0)
        for column, width, lines in zip(self.sheet.columns, self.widths, cells, strict=True):
            at = x + width if column.is_number else x
            for number, line in enumerate(lines):
                y = self.y + PAD + number * style.leading
                self._put(line, at, y, style, right=column.is_number)
            x += width
        self.y += _height(cells, style)
        self.canvas.setStrokeGray(0.75)
        self.canvas.setLineWidth(0.4)
        self.canvas.line(LEFT * mm, A4[1] - self.y * mm, RIGHT * mm, A4[1] - self.y * mm)

    def _box(self) -> None:
        """To tick."""
        self.canvas.setStrokeGray(0.1)
        self.canvas.setLineWidth(0.8)
        self.canvas.rect(LEFT * mm, A4[1] - (self.y + PAD + 3.8) * mm, 3.5 * mm, 3.5 * mm)

    def _put(self, text: str, x: float, y: float, style: Type, *, right: bool = False) -> None:
        """One line of text whose top is at `y`, from `x` on or up to it."""
        self.canvas.setFont(style.font, style.size)
        self.canvas.setFillGray(style.grey)
        draw = self.canvas.drawRightString if right else self.canvas.drawString
        draw(x * mm, A4[1] - (y + style.leading * 0.75) * mm, text)
