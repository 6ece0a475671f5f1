"""Changelists with more rows than are counted; the limits are lowered to two rows."""

import pytest
from support import factories, world

from shop.admin import changelists, dashboard
from shop.db import row_search
from shop.models import Order

ORDERS_URL = "/admin/shop/order/"


@pytest.fixture
def orders(carl, dora, mug):
    orders = [world.create_order(user, (mug, 1)) for user in (carl, carl, dora)]
    Order.objects.filter(pk=orders[0].pk).update(status="delivered")
    return orders


@pytest.fixture
def count_of_two(monkeypatch):
    """Lists are counted up to two rows."""
    monkeypatch.setattr(changelists, "MAX_LISTED", 2)
    monkeypatch.setattr(row_search, "MAX_COUNTED", 2)


def listed_keys(answer):
    return [order.pk for order in answer.context["cl"].result_list]


@pytest.mark.parametrize(
    ("parameters", "positions", "queries"),
    [
        ({}, [2, 1, 0], 6),
        ({"status__exact": "pending"}, [2, 1], 6),
        ({"status__exact": "shipped"}, [], 6),
        ({"q": "carl@example.com", "status__exact": "pending"}, [1], 7),
        ({"q": "buyer", "status__exact": "pending", "period": "last_7_days"}, [1], 8),
        ({"q": "buyer", "status__exact": "shipped"}, [], 7),
        ({"q": "NUMBER", "status__exact": "delivered"}, [0], 7),
        ({"q": "NUMBER", "status__exact": "pending"}, [], 6),
        ({"q": "nobody", "status__exact": "pending"}, [], 7),
    ],
)
def test_a_search_with_a_filter_is_seven_queries(
    adas_browser, orders, statements, parameters, positions, queries
):
    """Session, user, keys of the search, the page with all its counts, its items, the saved views
    and the sidebar's counts."""
    parameters = {
        name: value.replace("NUMBER", orders[0].order_number) for name, value in parameters.items()
    }
    with statements(queries):
        answer = adas_browser.get(ORDERS_URL, parameters)
    assert listed_keys(answer) == [orders[position].pk for position in positions]
    counts = [tab["count"] for tab in answer.context["tabs"]]
    assert counts == [3, *(Order.objects.filter(status=status).count() for status in Order.Status)]
    assert Order.objects.filter(status="confirmed").count() == 0


@pytest.mark.parametrize(
    ("column", "is_indexed"), [("3", False), ("7", True), ("1", True), ("-2", False)]
)
def test_a_list_too_long_to_sort_is_sorted_by_indexed_columns_only(
    adas_browser, orders, monkeypatch, column, is_indexed
):
    for number, order in enumerate(orders):
        Order.objects.filter(pk=order.pk).update(
            order_number=f"{number:04}-0000", total_amount=number
        )
    monkeypatch.setattr(changelists, "MAX_LISTED", 2)
    answer = adas_browser.get(ORDERS_URL, {"o": column})
    message = "More than 2 rows can't be sorted by this column. Search or filter first."
    assert factories.page_messages(answer) == ([] if is_indexed else [message])
    expected = orders if is_indexed else orders[::-1]
    assert listed_keys(answer)[:2] == [order.pk for order in expected][:2]
    filtered = adas_browser.get(ORDERS_URL, {"o": column, "status__exact": "pending"})
    assert factories.page_messages(filtered) == []


def test_a_page_number_that_does_not_exist_shows_the_first_page(adas_browser, orders):
    for page in ("2", "99999999999", "-1", "0", "7"):
        answer = adas_browser.get(ORDERS_URL, {"p": page})
        assert listed_keys(answer) == [order.pk for order in reversed(orders)]


def test_the_orders_of_a_long_period_are_counted_once_a_minute(
    adas_browser, orders, carl, mug, monkeypatch
):
    def dashboard_count():
        answer = adas_browser.get("/admin/")
        is_cached = answer.context["dashboard"]["computed_at"] is not None
        return answer.context["dashboard"]["cards"][1][1], is_cached

    assert dashboard_count() == ("3", False)
    monkeypatch.setattr(dashboard, "MANY_ORDERS", 3)
    world.create_order(carl, (mug, 1))
    assert dashboard_count() == ("4", False)
    world.create_order(carl, (mug, 1))
    assert dashboard_count() == ("4", True)
