"""Reading of CSV, XLSX and ZIP files that are well formed."""

import datetime
import io
import zipfile
from itertools import islice

import pytest
from support.file_builders import change_member, csv_file, read_sheet, xlsx_file, zip_file

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
def test_encoding_is_detected_or_chosen(codec, encoding):
    sheet = open_sheet(csv_file(*TABLE, codec=codec), "products.csv")
    assert (sheet.format, sheet.encoding, sheet.delimiter) == ("CSV", encoding, ",")
    assert (sheet.headers, list(sheet.rows)) == (HEADERS, ROWS)
    assert read_sheet(csv_file(*TABLE, codec=codec), encoding=encoding) == (HEADERS, ROWS)


def test_chosen_encoding_overrides_detection():
    headers, rows = read_sheet(csv_file(*TABLE), encoding="windows-1252")
    assert (headers, rows[0]) == (HEADERS, (2, ["A-1", "CafÃ©", "12.50"]))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_delimiter_is_detected_with_any_line_ending(delimiter, end):
    sheet = open_sheet(
        csv_file(*(row.replace(",", delimiter) for row in TABLE), end=end), "products.csv"
    )
    assert (sheet.delimiter, sheet.headers, list(sheet.rows)) == (delimiter, HEADERS, ROWS)


@pytest.mark.parametrize(
    ("rows", "delimiter"),
    [
        (("sku;price;name", "A;12,50;Mug, blue, large", "B;3,00;Pot"), ";"),
        (('"sku, ours";"price"', '"A, B, C";"1"'), ";"),
        (("sku\tname", "A\tone; two; three"), "\t"),
        (("sku,name", 'A,"one; two\nthree; four; five"', "B,six"), ","),
        (("sep=;", "sku;name", "A;Mug"), ";"),
    ],
)
def test_delimiters_inside_cells_are_not_counted(rows, delimiter):
    assert open_sheet(csv_file(*rows), "x.csv").delimiter == delimiter


def test_chosen_delimiter_overrides_detection():
    assert read_sheet(csv_file("sku|name;x", "A|B;C"), delimiter=";") == (
        ["sku|name", "x"],
        [(2, ["A|B", "C"])],
    )


def test_excel_delimiter_declaration_is_not_a_row():
    assert read_sheet(csv_file("sep=;", "sku;name", "A;Mug")) == (
        ["sku", "name"],
        [(3, ["A", "Mug"])],
    )


def test_row_number_is_the_line_on_which_the_row_starts():
    file = csv_file(
        "sku,name",
        'A,"two',
        'lines, ""quoted"""',
        "",
        "B,plain",
        " ,",
        'C,"' + "\r\n" * 3 + '"',
        "D,last",
    )
    assert read_sheet(file)[1] == [
        (2, ["A", 'two\r\nlines, "quoted"']),
        (5, ["B", "plain"]),
        (7, ["C", "\r\n\r\n\r\n"]),
        (11, ["D", "last"]),
    ]


def test_short_rows_are_padded_and_extra_cells_are_kept():
    file = csv_file("sku,name,,", "A", "B,b,,,", "C,c,extra", "D,d,,more")
    assert read_sheet(file) == (
        ["sku", "name"],
        [(2, ["A", ""]), (3, ["B", "b"]), (4, ["C", "c", "extra"]), (5, ["D", "d", "", "more"])],
    )


def test_cell_text_is_unchanged():
    cells = ["090.750", " Mug ", "'=1", "\u202e", "a\x00b", "\x07", "1e5"]
    file = csv_file("sku,name,a,b,c,d,e", ",".join(cells))
    assert read_sheet(file)[1] == [(2, cells)]


def test_cell_of_the_maximum_length_is_read():
    assert read_sheet(csv_file("sku,name", f"A,{'x' * 100_000}"))[1] == [(2, ["A", "x" * 100_000])]


