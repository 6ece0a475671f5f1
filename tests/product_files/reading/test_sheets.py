"""A table is read whatever program wrote it."""

import datetime
import io
import zipfile
from itertools import islice

import pytest
from support.file_builders import book, read, text, with_member, zipped

from shop.product_files.reading.archives import find_pictures
from shop.product_files.reading.sheets import open_sheet

SHARED_STRINGS = (
    b'<Override PartName="/xl/sharedStrings.xml" '
    b'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
)
HEADERS = ["sku", "name", "price"]
TABLE = ("sku,name,price", "A-1,Café,12.50", "A-2,Mug,3")
ROWS = [(2, ["A-1", "Café", "12.50"]), (3, ["A-2", "Mug", "3"])]


@pytest.mark.parametrize(
    ("codec", "encoding"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1252", "Windows-1252"),
    ],
)
def test_the_encoding_is_found_and_can_be_chosen(codec, encoding):
    sheet = open_sheet(text(*TABLE, codec=codec), "products.csv")
    assert (sheet.format, sheet.encoding, sheet.delimiter) == ("CSV", encoding, ",")
    assert (sheet.headers, list(sheet.rows)) == (HEADERS, ROWS)
    assert read(text(*TABLE, codec=codec), encoding=encoding) == (HEADERS, ROWS)


def test_a_chosen_encoding_is_obeyed():
    headers, rows = read(text(*TABLE), encoding="windows-1252")
    assert (headers, rows[0]) == (HEADERS, (2, ["A-1", "CafÃ©", "12.50"]))


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_the_delimiter_is_found_whatever_ends_the_lines(sign, end):
    sheet = open_sheet(text(*(row.replace(",", sign) for row in TABLE), end=end), "products.csv")
    assert (sheet.delimiter, sheet.headers, list(sheet.rows)) == (sign, HEADERS, ROWS)


@pytest.mark.parametrize(
    ("rows", "sign"),
    [
        (("sku;price;name", "A;12,50;Mug, blue, large", "B;3,00;Pot"), ";"),
        (('"sku, ours";"price"', '"A, B, C";"1"'), ";"),
        (("sku\tname", "A\tone; two; three"), "\t"),
        (("sku,name", 'A,"one; two\nthree; four; five"', "B,six"), ","),
        (("sep=;", "sku;name", "A;Mug"), ";"),
    ],
)
def test_signs_inside_of_cells_do_not_mislead(rows, sign):
    assert open_sheet(text(*rows), "x.csv").delimiter == sign


def test_a_chosen_delimiter_is_obeyed():
    assert read(text("sku|name;x", "A|B;C"), delimiter=";") == (
        ["sku|name", "x"],
        [(2, ["A|B", "C"])],
    )


def test_excels_word_for_the_delimiter_is_no_row():
    assert read(text("sep=;", "sku;name", "A;Mug")) == (["sku", "name"], [(3, ["A", "Mug"])])


def test_a_row_is_told_by_the_line_on_which_it_begins():
    file = text(
        "sku,name",
        'A,"two',
        'lines, ""quoted"""',
        "",
        "B,plain",
        " ,",
        'C,"' + "\r\n" * 3 + '"',
        "D,last",
    )
    assert read(file)[1] == [
        (2, ["A", 'two\r\nlines, "quoted"']),
        (5, ["B", "plain"]),
        (7, ["C", "\r\n\r\n\r\n"]),
        (11, ["D", "last"]),
    ]


def test_short_rows_are_filled_and_long_ones_are_left_for_the_reader_to_see():
    file = text("sku,name,,", "A", "B,b,,,", "C,c,extra", "D,d,,more")
    assert read(file) == (
        ["sku", "name"],
        [(2, ["A", ""]), (3, ["B", "b"]), (4, ["C", "c", "extra"]), (5, ["D", "d", "", "more"])],
    )


def test_text_stays_as_it_is():
    cells = ["090.750", " Mug ", "'=1", "\u202e", "a\x00b", "\x07", "1e5"]
    file = text("sku,name,a,b,c,d,e", ",".join(cells))
    assert read(file)[1] == [(2, cells)]


def test_a_cell_may_be_as_long_as_the_bound():
    assert read(text("sku,name", f"A,{'x' * 100_000}"))[1] == [(2, ["A", "x" * 100_000])]


def test_rows_are_read_anew_each_time_and_two_readers_do_not_disturb_each_other():
    file = text("sku,name", *(f"{n},{'x' * 500}" for n in range(2000)))
    sheet = open_sheet(file, "products.csv")
    first, second = iter(sheet.rows), iter(sheet.rows)
    assert [line for line, _ in islice(first, 1500)] == list(range(2, 1502))
    assert [line for line, _ in second] == list(range(2, 2002))
    assert [line for line, _ in first] == list(range(1502, 2002))
    assert not file.closed


