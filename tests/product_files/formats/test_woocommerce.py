"""Parsing of WooCommerce exports in English, French and German."""

import datetime

import pytest
from support.file_builders import parse_csv
from support.shop_headers import WOOCOMMERCE_ENGLISH, WOOCOMMERCE_FRENCH, WOOCOMMERCE_GERMAN

TODAY = datetime.date(2026, 6, 15)
VARIABLE = "Variable product: its variations are imported instead."


def woo_row(**cells):
    """A row of a WooCommerce export, in English, from short names of its columns."""
    names = (
        "id type sku gtin name published featured visibility short description starts ends in_stock"
        " stock low sale regular images parent attribute value1 value2"
    )
    defaults = {"id": "7", "type": "simple", "sku": "S", "name": "Mug", "published": "1"}
    cells = defaults | {"regular": "20"} | cells
    return ",".join('"' + cells.get(name, "").replace('"', '""') + '"' for name in names.split())


def parse_last_row(*rows):
    """The values of the last row."""
    return parse_csv(*rows, today=TODAY)[1][-1].values


def test_product_types_that_cannot_be_sold_are_skipped():
    types = [
        "variable",
        "grouped",
        "external",
        "Variable-Subscription",
        "simple, downloadable, virtual",
        "",
    ]
    name, rows = parse_csv(WOOCOMMERCE_ENGLISH, *(woo_row(type=type_) for type_ in types))
    assert name == "woocommerce"
    assert [row.skip for row in rows] == [
        VARIABLE,
        "Grouped product: the products in it are imported instead.",
        "External product: another shop sells it.",
        VARIABLE,
        "",
        "",
    ]


def test_simple_product_is_parsed_into_fields():
    line = woo_row(
        description="<p>Hot</p>\\n<ul><li>one</li><li>two \\\\n</li></ul>",
        stock="5",
        low="2",
        images="https://a/1.jpg, https://a/2.jpg",
        name="Tea &amp; Co",
        gtin="4006381333931",
    )
    _, (row,) = parse_csv(WOOCOMMERCE_ENGLISH, line)
    assert row.values == {
        "sku": "S",
        "barcode": "4006381333931",
        "name": "Tea & Co",
        "description": "Hot\n\n- one\n- two \\n",
        "price": "20",
        "stock": "5",
        "low_stock_threshold": "2",
        "is_active": "yes",
    }
    assert row.pictures == ("https://a/1.jpg", "https://a/2.jpg")


@pytest.mark.parametrize("parent", ["SHIRT", "shirt", "id:3"])
@pytest.mark.parametrize("is_first", [True, False])
def test_variation_takes_blank_fields_from_its_parent(parent, is_first):
    parent_row = woo_row(
        id="3", type="variable", sku="SHIRT", name="Shirt", description="Soft", images="s.jpg"
    )
    variation_row = woo_row(
        id="4", type="variation", sku="", name="", parent=parent, value1="Black", value2="M"
    )
    _, rows = parse_csv(
        WOOCOMMERCE_ENGLISH,
        *([parent_row, variation_row] if is_first else [variation_row, parent_row]),
    )
    variation = next(row for row in rows if not row.skip)
    assert variation.values["sku"] == "woo-4"
    assert variation.values["name"] == "Shirt / Black / M"
    assert variation.values["description"] == "Soft"
    assert variation.pictures == ("s.jpg",)


def test_variation_with_a_name_gets_no_options_in_it():
    parent_row = woo_row(type="variable", sku="SHIRT", name="Shirt", published="0")
    variation_row = woo_row(
        type="variation", name="Shirt - Black", parent="SHIRT", value1="Black", published="1"
    )
    values = parse_last_row(WOOCOMMERCE_ENGLISH, parent_row, variation_row)
    assert (values["name"], values["is_active"]) == ("Shirt - Black", "no")


def test_sku_is_derived_without_sku_and_id():
    row = woo_row(id="", sku="", name="Big Mug")
    assert parse_last_row(WOOCOMMERCE_ENGLISH, row)["sku"] == "big-mug"
    row = woo_row(id="", sku="", type="variation", parent="SHIRT", value1="Dark Red")
    assert parse_last_row(WOOCOMMERCE_ENGLISH, row)["sku"] == "shirt-dark-red"


@pytest.mark.parametrize(
    ("cells", "price"),
    [
        ({"sale": "", "regular": "20"}, "20"),
        ({"sale": "18", "regular": "20"}, "18"),
        ({"sale": "18", "starts": "2026-06-15", "ends": "2026-06-15 23:59:59"}, "18"),
        ({"sale": "18", "starts": "2026-06-16"}, "20"),
        ({"sale": "18", "ends": "2026-06-14 0:00:00"}, "20"),
        ({"sale": "12,50", "regular": ""}, "12,50"),
        ({"sale": "", "regular": "'-5"}, "-5"),
    ],
)
def test_sale_price_applies_within_its_dates(cells, price):
    assert parse_last_row(WOOCOMMERCE_ENGLISH, woo_row(**cells))["price"] == price


@pytest.mark.parametrize("day", ["31/12/2026", "2026-13-01"])
def test_invalid_sale_date_is_an_error_of_its_row(day):
    _, (row,) = parse_csv(WOOCOMMERCE_ENGLISH, woo_row(sale="1", ends=day), today=TODAY)
    assert row.problems == (f"“{day}” isn't a date. Write it like 2026-12-31, or leave it empty.",)


@pytest.mark.parametrize(
    ("stock", "in_stock", "parsed"),
    [
        ("6", "1", "6"),
        ("", "1", ""),
        ("", "", ""),
        ("", "backorder", ""),
        ("parent", "1", ""),
        ("", "0", "0"),
    ],
)
def test_uncounted_stock_is_blank_unless_out_of_stock(stock, in_stock, parsed):
    assert (
        parse_last_row(WOOCOMMERCE_ENGLISH, woo_row(stock=stock, in_stock=in_stock))["stock"]
        == parsed
    )


@pytest.mark.parametrize(
    ("published", "is_active"),
    [
        ("1", "yes"),
        ("TRUE", "yes"),
        ("0", "no"),
        ("-1", "no"),
        ("2", "no"),
        ("", ""),
        ("odd", "odd"),
    ],
)
def test_published_product_is_active(published, is_active):
    assert (
        parse_last_row(WOOCOMMERCE_ENGLISH, woo_row(published=published))["is_active"] == is_active
    )


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x"])
def test_woocommerce_formula_escape_is_removed(name):
    assert parse_last_row(WOOCOMMERCE_ENGLISH, woo_row(name=f"'{name}"))["name"] == name


@pytest.mark.parametrize("headers", [WOOCOMMERCE_GERMAN, WOOCOMMERCE_FRENCH])
def test_translated_headers_are_recognized(headers):
    sale = "2026-01-01,2026-12-31"
    lines = [
        'T,variable,TEE,T-Shirt,1,0,,Soft,,,1,,,,,"a.jpg, b.jpg",,,',
        f'8,variation,,,1,0,,,{sale},1,6,2,"17,99","20,00",,TEE,Farbe,Rot',
    ]
    name, rows = parse_csv(headers, *lines, today=TODAY)
    assert (name, rows[0].skip) == ("woocommerce", VARIABLE)
    assert rows[1].values == {
        "sku": "woo-8",
        "name": "T-Shirt / Rot",
        "description": "Soft",
        "price": "17,99",
        "stock": "6",
        "low_stock_threshold": "2",
        "is_active": "yes",
    }
    assert rows[1].pictures == ("a.jpg", "b.jpg")