def test_rows_can_be_iterated_twice_at_the_same_time():
    file = csv_file("sku,name", *(f"{n},{'x' * 500}" for n in range(2000)))
    sheet = open_sheet(file, "products.csv")
    first, second = iter(sheet.rows), iter(sheet.rows)
    assert [line for line, _ in islice(first, 1500)] == list(range(2, 1502))
    assert [line for line, _ in second] == list(range(2, 2002))
    assert [line for line, _ in first] == list(range(1502, 2002))
    assert not file.closed


def test_rows_are_read_lazily():
    sheet = open_sheet(csv_file("sku,name", *["A,a"] * 100_000, 'B,"never closed'), "products.csv")
    assert next(iter(sheet.rows)) == (2, ["A", "a"])


def test_xlsx_cells_are_formatted_as_shown_on_screen():
    moment = datetime.datetime(2026, 1, 31, 12, 30)  # noqa: DTZ001 - spreadsheets have no time zones
    file = xlsx_file(
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


def test_first_visible_sheet_with_content_is_read():
    others = [("Old", "hidden", [["sku"], ["no"]]), ("Empty", "visible", [])]
    file = xlsx_file(["sku", "name"], [], ["A", None], [None, "b"], sheets=others)
    assert read_sheet(file, "products.xlsx") == (["sku", "name"], [(3, ["A", ""]), (4, ["", "b"])])


def test_formula_is_read_as_its_saved_value():
    cell = b"<f>1+1</f><v>2</v>"
    file = xlsx_file(["sku", "stock"], ["A", "=1+1"])
    file = change_member(
        file, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"<f>1+1</f><v />", cell)
    )
    assert read_sheet(file, "products.xlsx")[1] == [(2, ["A", "2"])]


def test_xlsx_with_shared_strings_and_a_wrong_dimension_is_read():
    # Excel writes shared strings, openpyxl inline ones.
    spreadsheet = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    words = ("sku", "name", "A-1", "Mug")
    shared = "".join(f"<si><t>{word}</t></si>" for word in words)
    rows = "".join(
        f'<row r="{row}"><c r="A{row}" t="s"><v>{first}</v></c>'
        f'<c r="B{row}" t="s"><v>{first + 1}</v></c></row>'
        for row, first in ((1, 0), (4, 2))
    )
    file = change_member(
        change_member(
            xlsx_file(["sku", "name"]),
            "xl/worksheets/sheet1.xml",
            lambda _: (
                f'<worksheet {spreadsheet}><dimension ref="A1"/>'
                f"<sheetData>{rows}</sheetData></worksheet>"
            ),
        ),
        "[Content_Types].xml",
        lambda xml: xml.replace(b"</Types>", SHARED_STRINGS + b"</Types>"),
    )
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("xl/sharedStrings.xml", f"<sst {spreadsheet}>{shared}</sst>")
    assert read_sheet(file, "products.xlsx") == (["sku", "name"], [(4, ["A-1", "Mug"])])


@pytest.mark.parametrize("inner", [csv_file(*TABLE), xlsx_file(HEADERS, *(row for _, row in ROWS))])
def test_table_in_a_zip_is_read_and_other_files_are_ignored(inner):
    name = "table.xlsx" if inner.getvalue().startswith(b"PK") else "table.csv"
    file = zip_file(
        {
            f"in/{name}": inner,
            "readme.txt": "hello",
            "a.jpg": b"x",
            f"__MACOSX/._{name}": b"y",
            ".b.csv": b"",
        }
    )
    assert read_sheet(file, "products.zip") == (HEADERS, ROWS)


def test_pictures_of_a_zip_are_listed_by_name():
    pictures = find_pictures(
        zip_file(
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
    assert {name: read_picture() for name, read_picture in pictures.items()} == {
        "mug-1": b"one",
        "pot": b"two",
    }


@pytest.mark.parametrize("file", [csv_file(*TABLE), io.BytesIO(), xlsx_file(HEADERS)])
def test_other_files_have_no_pictures(file):
    assert find_pictures(file) == {}
