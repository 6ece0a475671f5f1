"""Matching of headers to fields."""

import pytest

from shop import exposure
from shop.models import Product
from shop.product_files.formats import header_aliases
from shop.product_files.formats.column_matching import STOCK_WAS, ColumnMatch, match_columns
from shop.services.errors import FileRefused


def match_own_columns(*headers):
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
        ("reorder level", "low_stock_threshold"),
        ("Low_Stock-Threshold", "low_stock_threshold"),
        ("Picture", "image"),
        ("image", "image"),
    ],
)
def test_header_matches_in_any_spelling(header, field):
    assert match_own_columns(header).places == {field: 0}


def test_columns_match_in_any_order_and_unknown_headers_are_listed():
    match = match_own_columns("Price", "Colour", "sku", "", "name")
    assert match == ColumnMatch(
        places={"price": 0, "sku": 2, "name": 4}, unknown=["Colour"], suggestions=[]
    )


@pytest.mark.parametrize(
    ("header", "suggested"),
    [
        ("stok", "stock"),
        ("Pirce", "price"),
        ("descripton", "description"),
        ("reorder leve", "reorder level"),
    ],
)
def test_misspelt_header_gets_a_suggestion(header, suggested):
    match = match_own_columns(header)
    assert match == ColumnMatch(
        places={}, unknown=[header], suggestions=[f"“{header}”: did you mean “{suggested}”?"]
    )


def test_column_that_the_file_has_is_not_suggested():
    assert match_own_columns("stock", "stok").suggestions == []


def test_field_name_wins_over_a_synonym():
    match = match_own_columns("title", "name")
    assert match.places == {"name": 1}
    assert match.unknown == ["title"]
    assert match.suggestions == ["“title” isn't imported, because the file also has “name”."]


def test_two_columns_with_the_same_header_are_refused():
    with pytest.raises(FileRefused) as refused:
        match_own_columns("price (EUR)", "sku", "Price")
    assert str(refused.value) == (
        "“price (EUR)” and “Price” mean the same. Rename or delete one of them."
    )


def test_accents_and_punctuation_are_ignored():
    headers = ["Publie", "TARIF REGULIER", "En stock?"]
    match = match_columns(headers, header_aliases.WOOCOMMERCE)
    assert match.places == {"published": 0, "regular_price": 1, "in_stock": 2}


def test_every_editable_field_has_headers():
    aliases = header_aliases.field_aliases()
    assert {*exposure.editable_fields(Product), "stock", "stock_was"} == aliases.keys()
    assert not {"id", "created_at"} & aliases.keys()
