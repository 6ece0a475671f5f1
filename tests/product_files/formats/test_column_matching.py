"""Columns are found by what they are called, however it is written."""

import pytest

from shop.product_files.formats import header_aliases
from shop.product_files.formats.column_matching import STOCK_WAS, ColumnMatch, match_columns
from shop.services.errors import FileRefused


def own(*headers):
    return match_columns(headers, header_aliases.field_aliases())


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("name", "name"),
        ("NAME", "name"),
        ("\ufeffName ", "name"),
        ("Title", "name"),
        ("SKU", "sku"),
        ("Article-Number", "sku"),
        ("price", "price"),
        ("Price (EUR)", "price"),
        ("price_eur", "price"),
        ("Stock", "stock"),
        ("qty", "stock"),
        ("Quantity", "stock"),
        ("inventory", "stock"),
        (STOCK_WAS, "stock_was"),
        ("stock_was", "stock_was"),
        ("is_active", "is_active"),
        ("active", "is_active"),
        ("low stock at", "low_stock_threshold"),
        ("Low_Stock-Threshold", "low_stock_threshold"),
        ("Picture", "image"),
        ("image", "image"),
    ],
)
def test_a_header_is_known_however_it_is_written(header, field):
    assert own(header).places == {field: 0}


def test_the_order_does_not_matter_and_what_is_not_read_is_listed():
    found = own("Price", "Colour", "sku", "", "name")
    assert found == ColumnMatch(
        places={"price": 0, "sku": 2, "name": 4}, unknown=["Colour"], suggestions=[]
    )


@pytest.mark.parametrize(
    ("header", "meant"),
    [
        ("stok", "stock"),
        ("Pirce", "price"),
        ("descripton", "description"),
        ("low stock a", "low stock at"),
    ],
)
def test_a_misspelt_header_is_asked_about(header, meant):
    found = own(header)
    assert found == ColumnMatch(
        places={}, unknown=[header], suggestions=[f"“{header}”: did you mean “{meant}”?"]
    )


def test_no_column_is_suggested_that_is_there():
    assert own("stock", "stok").suggestions == []


def test_the_fields_own_name_wins_over_what_people_call_it():
    found = own("title", "name")
    assert found.places == {"name": 1}
    assert found.unknown == ["title"]
    assert found.suggestions == ["“title” is not read: “name” is there already."]


def test_two_columns_with_an_equal_claim_are_refused():
    with pytest.raises(FileRefused) as refused:
        own("price (EUR)", "sku", "Price")
    assert str(refused.value) == (
        "“price (EUR)” and “Price” are the same column to us. Rename or delete one."
    )


def test_accents_and_punctuation_do_not_matter():
    places = match_columns(
        ["Publie", "TARIF REGULIER", "En stock?"], header_aliases.WOOCOMMERCE
    ).places
    assert places == {"published": 0, "regular_price": 1, "in_stock": 2}


def test_every_field_that_staff_edit_is_known_by_itself():
    assert {
        "name",
        "sku",
        "description",
        "price",
        "image",
        "is_active",
        "stock",
    } <= header_aliases.field_aliases().keys()
    assert "id" not in header_aliases.field_aliases()
    assert "created_at" not in header_aliases.field_aliases()
