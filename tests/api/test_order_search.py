"""The search of the order list: by what a caller may see of an order."""

from urllib.parse import urlencode

import pytest
from support import factories

from shop.models import User
from shop.services.orders import place_order


@pytest.fixture
def number(carl, mug):
    """The number of Carl's order of a mug."""
    User.objects.filter(pk=carl.pk).update(phone="+49 (0)170/123 45 67")
    factories.add_to_cart(carl, (mug, 1))
    order = place_order(user=carl, shipping_address="1 Fern Road\nLeeds").order
    return order.order_number


def find(app, term):
    response = app.get(f"/orders/?{urlencode({'search': term})}")
    assert response.status_code == 200, response.content
    return [item["order_number"] for item in response.json()["items"]]


def test_customers_find_their_own_orders_by_number_and_product(carls_app, doras_app, number):
    for term in ("mug", "MUG-1", f"#{number}", number.replace("-", " ").lower()):
        assert find(carls_app, term) == [number], term
        assert find(doras_app, term) == [], term
    for term in ("carl", "leeds", "0170 1234567", "lamp"):
        assert find(carls_app, term) == [], term


def test_staff_find_orders_by_customer_phone_address_and_product(adas_app, number):
    for term in ("carl buyer", "BUYER mug", "0170 1234567", "leeds fern", f"#{number}"):
        assert find(adas_app, term) == [number], term
    for term in ("lamp", "carl lamp", "0170 7654321"):
        assert find(adas_app, term) == [], term


def test_a_search_combines_with_filters_and_pages(adas_app, number):
    for query, count in (("status=pending", 1), ("status=shipped", 0), ("page_size=1", 1)):
        assert adas_app.get(f"/orders/?search=mug&{query}").json()["count"] == count, query
