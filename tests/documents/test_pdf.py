import io
from dataclasses import replace

import pytest
from pypdf import PdfReader
from reportlab.pdfbase.pdfmetrics import getFont, stringWidth

from shop.documents import pdf
from shop.documents.pdf import Column, Document

LETTER = Document(
    sender="Fern & Ember",
    imprint="1 Fern Road, Kew",
    title="Invoice 7KX2-9M4Q",
    address="Carl Buyer\n1 Street",
    facts=[("Date", "22 November 2026")],
    columns=[Column("SKU"), Column("Product"), Column("Quantity", is_number=True)],
    rows=[["MUG-1", "Mug", "2"]],
    totals=[("Total", "25.00 EUR")],
    note="",
    has_boxes=False,
)


def pages(*letters):
    return [
        page.extract_text()
        for page in PdfReader(io.BytesIO(pdf.render_pdf("Letters", letters))).pages
    ]


def test_the_same_letters_are_the_same_bytes():
    assert pdf.render_pdf("Letters", [LETTER, LETTER]) == pdf.render_pdf(
        "Letters", [LETTER, LETTER]
    )
    assert pdf.render_pdf("Letters", [LETTER]).startswith(b"%PDF-")


def test_what_a_file_is_called_and_by_whom():
    about = PdfReader(io.BytesIO(pdf.render_pdf("invoice-7KX2-9M4Q", [LETTER]))).metadata
    assert (about.title, about.author) == ("invoice-7KX2-9M4Q", "Fern & Ember")


@pytest.mark.parametrize("has_boxes", [True, False])
def test_a_long_letter_goes_on_under_the_same_head(has_boxes):
    rows = [[f"SKU-{number:03}", "Mug", "1"] for number in range(80)]
    made = pages(replace(LETTER, rows=rows, has_boxes=has_boxes), LETTER)
    assert len(made) == 4
    assert all("Invoice 7KX2-9M4Q" in page and "Quantity" in page for page in made)
    feet = ["Page 1, continues", "Page 2, continues", "Page 3, the last"]
    assert all(foot in page for foot, page in zip(feet, made[:3], strict=True))
    assert "Page" not in made[3]
    assert [row[0] for row in rows] == [
        word for page in made for word in page.split() if "SKU-" in word
    ]
    assert ["25.00" in page for page in made] == [False, False, True, True]


@pytest.mark.parametrize(
    "change",
    [
        {"address": "a\n" * 500},
        {"address": "W" * 1000},
        {"note": "W" * 1000},
        {"note": "n\n" * 500},
        {"sender": "W" * 300},
        {"facts": [("Parcel", "W" * 121)]},
        {"rows": [["S" * 64, "W" * 200, "999"]] * 100},
        {"rows": []},
        {"imprint": "W" * 500},
    ],
)
def test_no_text_is_too_long(change):
    made = pages(replace(LETTER, **change))
    assert "Quantity" in "".join(made)
    assert "25.00 EUR" in "".join(made)


@pytest.mark.parametrize("name", ["address", "note"])
def test_nothing_of_a_long_text_is_lost(name):
    words = [f"word{number:03}" for number in range(110)]
    text = "".join(pages(replace(LETTER, **{name: "\n".join(words)})))
    assert [word for word in text.split() if word.startswith("word")] == words


def test_lines_break_at_spaces_and_hyphens_or_anywhere():
    style, width = pdf.BODY, 20
    assert pdf.wrap("", style, width) == [""]
    assert pdf.wrap("a  b\n\nc", style, width) == ["a b", "", "c"]
    assert pdf.wrap("CANDLE-SEA-SALT-TIN", style, width) == ["CANDLE-SEA-", "SALT-TIN"]
    broken = pdf.wrap("W" * 50, style, width)
    assert "".join(broken) == "W" * 50
    assert max(stringWidth(line, style.font, style.size) for line in broken) <= width * pdf.mm
    assert "".join(pdf.wrap("WW", style, 0.1)) == "WW"


def test_both_fonts_know_the_same_characters():
    plain, bold = (set(getFont(name).face.charToGlyph) for name in (pdf.PLAIN, pdf.BOLD))
    assert plain == bold
    assert set(map(ord, "äłčőșțΩЖґїß€£₴×–“„…№ẞİıđþ")) <= plain


def test_what_the_font_lacks_is_a_question_mark():
    [page] = pages(replace(LETTER, address="李 Łódź 😀\tع", note="<b>&amp;</b>"))
    assert "? Łódź ? ?" in page
    assert "<b>&amp;</b>" in page


def test_the_address_stands_in_the_window():
    found = []

    def look(text, _, matrix, *rest):
        if "Carl Buyer" in text or "1 Street" in text:
            found.append((round(matrix[4] / pdf.mm), round(297 - matrix[5] / pdf.mm)))

    PdfReader(io.BytesIO(pdf.render_pdf("x", [LETTER]))).pages[0].extract_text(visitor_text=look)
    assert all(20 <= x <= 105 and 45 <= y <= 90 for x, y in found)
    assert found
