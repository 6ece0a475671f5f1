"""Barcodes in product files, also as other shops and spreadsheets write them."""

import pytest
from support import factories
from support.import_runs import (
    create_applied,
    create_preview,
    csv_text,
    problem_fields,
    row_values,
    undone,
)

from shop.models import Product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ada")]


def barcodes():
    return dict(Product.objects.order_by("sku").values_list("sku", "barcode"))


@pytest.mark.parametrize("header", ["barcode", "EAN", "GTIN", "UPC", "ISBN", "EAN-13"])
def test_a_file_sets_barcodes_and_undo_takes_them_back(mug, lamp, header):
    text = csv_text(
        ("MUG-1", "4 006381 333931"),
        ("LAMP-1", "'036000291452"),
        headers=("sku", header),
    )
    change_set = create_applied(text)
    assert barcodes() == {"LAMP-1": "0036000291452", "MUG-1": "4006381333931"}
    again = create_preview(csv_text(("LAMP-1", "036000291452"), headers=("sku", header)))
    assert row_values(again, "status") == [("unchanged",)]
    undone(change_set)
    assert barcodes() == {"LAMP-1": None, "MUG-1": None}


SHOPIFY = "Handle,Title,Option1 Value,Variant SKU,Variant Price,Variant Barcode"
SHOPIFY_NEW = "URL handle,Title,Option1 value,SKU,Price,Barcode"
WOOCOMMERCE = 'ID,Type,SKU,"GTIN, UPC, EAN, or ISBN",Name,Published,Regular price'
WOOCOMMERCE_GERMAN = (
    'ID,Typ,Artikelnummer,"GTIN, UPC, EAN oder ISBN",Name,Veröffentlicht,Regulärer Preis'
)


@pytest.mark.parametrize(
    "text",
    [
        f"{SHOPIFY}\nmug,Mug,Red,A-1,5,'4006381333931\nmug,,Blue,A-2,5,",
        f"{SHOPIFY_NEW}\nmug,Mug,Red,A-1,5,4006381333931\nmug,,Blue,A-2,5,",
        f"{WOOCOMMERCE}\n1,simple,A-1,4006381333931,Mug,1,5\n2,simple,A-2,,Jug,1,5",
        f"{WOOCOMMERCE_GERMAN}\n1,simple,A-1,4006381333931,Mug,1,5\n2,simple,A-2,,Jug,1,5",
    ],
    ids=["shopify", "shopify-new", "woocommerce", "woocommerce-german"],
)
def test_other_shops_files_have_a_column_for_it(text):
    create_applied(text)
    assert barcodes() == {"A-1": "4006381333931", "A-2": None}


def test_a_mangled_or_taken_barcode_is_an_error_of_its_cell(mug, lamp):
    factories.create_product("Jug", sku="JUG-1", barcode="4006381333931")
    before = barcodes()
    rows = [
        ("MUG-1", "4.00638E+12"),
        ("MUG-1B", "36000291452"),
        ("MUG-1C", "4006381333932"),
        ("LAMP-1", "4006381333931"),
        ("NEW-1", "036000291452"),
        ("NEW-2", "0036000291452"),
        ("NEW-3", "96385074"),
        ("NEW-4", ""),
    ]
    text = csv_text(
        *((sku, "New", "5", barcode) for sku, barcode in rows),
        headers=("sku", "name", "price", "barcode"),
    )
    change_set = create_preview(text)
    assert problem_fields(change_set) == {line: ["barcode"] for line in range(2, 8)}
    assert barcodes() == before
    create_applied(text, good_only=True)
    assert barcodes() == before | {"NEW-3": "96385074", "NEW-4": None}
