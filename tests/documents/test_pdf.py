import io
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import getFont

from shop.documents import font_fallback, pdf
from shop.documents.order_documents import Column, Document

INVOICE = Document(
    sender="Fern & Ember",
    imprint="1 Fern Road, Kew",
    title="Invoice 7KX2-9M4Q",
    address="Carl Buyer\n1 Street",
    details=[("Date", "22 November 2026")],
    columns=[Column("SKU"), Column("Product"), Column("Quantity", is_number=True)],
    rows=[["MUG-1", "Mug", "2"]],
    totals=[("Total", "25.00 EUR")],
    note="",
    has_checkboxes=False,
)
JAPANESE = "東京都港区芝公園"


@pytest.fixture
def without_system_fonts(monkeypatch, settings):
    settings.SHOP_FONTS = []
    monkeypatch.setattr(font_fallback, "SYSTEM_FONT_FOLDERS", ())
    font_fallback.choose_fonts.cache_clear()
    yield
    font_fallback.choose_fonts.cache_clear()


def read_pdf(*documents):
    return PdfReader(io.BytesIO(pdf.render_pdf("Documents", documents)))


def page_texts(*documents):
    return [page.extract_text() for page in read_pdf(*documents).pages]


def text_positions(document):
    """Return (text, left, top) in millimetres of the texts on the first page."""
    positions = []

    def visit(text, matrix, text_matrix, *_font):
        left, bottom = matrix[4] + text_matrix[4], matrix[5] + text_matrix[5]
        positions.append((text.strip(), left / mm, 297 - bottom / mm))

    read_pdf(document).pages[0].extract_text(visitor_text=visit)
    return positions


def font_names(*documents):
    return {
        font["/BaseFont"].removeprefix("/")
        for page in read_pdf(*documents).pages
        for font in page["/Resources"]["/Font"].values()
    }


def test_equal_documents_give_equal_bytes():
    documents = [INVOICE, replace(INVOICE, address=JAPANESE)]
    first = pdf.render_pdf("Documents", documents)
    assert first == pdf.render_pdf("Documents", documents)
    assert first.startswith(b"%PDF-")


def test_metadata():
    reader = PdfReader(io.BytesIO(pdf.render_pdf("invoice-7KX2-9M4Q", [INVOICE])))
    assert (reader.metadata.title, reader.metadata.author) == ("invoice-7KX2-9M4Q", "Fern & Ember")
    assert reader.root_object["/Lang"] == "en"


def test_no_documents_give_a_pdf():
    assert page_texts() == []


@pytest.mark.parametrize("has_checkboxes", [True, False])
def test_a_long_document_repeats_letterhead_and_table_head(has_checkboxes):
    rows = [[f"SKU-{number:03}", "Mug", "1"] for number in range(80)]
    long = replace(INVOICE, rows=rows, has_checkboxes=has_checkboxes)
    pages = page_texts(long, INVOICE, long)
    assert len(pages) == 7
    assert all("Invoice 7KX2-9M4Q" in page and "Quantity" in page for page in pages)
    assert all("1 Fern Road, Kew" in page for page in pages)
    for first in (0, 4):
        assert all(f"Page {i + 1} of 3" in pages[first + i] for i in range(3))
    assert "Page" not in pages[3]
    skus = [word for page in pages[:3] for word in page.split() if "SKU-" in word]
    assert skus == [row[0] for row in rows]
    assert ["25.00" in page for page in pages[:4]] == [False, False, True, True]
    assert ["Carl Buyer" in page for page in pages[:4]] == [True, False, False, True]


@pytest.mark.parametrize("count", range(17, 29))
def test_totals_are_never_split(count):
    totals = [(f"Total {number}", "1.00 EUR") for number in range(4)]
    pages = page_texts(replace(INVOICE, rows=INVOICE.rows * count, totals=totals))
    assert [page.count("EUR") for page in pages if "EUR" in page] == [4]


@pytest.mark.parametrize(
    "change",
    [
        {"address": "a\n" * 500},
        {"address": "W" * 1000},
        {"address": "ש" * 1000},
        {"note": "W" * 1000},
        {"note": "n\n" * 500},
        {"sender": "W" * 300},
        {"details": [("Parcel", "W" * 121)]},
        {"rows": [["S" * 64, "W" * 200, "999"]] * 100},
        {"rows": []},
        {"imprint": "W" * 500},
    ],
)
def test_long_texts_are_laid_out(change):
    text = "".join(page_texts(replace(INVOICE, **change)))
    assert "Quantity" in text
    assert "25.00 EUR" in text


