"""Render packing slips and invoices as PDF, laid out by ReportLab's platypus."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from reportlab import platypus, rl_config
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, Spacer, Table

from shop.documents.font_fallback import BOLD, NOTO_SANS_CHARACTERS, REGULAR, to_markup
from shop.documents.order_documents import Column, Document
from shop.documents.right_to_left import has_right_to_left, join_arabic_letters, to_drawing_order

logger = logging.getLogger(__name__)

rl_config.useA85 = False  # binary streams are a fifth smaller than ASCII85, and faster


# Points from the left and the top of A4. The address is in the window of a DL envelope (DIN 5008).
LEFT, DETAILS_LEFT, RIGHT = 25 * mm, 125 * mm, 190 * mm
HEADER, BODY, ADDRESS, TABLE, BOTTOM, FOOTER = (y * mm for y in (18, 42, 52, 98, 270, 279))
WIDTH, HALF, PAGE_NUMBER, GAP = RIGHT - LEFT, 80 * mm, 35 * mm, 4 * mm
CHECKBOX, TEXT_COLUMN = 8 * mm, 45 * mm
DETAILS_COLUMNS, TOTALS_COLUMNS = (20 * mm, 45 * mm), (125 * mm, 40 * mm)


def _style(font: str, size: float, leading: float, **more: Any) -> ParagraphStyle:
    metrics = {"fontName": font, "fontSize": size, "leading": leading * mm}
    return ParagraphStyle(font, embeddedHyphenation=1, **metrics, **more)


# Texts of a table keep a gap to the next column.
TEXT, CELL = _style(REGULAR, 9, 4.3), _style(REGULAR, 9, 4.3, rightIndent=GAP)
HEAD, NUMBER_HEAD = _style(BOLD, 9, 4.3, rightIndent=GAP), _style(BOLD, 9, 4.3, alignment=TA_RIGHT)
NUMBER, SMALL = _style(REGULAR, 9, 4.3, alignment=TA_RIGHT), _style(REGULAR, 7.5, 3.6)
SMALL_RIGHT = _style(REGULAR, 7.5, 3.6, alignment=TA_RIGHT)
LARGE, LARGE_RIGHT = _style(BOLD, 14, 6.5), _style(BOLD, 14, 6.5, alignment=TA_RIGHT)
RECIPIENT = _style(REGULAR, 10.5, 5, rightIndent=WIDTH - HALF)

ALL_CELLS = ((0, 0), (-1, -1))
PLAIN_TABLE = [
    ("FONT", *ALL_CELLS, REGULAR, 9, 4.3 * mm),
    ("VALIGN", *ALL_CELLS, "TOP"),
    *((f"{side}PADDING", *ALL_CELLS, 0) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")),
]
DETAILS_TABLE = [*PLAIN_TABLE, ("TEXTCOLOR", (0, 0), (0, -1), "#555555")]
TOTALS_TABLE = [*PLAIN_TABLE, ("FONTNAME", *ALL_CELLS, BOLD), ("ALIGN", *ALL_CELLS, "RIGHT")]
ITEMS_TABLE = [
    *PLAIN_TABLE,
    ("FONTNAME", (0, 0), (-1, 0), BOLD),
    *((f"{side}PADDING", *ALL_CELLS, 1.4 * mm) for side in ("TOP", "BOTTOM")),
    ("LINEBELOW", *ALL_CELLS, 0.4, "#bfbfbf"),
]
SQUARE_TABLE = [("BOX", *ALL_CELLS, 0.8, "#000000")]


def render_pdf(title: str, documents: Iterable[Document]) -> bytes:
    """Return one PDF with each document on its own pages; equal documents give equal bytes.

    Boxes stand for the characters that no font has; one warning names them.
    """
    file = BytesIO()
    layouts = [_Layout(number, document) for number, document in enumerate(documents)]
    frame = (LEFT, A4[1] - BOTTOM, WIDTH, BOTTOM - BODY, 0, 0, 0, 0)
    template = platypus.BaseDocTemplate(
        file,
        title=title,
        author=layouts[0].document.sender if layouts else "",
        lang=get_language(),
        pagesize=A4,
        invariant=True,
        pageTemplates=[
            platypus.PageTemplate(layout.name, platypus.Frame(*frame), onPage=layout.draw_page)
            for layout in layouts
        ]
        or [platypus.PageTemplate("blank", platypus.Frame(*frame))],
    )
    template.build([flowable for layout in layouts for flowable in layout.story()])

    incomplete = [layout for layout in layouts if layout.missing]
    if incomplete:
        characters = sorted(set().union(*(layout.missing for layout in incomplete)))
        codes = " ".join(f"U+{ord(character):04X}" for character in characters)
        titles = "; ".join(layout.document.title for layout in incomplete)
        logger.warning("No font has the characters %s of: %s", codes, titles)
    return file.getvalue()


class _Layout:
    """The flowables of one document, and what is drawn on each of its pages."""

    def __init__(self, number: int, document: Document) -> None:
        self.number, self.name = number, f"document-{number}"
        self.document = document
        self.page_count = 0
        self.missing: set[str] = set()

    def story(self) -> Iterator[Flowable]:
        """Yield the flowables from the address to the note, on a new page."""
        document = self.document
        if self.number:
            yield platypus.NextPageTemplate(self.number)
            yield platypus.PageBreak()
        address = self.paragraph(document.address, RECIPIENT, WIDTH)
        _width, height = address.wrap(WIDTH, A4[1])
        yield Spacer(0, ADDRESS - BODY)
        yield address
        yield Spacer(0, max(2 * GAP, TABLE - ADDRESS - height))
        yield self.table(document.columns, document.rows, has_checkboxes=document.has_checkboxes)
        yield Spacer(0, GAP)
        styles = (NUMBER_HEAD, NUMBER_HEAD)
        totals = [self.row(pair, styles, TOTALS_COLUMNS) for pair in document.totals]
        yield Table(totals, TOTALS_COLUMNS, style=TOTALS_TABLE, splitByRow=0)
        if document.tax_rows:
            yield Spacer(0, GAP)
            yield self.table(document.tax_columns, document.tax_rows)
        if document.note:
            yield Spacer(0, GAP)
            yield self.paragraph(document.note, TEXT, WIDTH)
        yield platypus.CallerMacro(lambda macro: self.define_page_numbers(macro.canv))

    def table(
        self,
        columns: Sequence[Column],
        texts_of_rows: Sequence[Sequence[str]],
        *,
        has_checkboxes: bool = False,
    ) -> Table:
        """Return a table of the items or of the tax; each page repeats its head.

        Numbers have the width that they need, texts up to TEXT_COLUMN, the last text the rest.
        """
        heads = [column.head for column in columns]
        widths = [
            GAP + max(stringWidth(text, BOLD, HEAD.fontSize) for text in texts)
            for texts in zip(heads, *texts_of_rows, strict=True)
        ]
        *texts, last_text = (i for i, column in enumerate(columns) if not column.is_number)
        for index in texts:
            widths[index] = min(widths[index], TEXT_COLUMN)
        widths[last_text] = 0
        widths[last_text] = WIDTH - CHECKBOX * has_checkboxes - sum(widths)

        head_styles = [NUMBER_HEAD if column.is_number else HEAD for column in columns]
        styles = [NUMBER if column.is_number else CELL for column in columns]
        rows = [self.row(heads, head_styles, widths)]
        rows += [self.row(row, styles, widths) for row in texts_of_rows]
        if has_checkboxes:
            square = Table([[""]], 3.5 * mm, 3.5 * mm, SQUARE_TABLE, hAlign="LEFT")
            rows = [["" if row is rows[0] else square, *row] for row in rows]
            widths = [CHECKBOX, *widths]
        numbers = [i - len(columns) for i, column in enumerate(columns) if column.is_number]
        style = [*ITEMS_TABLE, *(("ALIGN", (i, 0), (i, -1), "RIGHT") for i in numbers)]
        return Table(rows, widths, style=style, repeatRows=1)

    def draw_page(self, canvas: Canvas, _template: platypus.BaseDocTemplate) -> None:
        """Draw the letterhead and the foot of a page; on the first one, the details too."""
        document = self.document
        self.page_count += 1
        for text, style, left, top, width in (
            (document.sender, LARGE, LEFT, HEADER, HALF),
            (document.title, LARGE_RIGHT, RIGHT - HALF, HEADER, HALF),
            (document.imprint, SMALL, LEFT, FOOTER, WIDTH - PAGE_NUMBER),
        ):
            paragraph = self.paragraph(text, style, width)
            _place(canvas, paragraph, left, top, width, 3 * style.leading)
        if self.page_count == 1:
            details = [self.row(pair, (CELL, CELL), DETAILS_COLUMNS) for pair in document.details]
            table = Table(details, DETAILS_COLUMNS, style=DETAILS_TABLE)
            size = (RIGHT - DETAILS_LEFT, TABLE - ADDRESS - GAP)
            _place(canvas, table, DETAILS_LEFT, ADDRESS, *size)
        canvas.doForm(f"{self.name}-{self.page_count}")

    def define_page_numbers(self, canvas: Canvas) -> None:
        """Define the form that each page shows, now that the number of pages is known."""
        for page in range(1, self.page_count + 1):
            canvas.beginForm(f"{self.name}-{page}")
            if self.page_count > 1:
                text = _("Page %(page)d of %(pages)d") % {"page": page, "pages": self.page_count}
                number = self.paragraph(text, SMALL_RIGHT, PAGE_NUMBER)
                _place(canvas, number, RIGHT - PAGE_NUMBER, FOOTER, PAGE_NUMBER, GAP)
            canvas.endForm()

    def row(
        self, texts: Sequence[str], styles: Sequence[ParagraphStyle], widths: Sequence[float]
    ) -> list[Any]:
        """Return the cells of a table's row: strings, or paragraphs where they don't fit."""
        return [
            text if _fits(text, style, width) else self.paragraph(text, style, width)
            for text, style, width in zip(texts, styles, widths, strict=True)
        ]

    def paragraph(self, text: str, style: ParagraphStyle, width: float) -> Paragraph:
        """Return a paragraph for this width, and collect the characters that no font has."""
        text = "\n".join(" ".join(line.split()) for line in text.split("\n"))
        if has_right_to_left(text):
            joined = Paragraph(to_markup(join_arabic_letters(text), set()), style)
            lines = joined.breakLines([width - style.rightIndent]).lines
            text = "\n".join(to_drawing_order(_line_text(line)) for line in lines)
        return Paragraph(to_markup(text, self.missing), style)


def _fits(text: str, style: ParagraphStyle, width: float) -> bool:
    """Whether Noto Sans has the text's characters and they fit on one line."""
    if not NOTO_SANS_CHARACTERS.issuperset(text) or "\n" in text:
        return False
    return bool(stringWidth(text, style.fontName, style.fontSize) <= width - style.rightIndent)


def _place(
    canvas: Canvas, flowable: Flowable, left: float, top: float, width: float, height: float
) -> None:
    """Draw the flowable with its top left corner there, made smaller if it does not fit."""
    _width, used = flowable.wrapOn(canvas, width, height)
    if used > height:
        flowable = platypus.KeepInFrame(width, height, [flowable])
        _width, used = flowable.wrapOn(canvas, width, height)
    flowable.drawOn(canvas, left, A4[1] - top - used)


def _line_text(line: Any) -> str:
    """Return the text of a line of `breakLines`: a tuple with words, or fragments."""
    return " ".join(line[1]) if isinstance(line, tuple) else "".join(f.text for f in line.words)
