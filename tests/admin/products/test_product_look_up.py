"""The look-up of products on the pages of the stock room."""

import pytest
from support import factories

from shop.models import Product, StockMovement

LOOKUP = "/admin/shop/product/lookup/"


def look_up(browser, **parameters):
    answer = browser.get(LOOKUP, parameters).json()
    return [
        [product and product["sku"] for product in answer[name]]
        for name in ("products", "suggestions")
    ]


@pytest.fixture
def shelf(mug, lamp):
    Product.objects.filter(pk=lamp.pk).update(barcode="4006381333931")
    return factories.create_product("Mug rack", sku="RACK-1", stock=0)


@pytest.mark.parametrize(
    ("parameters", "products", "suggestions"),
    [
        ({"code": "mug-1"}, ["MUG-1"], []),
        ({"code": "04006381333931"}, ["LAMP-1"], []),
        ({"code": "mug"}, [None], ["MUG-1", "RACK-1"]),
        ({"code": "NOPE-1"}, [None], []),
        ({"code": ["LAMP-1", "NOPE-1", "MUG-1"]}, ["LAMP-1", None, "MUG-1"], []),
        ({"text": "rack"}, [], ["RACK-1"]),
        ({"text": ""}, [], []),
        ({"code": "\0"}, [None], []),
        ({"id": ["x", "987", "9" * 30, "-1"]}, [None], []),
        ({}, [], []),
    ],
)
def test_products_are_looked_up(adas_browser, shelf, parameters, products, suggestions):
    assert look_up(adas_browser, **parameters) == [products, suggestions]


def test_a_look_up_shows_the_stock_and_no_price(adas_browser, mug):
    response = adas_browser.get(LOOKUP, {"id": mug.pk})
    assert "no-store" in response["Cache-Control"]
    (product,) = response.json()["products"]
    assert product == {
        "id": mug.pk,
        "name": "Mug",
        "sku": "MUG-1",
        "picture": "/static/shop/no-picture.svg",
        "stock": 10,
        "seen": StockMovement.objects.get().pk,
    }


@pytest.mark.parametrize(
    "parameters",
    [{"code": ["MUG-1"]}, {"code": ["MUG-1", "LAMP-1", "RACK-1"]}, {"text": "m"}, {"text": "mu"}],
)
def test_a_look_up_takes_one_query_beside_the_session(adas_browser, shelf, statements, parameters):
    adas_browser.get(LOOKUP)
    with statements(SESSION_STATEMENTS):
        adas_browser.get(LOOKUP)
    with statements(SESSION_STATEMENTS + 1):
        adas_browser.get(LOOKUP, parameters)


SESSION_STATEMENTS = 2