@pytest.mark.parametrize("name", ["address", "note"])
def test_a_long_text_is_complete(name):
    words = [f"word{number:03}" for number in range(110)]
    text = "".join(page_texts(replace(INVOICE, **{name: "\n".join(words)})))
    assert [word for word in text.split() if word.startswith("word")] == words


def test_lines_break_at_spaces_and_hyphens_or_anywhere():
    layout = pdf._Layout(0, INVOICE)

    def wrap(text, width=20 * mm):
        lines = layout.paragraph(text, pdf.TEXT, width).breakLines([width]).lines
        return [pdf._line_text(line).strip() for line in lines]

    assert wrap("a  b\n\nc") == ["a b", "", "c"]
    assert wrap("CANDLE-SEA-SALT-TIN") == ["CANDLE-SEA-", "SALT-TIN"]
    broken = wrap("W" * 50)
    assert "".join(broken) == "W" * 50
    assert max(pdf.stringWidth(line, pdf.REGULAR, 9) for line in broken) <= 20 * mm


def test_markup_is_drawn_as_text():
    [page] = page_texts(replace(INVOICE, address="<b>&amp;</b>", note="<i>x</i> & y"))
    assert "<b>&amp;</b>" in page
    assert "<i>x</i> & y" in page


def test_the_address_is_in_the_window_of_the_envelope():
    positions = [
        (left, top)
        for text, left, top in text_positions(INVOICE)
        if "Carl Buyer" in text or "1 Street" in text
    ]
    assert positions
    assert all(20 <= left <= 105 and 45 <= top <= 90 for left, top in positions)


def test_both_weights_of_noto_sans_have_the_same_characters():
    regular, bold = (
        set(getFont(name).face.charToGlyph) for name in (pdf.REGULAR, font_fallback.BOLD)
    )
    assert regular == bold
    assert set(map(ord, "äłčőșțΩЖґїß€£₴×–“„…№ẞİıđþ")) <= regular


@pytest.mark.parametrize(
    ("text", "font"),
    [
        (JAPANESE + "グランド", "HeiseiKakuGo-W5"),
        ("北京市东城区景山前街", "STSong-Light"),
        ("臺北市她們的圳路", "MSung-Light"),
        ("서울특별시", "HYGothic-Medium"),
    ],
)
@pytest.mark.usefixtures("without_system_fonts")
def test_east_asian_text_needs_no_font_file(text, font, caplog):
    document = replace(INVOICE, address=f"1-1 {text}", rows=[["MUG-1", text, "2"]])
    assert font_names(document) & font_fallback.CID_FONTS.keys() == {font}
    assert caplog.messages == []


def test_a_system_font_is_embedded(caplog):
    fonts = font_fallback.choose_fonts("THAI", frozenset("กรุงเทพ"))
    if not fonts:
        pytest.skip("no font with Thai is installed")
    added = font_names(replace(INVOICE, address="กรุงเทพ")) - font_names(INVOICE)
    assert [name.partition("+")[0] for name in added] == ["AAAAAA"]
    assert caplog.messages == []


def test_fonts_of_the_setting_come_first(settings, without_system_fonts):
    settings.SHOP_FONTS = [Path(pdf.__file__).parent / "fonts"]
    fonts = font_fallback.choose_fonts("LATIN", frozenset("ab"))
    assert {name.rpartition("-")[0] for name in fonts.values()} == {"NotoSans-Bold"}


def test_a_file_that_is_no_font_is_ignored(settings, without_system_fonts, tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    settings.SHOP_FONTS = [tmp_path]
    assert font_fallback.choose_fonts("CJK", frozenset(JAPANESE)).keys() == set(JAPANESE)


@pytest.mark.usefixtures("without_system_fonts")
def test_missing_glyphs_are_logged_and_drawn_as_boxes(caplog):
    documents = [
        INVOICE,
        replace(INVOICE, title="Invoice A", address="Łódź 😀 ab", rows=[["X", "ไ", "1"]] * 2),
        replace(INVOICE, title="Invoice B", note="مكة"),
    ]
    with caplog.at_level(logging.WARNING):
        pages = page_texts(*documents)
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    codes = {word for word in record.getMessage().split() if word.startswith("U+")}
    assert codes == {"U+1F600", "U+0E44", "U+0645", "U+0643", "U+0629"}
    assert "Invoice A; Invoice B" in record.getMessage()
    assert "Łódź \x00 ab" in pages[1]


@pytest.mark.usefixtures("without_system_fonts")
def test_invisible_characters_are_not_missing(caplog):
    [page] = page_texts(replace(INVOICE, address="Zoe\u200d\ufe0f\u200e Buyer"))
    assert "Zoe Buyer" in page
    assert caplog.messages == []
