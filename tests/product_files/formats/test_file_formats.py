"""Detection of the file format, and parsing of files in this shop's format."""

import pytest
from support.file_builders import csv_file, parse_csv, xlsx_file
from support.shop_headers import (
    SHOPIFY_CLASSIC,
    SHOPIFY_NEW,
    WOOCOMMERCE_ENGLISH,
    WOOCOMMERCE_FRENCH,
    WOOCOMMERCE_GERMAN,
)

from shop.product_files.formats.file_formats import OWN_FORMAT, detect_format, parse_rows
from shop.product_files.reading.sheets import open_sheet
from shop.services.errors import FileRefused


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ("sku,name,price,stock", "own"),
        ("Title,Price,Type,Published", "own"),
        (SHOPIFY_CLASSIC, "shopify"),
        ("Handle,Title,Variant Price", "shopify"),
        (SHOPIFY_NEW, "shopify-new"),
        (WOOCOMMERCE_ENGLISH, "woocommerce"),
        (WOOCOMMERCE_ENGLISH.upper(), "woocommerce"),
        (WOOCOMMERCE_GERMAN, "woocommerce"),
        (WOOCOMMERCE_FRENCH, "woocommerce"),
        ("ID,SKU,Name,Regular price,Stock", "woocommerce"),
        ("Type,UGS,Nom,Publié,Mis en avant ?", "woocommerce"),
    ],
)
def test_format_is_detected_from_the_headers(headers, name):
    sheet = open_sheet(csv_file(headers, "a,b,c"), "products.csv")
    assert detect_format(sheet.headers).name == name


def test_own_format_is_parsed_cell_by_cell():
    name, rows = parse_csv(
        "Picture,Price,stock at export,SKU,Colour", 'mug.jpg,"12,50",,\'-1,red', ",,,'tis,x"
    )
    assert name == "own"
    assert rows[0].cells == ["mug.jpg", "12,50", "", "'-1", "red"]
    assert rows[0].values == {"price": "12,50", "stock_was": "", "sku": "-1"}
    assert (rows[0].number, rows[0].pictures, rows[0].problems) == (2, ("mug.jpg",), ())
    assert (rows[1].values["sku"], rows[1].pictures) == ("'tis", ())


def test_row_with_extra_cells_has_an_error():
    _, rows = parse_csv("sku,price", "A,1", "B,1,50")
    assert rows[1].problems == (
        (
            "Line 3 has more cells (3) than there are columns (2). "
            "Put text that contains the separator into quotation marks."
        ),
    )
    assert rows[0].problems == ()


def test_failed_formula_is_an_error_of_its_row():
    sheet = open_sheet(xlsx_file(["sku", "name"], ["A", "#REF!"]), "products.xlsx")
    (row,) = parse_rows(sheet, OWN_FORMAT)
    assert row.problems == (
        "name: the formula in this cell failed (#REF!). Correct it in the spreadsheet.",
    )


def test_file_without_known_columns_is_refused():
    with pytest.raises(
        FileRefused,
        match=r"None of the columns is known \(“Farbe, Form”\)\. Rename them, for example: ",
    ):
        parse_csv("Farbe,Form", "rot,rund")
