"""The filters of the shop's own lists, which are made from the fields. More in `tests/low_code`."""

import datetime
import re

import pytest
from support import factories

from shop.admin.products.admin import ProductAdmin
from shop.models import Product

PRODUCTS = "/admin/shop/product/"
FILTERS = {
    "is_active__exact=1": ["Lamp"],
    "is_active__exact=0": ["Mug"],
    "is_active__exact=": ["Lamp", "Mug"],
    "price_from=12.50&price_to=12.5": ["Mug"],
    "price_from=12.51": ["Lamp"],
    "price_from=": ["Lamp", "Mug"],
    "price_from=abc": ["Lamp", "Mug"],
    "price_from=NaN": ["Lamp", "Mug"],
    "low_stock_threshold_from=9.5": ["Mug"],
    "low_stock_threshold_to=9.5": ["Lamp"],
    "image__isempty=1": ["Mug"],
    "image__isempty=0": ["Lamp"],
    "image__isempty=x": ["Lamp", "Mug"],
    "created_at_from=2026-03-01&created_at_to=2026-03-01": ["Mug"],
    "created_at_to=2026-02-28": [],
    "created_at_to=9999-12-31": ["Lamp", "Mug"],
    "created_at_from=31.11.2026": ["Lamp", "Mug"],
    "level=low&is_active__exact=0": ["Mug"],
}


@pytest.fixture
def products(mug, lamp):
    late = datetime.datetime(2026, 3, 1, 23, 59, 59, tzinfo=datetime.UTC)
    values = {"is_active": False, "low_stock_threshold": 10, "created_at": late}
    Product.objects.filter(pk=mug.pk).update(**values)
    Product.objects.filter(pk=lamp.pk).update(image="lamp.webp")


def parameters(response):
    specs = response.context["cl"].filter_specs
    return [name for spec in specs for name in spec.expected_parameters()]


@pytest.mark.parametrize("query", FILTERS)
def test_products_are_filtered_by_their_fields(adas_browser, products, query):
    response = adas_browser.get(f"{PRODUCTS}?{query}")
    assert sorted(map(str, response.context["cl"].result_list)) == FILTERS[query]


def test_each_field_has_one_filter(adas_browser, mug):
    response = adas_browser.get(PRODUCTS)
    specs = response.context["cl"].filter_specs
    assert [getattr(spec, "field_path", "level") for spec in specs] == [
        "level",
        *(
            "price",
            "image",
            "is_active",
            "low_stock_threshold",
            "tax_rate",
            "created_at",
            "updated_at",
        ),
    ]


@pytest.mark.parametrize("value", ["\0", "9" * 40, "-1", "1e400", "1e25", "[]", "0000-01-01"])
def test_no_value_is_a_server_error(adas_browser, products, value):
    for name in parameters(adas_browser.get(PRODUCTS)):
        for query in ({name: value}, {name: ["", value], "e": "1"}, {name: value, "_facets": "1"}):
            assert adas_browser.get(PRODUCTS, query).status_code < 500, (name, query)


def test_a_list_has_the_same_statements_under_all_filters(adas_browser, products, statements):
    names = ("price_from", "created_at_from", "image__isempty", "is_active__exact")
    query = dict(zip(names, ("1", "2026-01-01", "1", "0"), strict=True))
    adas_browser.get(PRODUCTS, query)
    with statements(4):
        assert factories.page_messages(adas_browser.get(PRODUCTS, query)) == []


@pytest.mark.parametrize("query", ["in_stock__exact=1", "is_low__exact=0"])
def test_a_generated_field_is_filtered_by_what_it_computes(
    adas_browser, products, monkeypatch, query
):
    Product.objects.filter(name="Mug").update(stock=0)
    Product.objects.filter(name="Lamp").update(stock=99)
    monkeypatch.setattr(ProductAdmin, "hidden_filters", ())
    response = adas_browser.get(f"{PRODUCTS}?{query}")
    assert [product.name for product in response.context["cl"].result_list] == ["Lamp"]


def test_a_generated_boolean_is_shown_as_an_icon(adas_browser, mug, monkeypatch):
    monkeypatch.setattr(ProductAdmin, "hidden_columns", ())
    page = adas_browser.get(f"{PRODUCTS}?o=7").content.decode()
    [cell] = re.findall(r'<td class="field-in_stock.*?</td>', page, re.DOTALL)
    assert 'title="True"' in cell