def test_rows_come_one_by_one():
    sheet = open_sheet(text("sku,name", *["A,a"] * 100_000, 'B,"never closed'), "products.csv")
    assert next(iter(sheet.rows)) == (2, ["A", "a"])


def test_a_workbook_shows_its_cells_as_a_person_sees_them():
    moment = datetime.datetime(2026, 1, 31, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no zones
    file = book(
        ["sku", "a", "b", "c", "d", "e", "f"],
        ["090.750", 12.5, 12.0, 4006381333931, True, datetime.date(2026, 1, 31), moment],
        [90750, 0.1 + 0.2, 1e-7, 1e20, False, None, " text "],
        formats={"A3": "000000"},
    )
    sheet = open_sheet(file, "products.xlsx")
    assert (sheet.format, sheet.encoding, sheet.delimiter) == ("XLSX", "", "")
    assert list(sheet.rows) == [
        (
            2,
            ["090.750", "12.5", "12", "4006381333931", "TRUE", "2026-01-31", "2026-01-31 12:30:00"],
        ),
        (3, ["090750", "0.3", "0.0000001", "1" + "0" * 20, "FALSE", "", " text "]),
    ]
    assert list(sheet.rows) == list(sheet.rows)


def test_the_first_sheet_that_is_shown_and_not_empty_is_read():
    others = [("Old", "hidden", [["sku"], ["no"]]), ("Empty", "visible", [])]
    file = book(["sku", "name"], [], ["A", None], [None, "b"], sheets=others)
    assert read(file, "products.xlsx") == (["sku", "name"], [(3, ["A", ""]), (4, ["", "b"])])


def test_a_formula_counts_as_the_value_that_was_saved_with_it():
    cell = b"<f>1+1</f><v>2</v>"
    file = book(["sku", "stock"], ["A", "=1+1"])
    file = with_member(
        file, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"<f>1+1</f><v />", cell)
    )
    assert read(file, "products.xlsx")[1] == [(2, ["A", "2"])]


def test_a_workbook_as_excel_writes_it_is_read():
    """Its texts in a table of their own, and a sheet that says wrongly how large it is."""
    spreadsheet = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    words = ("sku", "name", "A-1", "Mug")
    shared = "".join(f"<si><t>{word}</t></si>" for word in words)
    rows = "".join(
        f'<row r="{row}"><c r="A{row}" t="s"><v>{a}</v></c><c r="B{row}" t="s"><v>{a + 1}</v></c></row>'
        for row, a in ((1, 0), (4, 2))
    )
    made = with_member(
        with_member(
            book(["sku", "name"]),
            "xl/worksheets/sheet1.xml",
            lambda _: (
                f'<worksheet {spreadsheet}><dimension ref="A1"/><sheetData>{rows}</sheetData></worksheet>'
            ),
        ),
        "[Content_Types].xml",
        lambda xml: xml.replace(b"</Types>", SHARED_STRINGS + b"</Types>"),
    )
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("xl/sharedStrings.xml", f"<sst {spreadsheet}>{shared}</sst>")
    assert read(made, "products.xlsx") == (["sku", "name"], [(4, ["A-1", "Mug"])])


@pytest.mark.parametrize("inner", [text(*TABLE), book(HEADERS, *(row for _, row in ROWS))])
def test_a_table_in_a_zip_is_read_and_what_stands_beside_it_is_not(inner):
    name = "table.xlsx" if inner.getvalue().startswith(b"PK") else "table.csv"
    file = zipped(
        {
            f"in/{name}": inner,
            "readme.txt": "hello",
            "a.jpg": b"x",
            f"__MACOSX/._{name}": b"y",
            ".b.csv": b"",
        }
    )
    assert read(file, "products.zip") == (HEADERS, ROWS)


def test_the_pictures_of_a_zip_are_found_by_name():
    found = find_pictures(
        zipped(
            {
                "in/MUG-1.JPG": b"one",
                "in\\pot.webp": b"two",
                "more/mug-1.png": b"three",
                "__MACOSX/._MUG-1.JPG": b"no",
                ".pot.png": b"no",
                "table.csv": b"sku",
            }
        )
    )
    assert {name: picture() for name, picture in found.items()} == {"mug-1": b"one", "pot": b"two"}


@pytest.mark.parametrize("file", [text(*TABLE), io.BytesIO(), book(HEADERS)])
def test_another_file_has_no_pictures(file):
    assert find_pictures(file) == {}
