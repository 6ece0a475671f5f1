"""Products by what a scanner sends or a person types."""

import pytest
from support import factories

from shop.services.product_lookup import find_product_by_code, suggest_products

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf():
    for name, sku, barcode in (
        ("Blue mug", "MUG-1", "036000291452"),
        ("Mug rack", "RACK-1", "4006381333931"),
        ("Jug, not a mug", "4006381333900", None),
        ("Bowl", "BOWL-MUG", None),
        ("Crème brûlée dish", "DISH", None),
    ):
        factories.create_product(name, sku=sku, barcode=barcode, is_active=name != "Mug rack")


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("036000291452", "Blue mug"),
        ("0036000291452", "Blue mug"),
        (" 0 36000-29145 2\r\n", "Blue mug"),
        ("4006381333931", "Mug rack"),
        ("mug-1", "Blue mug"),
        ("4006381333900", "Jug, not a mug"),
        ("MUG", None),
        ("96385074", None),
        ("", None),
        ("\0", None),
    ],
)
def test_a_code_names_one_product(shelf, code, name, statements):
    with statements(1 if code.strip("\0") else 0):
        found = find_product_by_code(code=code)
    assert (found and found.name) == name


def test_a_barcode_precedes_a_sku_of_the_same_digits(shelf):
    factories.create_product("Odd", sku="4006381333931")
    assert find_product_by_code(code="4006381333931").name == "Mug rack"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("mug", ["Blue mug", "Mug rack", "Bowl", "Jug, not a mug"]),
        ("MUG rack", ["Mug rack"]),
        ("4006381333", ["Jug, not a mug", "Mug rack"]),
        ("0 36000 29145 2", ["Blue mug"]),
        ("creme", ["Crème brûlée dish"]),
        ("", []),
        ("\0", []),
        ("teapot", []),
    ],
)
def test_suggestions_begin_with_codes_then_names(shelf, text, names, statements):
    with statements(1 if text.strip("\0") else 0):
        assert [product.name for product in suggest_products(text=text)] == names


def test_suggestions_are_limited(shelf):
    assert len(suggest_products(text="mug", limit=2)) == 2
