"""WooCommerce exports, in three languages."""

import datetime

import pytest
from support.file_builders import read_lines
from support.shop_headers import FRENCH, GERMAN, WOO

TODAY = datetime.date(2026, 6, 15)


def woo(**cells):
    """One row of a WooCommerce export, by our own names for its columns."""
    names = ["id", "type", "sku", "gtin", "name", "published", "featured", "visibility", "short"]
    names += [
        "description",
        "starts",
        "ends",
        "in_stock",
        "stock",
        "low",
        "sale",
        "regular",
        "images",
    ]
    names += ["parent", "attribute", "value1", "value2"]
    cells = {
        "id": "7",
        "type": "simple",
        "sku": "S",
        "name": "Mug",
        "published": "1",
        "regular": "20",
    } | cells
    return ",".join('"' + cells.get(name, "").replace('"', '""') + '"' for name in names)


def one(*rows):
    """The values of the last row."""
    return read_lines(*rows, today=TODAY)[1][-1].values


def test_woocommerce_rows_that_cannot_be_sold_say_why():
    kinds = [
        "variable",
        "grouped",
        "external",
        "Variable-Subscription",
        "simple, downloadable, virtual",
        "",
    ]
    name, found = read_lines(WOO, *(woo(type=kind) for kind in kinds))
    assert name == "woocommerce"
    assert [line.skip for line in found] == [
        "a variable product: its variations are the products",
        "a grouped product: the products in it are the products",
        "an external product: another shop sells it",
        "a variable product: its variations are the products",
        "",
        "",
    ]


def test_a_woocommerce_row_in_our_own_fields():
    row = woo(
        description="<p>Hot</p>\\n<ul><li>one</li><li>two \\\\n</li></ul>",
        stock="5",
        low="2",
        images="https://a/1.jpg, https://a/2.jpg",
        name="Tea &amp; Co",
    )
    _, (found,) = read_lines(WOO, row)
    assert found.values == {
        "sku": "S",
        "name": "Tea & Co",
        "description": "Hot\n\n- one\n- two \\n",
        "price": "20",
        "stock": "5",
        "low_stock_threshold": "2",
        "is_active": "yes",
    }
    assert found.pictures == ("https://a/1.jpg", "https://a/2.jpg")


@pytest.mark.parametrize("parent", ["SHIRT", "shirt", "id:3"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_variation_takes_from_its_parent_what_it_does_not_say(parent, is_first):
    above = woo(
        id="3", type="variable", sku="SHIRT", name="Shirt", description="Soft", images="s.jpg"
    )
    below = woo(
        id="4", type="variation", sku="", name="", parent=parent, value1="Black", value2="M"
    )
    _, found = read_lines(WOO, *([above, below] if is_first else [below, above]))
    variation = next(line for line in found if not line.skip)
    assert variation.values["sku"] == "woo-4"
    assert variation.values["name"] == "Shirt / Black / M"
    assert variation.values["description"] == "Soft"
    assert variation.pictures == ("s.jpg",)


def test_a_variations_own_name_has_its_options_already():
    above = woo(type="variable", sku="SHIRT", name="Shirt", published="0")
    below = woo(
        type="variation", name="Shirt - Black", parent="SHIRT", value1="Black", published="1"
    )
    values = one(WOO, above, below)
    assert (values["name"], values["is_active"]) == ("Shirt - Black", "no")


def test_a_woocommerce_key_without_sku_and_number_is_made_of_what_there_is():
    assert one(WOO, woo(id="", sku="", name="Big Mug"))["sku"] == "big-mug"
    row = woo(id="", sku="", type="variation", parent="SHIRT", value1="Dark Red")
    assert one(WOO, row)["sku"] == "shirt-dark-red"


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
def test_a_sale_price_counts_between_its_dates(cells, price):
    assert one(WOO, woo(**cells))["price"] == price


@pytest.mark.parametrize("day", ["31/12/2026", "2026-13-01"])
def test_a_date_that_is_none_is_a_problem_of_its_row(day):
    _, (found,) = read_lines(WOO, woo(sale="1", ends=day), today=TODAY)
    assert found.problems == (
        f"“{day}” is no date of a sale. Write it like 2026-12-31, or leave it out.",
    )


@pytest.mark.parametrize(
    ("stock", "in_stock", "read"),
    [
        ("6", "1", "6"),
        ("", "1", ""),
        ("", "", ""),
        ("", "backorder", ""),
        ("parent", "1", ""),
        ("", "0", "0"),
    ],
)
def test_stock_that_nobody_counts_is_not_read_as_nothing(stock, in_stock, read):
    assert one(WOO, woo(stock=stock, in_stock=in_stock))["stock"] == read


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
def test_what_woocommerce_publishes_is_active(published, is_active):
    assert one(WOO, woo(published=published))["is_active"] == is_active


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x"])
def test_woocommerces_guard_against_formulas_is_taken_off(name):
    assert one(WOO, woo(name=f"'{name}"))["name"] == name


@pytest.mark.parametrize("headers", [GERMAN, FRENCH])
def test_translated_headers_are_read_alike(headers):
    sale = "2026-01-01,2026-12-31"
    rows = [
        'T,variable,TEE,T-Shirt,1,0,,Soft,,,1,,,,,"a.jpg, b.jpg",,,',
        f'8,variation,,,1,0,,,{sale},1,6,2,"17,99","20,00",,TEE,Farbe,Rot',
    ]
    name, found = read_lines(headers, *rows, today=TODAY)
    assert (name, found[0].skip[:18]) == ("woocommerce", "a variable product")
    assert found[1].values == {
        "sku": "woo-8",
        "name": "T-Shirt / Rot",
        "description": "Soft",
        "price": "17,99",
        "stock": "6",
        "low_stock_threshold": "2",
        "is_active": "yes",
    }
    assert found[1].pictures == ("a.jpg", "b.jpg")
