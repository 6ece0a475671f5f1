"""Tabs, search and filters of the order list."""

import pytest
from django.utils import timezone
from support import factories
from support.bulk_actions import LIST

from shop.models import Order
from shop.services.orders import place_order

STATUSES = ["confirmed", "shipped", "cancelled"]


@pytest.fixture
def orders(carl, mug):
    """Three orders: confirmed, shipped, cancelled."""
    placed = []
    for status in STATUSES:
        factories.add_to_cart(carl, (mug, 2))
        placed.append(place_order(user=carl, shipping_address="1 Fern Road\nKew").order)
        Order.objects.filter(pk=placed[-1].pk).update(status=status)
    return placed


def listed(browser, **filters):
    """Return the orders on the list's first page."""
    return list(browser.get(LIST, filters).context["cl"].result_list)


@pytest.mark.parametrize("term", ["mug-1", "carl@", "Kew", "Buyer"])
def test_search_looks_in_sku_email_address_and_name(adas_browser, orders, term):
    assert sorted(o.pk for o in listed(adas_browser, q=term)) == sorted(o.pk for o in orders)


def test_tabs_count_every_status(adas_browser, orders):
    response = adas_browser.get(LIST, {"status__exact": "shipped"})
    context = response.context
    counts = [(tab["label"], tab["count"]) for tab in context["tabs"]]
    assert counts[1:] == [(status.label, int(status in STATUSES)) for status in Order.Status]
    assert counts[0][1] == 3
    assert response.content.decode().count('aria-current="page">Shipped') == 1
    assert [order.pk for order in context["cl"].result_list] == [orders[1].pk]


def test_a_range_of_days_includes_the_whole_last_day(adas_browser, orders):
    late = timezone.now().replace(year=2026, month=3, day=11, hour=23, minute=59)
    Order.objects.filter(pk=orders[0].pk).update(created_at=late)
    days = {"created_at_from": "2026-03-11", "created_at_to": "2026-03-11"}
    assert [order.pk for order in listed(adas_browser, **days)] == [orders[0].pk]
