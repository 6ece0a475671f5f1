"""Whose file it is, and one of our own."""

import pytest
from support.file_builders import book, read_lines, text
from support.shop_headers import CLASSIC, FRENCH, GERMAN, NEW, WOO

from shop.product_files.formats.file_formats import OWN, detect_format, parse_rows
from shop.product_files.reading.sheets import open_sheet
from shop.services.errors import FileRefused


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ("sku,name,price,stock", "own"),
        ("Title,Price,Type,Published", "own"),
        (CLASSIC, "shopify"),
        ("Handle,Title,Variant Price", "shopify"),
        (NEW, "shopify-new"),
        (WOO, "woocommerce"),
        (WOO.upper(), "woocommerce"),
        (GERMAN, "woocommerce"),
        (FRENCH, "woocommerce"),
        ("ID,SKU,Name,Regular price,Stock", "woocommerce"),
        ("Type,UGS,Nom,Publié,Mis en avant ?", "woocommerce"),
    ],
)
def test_whose_file_it_is_shows_in_its_headers(headers, name):
    sheet = open_sheet(text(headers, "a,b,c"), "products.csv")
    assert detect_format(sheet.headers).name == name


def test_a_file_of_our_own_is_taken_cell_by_cell():
    name, found = read_lines(
        "Picture,Price,stock at export,SKU,Colour", 'mug.jpg,"12,50",,\'-1,red', ",,,'tis,x"
    )
    assert name == "own"
    assert found[0].cells == ["mug.jpg", "12,50", "", "'-1", "red"]
    assert found[0].values == {"price": "12,50", "stock_was": "", "sku": "-1"}
    assert (found[0].number, found[0].pictures, found[0].problems) == (2, ("mug.jpg",), ())
    assert (found[1].values["sku"], found[1].pictures) == ("'tis", ())


def test_a_row_with_too_many_cells_says_so():
    _, found = read_lines("sku,price", "A,1", "B,1,50")
    assert found[1].problems == (
        (
            "Line 3 has 3 cells, the header 2. "
            "Put text that holds the sign between columns into quotation marks."
        ),
    )
    assert found[0].problems == ()


def test_a_formula_that_failed_is_a_problem_of_its_row():
    sheet = open_sheet(book(["sku", "name"], ["A", "#REF!"]), "products.xlsx")
    (found,) = parse_rows(sheet, OWN)
    assert found.problems == (
        "name: the formula in this cell failed (#REF!). Correct it in the spreadsheet.",
    )


def test_a_file_without_any_known_column_is_refused():
    with pytest.raises(
        FileRefused,
        match=r"None of the columns is known \(“Farbe, Form”\)\. Rename them, for example: ",
    ):
        read_lines("Farbe,Form", "rot,rund")
