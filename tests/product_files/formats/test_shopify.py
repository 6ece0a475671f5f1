"""Parsing of Shopify exports with classic and with new columns."""

import pytest
from support.file_builders import csv_file, parse_csv
from support.shop_headers import SHOPIFY_CLASSIC, SHOPIFY_NEW

from shop.product_files.formats.file_formats import SHOPIFY_FORMAT, parse_rows
from shop.product_files.reading.sheets import open_sheet


def parse_last_row(*rows):
    """The values of the last row."""
    return parse_csv(*rows)[1][-1].values


def test_rows_take_product_fields_from_the_first_row_of_their_handle():
    _, rows = parse_csv(
        SHOPIFY_CLASSIC,
        'top,Varsity Top,"<p>Warm &amp; soft.</p><p>Grey</p>",true,Size,Small,Red,,,1,60,80,https://a/top.jpg,,',
        "mug,Mug,,true,Title,Default Title,,MUG-1,shopify,4,12.50,,https://a/mug.jpg,,",
        "top,,,,,Large,Red,,,2,65,,,https://a/large.jpg,",
    )
    assert [row.number for row in rows] == [2, 3, 4]
    assert rows[1].values == {
        "sku": "MUG-1",
        "name": "Mug",
        "description": "",
        "price": "12.50",
        "stock": "4",
        "is_active": "yes",
    }
    assert rows[2].values == {
        "sku": "top-large-red",
        "name": "Varsity Top / Large / Red",
        "description": "Warm & soft.\n\nGrey",
        "price": "65",
        "stock": "2",
        "is_active": "yes",
    }
    assert [row.pictures for row in rows] == [
        ("https://a/top.jpg",),
        ("https://a/mug.jpg",),
        ("https://a/large.jpg",),
    ]


def test_row_without_variant_fields_is_skipped():
    only_picture = "mug" + "," * 12 + "b.jpg,,"
    _, rows = parse_csv(
        SHOPIFY_CLASSIC, "mug,Mug,,,,,,,,1,5,,a.jpg,,", only_picture, "mug" + "," * 14 + "active"
    )
    assert [(row.skip, row.pictures) for row in rows] == [
        ("", ("a.jpg",)),
        ("This row is only a picture of “mug”.", ("b.jpg",)),
        ("This row has nothing to sell of “mug”.", ()),
    ]
    assert rows[1].values == {}


@pytest.mark.parametrize(
    ("published", "status", "is_active"),
    [
        ("true", "", "yes"),
        ("TRUE", "Active", "yes"),
        ("false", "", "no"),
        ("false", "active", "no"),
        ("true", "draft", "no"),
        ("", "archived", "no"),
        ("", "active", "yes"),
        ("true", "perhaps", "perhaps"),
    ],
)
def test_product_that_shopify_hides_is_inactive(published, status, is_active):
    row = f"mug,Mug,,{published},,,,,,1,5,,,,{status}"
    assert parse_last_row(SHOPIFY_CLASSIC, row, "mug,,,,,Blue,,,,2,5,,,,")["is_active"] == is_active


def test_field_without_a_column_is_not_set():
    values = parse_last_row("Handle,Title,Variant Price,Published", "mug,Mug,5,")
    assert values == {"sku": "mug", "name": "Mug", "price": "5", "is_active": ""}


def test_file_without_a_title_column_has_blank_names():
    sheet = open_sheet(csv_file("Handle,Variant SKU,Variant Price", "mug,M-1,5"), "products.csv")
    (row,) = parse_rows(sheet, SHOPIFY_FORMAT)
    assert row.values == {"sku": "M-1", "name": "", "price": "5"}


def test_new_columns_are_parsed_like_classic_ones():
    _, rows = parse_csv(
        SHOPIFY_NEW,
        "Mug,mug,<b>Hot</b>,TRUE,Active,,Color,Ocean Blue,12.5,20,3,https://a/1.jpg,,,,",
        ",mug,,,,M-2,,Red,13,,0,,https://a/2.jpg,,,",
        ",mug,,,,,,,,,,https://a/3.jpg,,,,",
    )
    assert rows[0].values["sku"] == "mug-ocean-blue"
    assert rows[1].values == {
        "sku": "M-2",
        "name": "Mug / Red",
        "description": "Hot",
        "price": "13",
        "stock": "0",
        "is_active": "yes",
    }
    assert (rows[2].values, bool(rows[2].skip)) == ({}, True)


@pytest.mark.parametrize(
    "options", ["+5,", "-5,", "大,", "小,", "Grün,", "Grun,", f"{'x' * 80},", f"{'x' * 81},"]
)
def test_derived_sku_is_short_stable_ascii(options):
    rows = (SHOPIFY_CLASSIC, f"lamp,Lamp,,,Size,{options},,,1,5,,,,")
    sku = parse_last_row(*rows)["sku"]
    assert sku == parse_last_row(*rows)["sku"]
    assert sku.isascii()
    assert sku.startswith("lamp")
    assert set(sku) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(sku) <= 64


def test_derived_skus_are_unique():
    sizes = ["+5", "-5", "大", "小", "Small", "x" * 80, "x" * 81, "5", "Grün"]
    _, rows = parse_csv(SHOPIFY_CLASSIC, *(f"lamp,Lamp,,,Size,{size},,,,1,5,,,," for size in sizes))
    skus = [row.values["sku"] for row in rows]
    assert skus[4] == "lamp-small"
    assert skus[8] == "lamp-grun"
    assert len({*skus}) == len(sizes)
