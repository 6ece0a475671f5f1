"""The filters of the shop's own lists, which are made from the fields. More in `tests/low_code`."""

import datetime
import re
from zoneinfo import ZoneInfo

import pytest
from support import factories, world

from shop.admin import filters
from shop.admin.products.admin import ProductAdmin
from shop.models import Order, Product

PRODUCTS = "/admin/shop/product/"
FILTERS = {
    "is_active__exact=1": ["Lamp"],
    "is_active__exact=0": ["Mug"],
    "is_active__exact=": ["Lamp", "Mug"],
    "price_from=12.50&price_to=12.5": ["Mug"],
    "price_from=12.51": ["Lamp"],
    "price_from=12,5&price_to=12,50": ["Mug"],
    "low_stock_threshold_from=9,5": ["Mug"],
    "price_from=": ["Lamp", "Mug"],
    "low_stock_threshold_from=9.5": ["Mug"],
    "low_stock_threshold_to=9.5": ["Lamp"],
    "image__isempty=1": ["Mug"],
    "image__isempty=0": ["Lamp"],
    "created_at_from=2026-03-01&created_at_to=2026-03-01": ["Mug"],
    "created_at_from=1.3.2026&created_at_to=01.03.2026": ["Mug"],
    "created_at_to=2026-02-28": [],
    "created_at_to=9999-12-31": ["Lamp", "Mug"],
    "level=low&is_active__exact=0": ["Mug"],
    "level=": ["Lamp", "Mug"],
    "tax_rate__isempty=1": ["Lamp", "Mug"],
    "tax_rate__isempty=0": [],
}


#: A query that can't be read, of products or orders.
UNREADABLE = {
    "product": [
        *("price_from=abc", "price_to=NaN", "price_from=1e1", "price_from=1,234"),
        *("image__isempty=x", "tax_rate__isempty=2", "is_active__exact=yes", "level=none"),
        *("created_at_from=31.11.2026", "created_at_to=today", "updated_at_to=2026-02-30"),
    ],
    "order": [
        *("created_at_from=31.11.2026", "period=last_century", "status__exact=lost"),
        *("created_at_from=05/11/2026", "created_at_from=2026-03-02&created_at_to=2026-03-01"),
        *("payment_status__exact=paid&payment_status__exact=x", "total_amount_from=ten"),
        *("created_at_from=2026-01-01&created_at_to=x", "e=1"),
    ],
    "auditentry": ["model_name=nothing", "action__exact=x"],
    "orderevent": ["kind__exact=x"],
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
    with statements(5):
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


@pytest.mark.parametrize(
    ("model", "query"), [(model, query) for model in UNREADABLE for query in UNREADABLE[model]]
)
def test_a_filter_that_cannot_be_read_shows_an_error_and_no_rows(
    adas_browser, carl, mug, model, query
):
    world.create_order(carl, (mug, 1))
    response = adas_browser.get(f"/admin/shop/{model}/?{query}")
    changelist = response.context["cl"]
    assert (response.status_code, len(changelist.filter_errors)) == (200, 1)
    assert (list(changelist.result_list), changelist.result_count) == ([], 0)
    page = response.content.decode()
    assert 'role="alert"' in page
    assert f"/admin/shop/{model}/export/" not in page


def test_the_form_keeps_a_date_that_cannot_be_read(adas_browser, mug):
    page = adas_browser.get(f"{PRODUCTS}?created_at_from=31.11.2026").content.decode()
    assert re.search(
        r'<input[^>]*name="created_at_from"[^>]*value="31.11.2026"|'
        r'<input[^>]*value="31.11.2026"[^>]*name="created_at_from"',
        page,
    )


def test_the_form_shows_a_decimal_comma_without_an_error(adas_browser, mug):
    response = adas_browser.get(f"{PRODUCTS}?price_from=12,5")
    changelist = response.context["cl"]
    [price] = [s for s in changelist.filter_specs if getattr(s, "field_path", "") == "price"]
    [choice] = price.choices(changelist)
    assert choice["form"].errors == {}
    inputs = re.findall(r"<input[^>]*>", response.content.decode())
    [field] = [tag for tag in inputs if 'name="price_from"' in tag and "hidden" not in tag]
    assert ('type="text"' in field, 'value="12,5"' in field) == (True, True)


@pytest.mark.parametrize("page", ["product", "order"])
def test_rows_under_a_filter_that_cannot_be_read_are_not_exported(adas_browser, carl, mug, page):
    world.create_order(carl, (mug, 1))
    url = f"/admin/shop/{page}/"
    values = {"file_format": "csv", "layout": "own"}
    response = adas_browser.post(f"{url}export/?created_at_from=31.11.2026", values)
    assert (response.status_code, response["Location"]) == (
        302,
        f"{url}?created_at_from=31.11.2026",
    )


def test_an_action_under_a_filter_that_cannot_be_read_changes_nothing(adas_browser, mug):
    values = {"action": "archive", "select_across": "1", "_selected_action": [mug.pk]}
    adas_browser.post(f"{PRODUCTS}?price_from=abc", values)
    mug.refresh_from_db()
    assert mug.is_active


#: Period -> the first and last moment that it includes on 12 March 2026, in Berlin's time.
PERIODS = {
    "today": ("2026-03-12", "2026-03-12"),
    "yesterday": ("2026-03-11", "2026-03-11"),
    "last_7_days": ("2026-03-06", "2026-03-12"),
    "last_30_days": ("2026-02-11", "2026-03-12"),
    "this_month": ("2026-03-01", "2026-03-12"),
    "last_month": ("2026-02-01", "2026-02-28"),
    "this_year": ("2026-01-01", "2026-03-12"),
    "last_year": ("2025-01-01", "2025-12-31"),
}


@pytest.mark.parametrize("period", PERIODS)
def test_a_period_is_of_days_in_the_shops_time_zone(
    adas_browser, carl, mug, settings, monkeypatch, period
):
    settings.TIME_ZONE = "Europe/Berlin"
    today = datetime.date(2026, 3, 12)
    monkeypatch.setattr(filters.timezone, "localdate", lambda: today)
    first, last = map(datetime.date.fromisoformat, PERIODS[period])
    start = datetime.datetime.combine(first, datetime.time(), ZoneInfo("Europe/Berlin"))
    end = datetime.datetime.combine(
        last + datetime.timedelta(days=1), datetime.time(), ZoneInfo("Europe/Berlin")
    )
    tick = datetime.timedelta(microseconds=1)
    inside: list[int] = []
    outside: list[int] = []
    for moment, keys in (
        (start, inside),
        (end - tick, inside),
        (start - tick, outside),
        (end, outside),
    ):
        order = world.create_order(carl, (mug, 1))
        Order.objects.filter(pk=order.pk).update(created_at=moment)
        keys.append(order.pk)
    response = adas_browser.get(f"/admin/shop/order/?period={period}")
    assert sorted(row.pk for row in response.context["cl"].result_list) == sorted(inside)


def test_filters_are_titled_by_what_they_ask(adas_browser, mug):
    for page, titles in (
        ("order", ["Order date", "Payment", "Payment method"]),
        ("auditentry", ["What happened", "Record type"]),
    ):
        text = adas_browser.get(f"/admin/shop/{page}/").content.decode()
        assert [title for title in titles if title not in text] == []
        assert "By did" not in text
