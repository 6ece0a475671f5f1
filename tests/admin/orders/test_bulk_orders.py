from datetime import timedelta

import pytest
from django.utils import timezone
from support import factories

from shop.admin.orders.actions import format_bulk_result
from shop.models import Order, OrderEvent, StockMovement
from shop.services.errors import InvalidTransition
from shop.services.order_moves import BulkMoveResult
from shop.services.orders import place_order

LIST = "/admin/shop/order/"
READY_TO_SHIP = Order.Status.path_to("shipped")[-2]
STATUSES = [READY_TO_SHIP, "shipped", "cancelled"]


@pytest.fixture
def orders(carl, mug):
    """Three orders: ready to ship, shipped, cancelled."""
    placed = []
    for status in STATUSES:
        factories.add_to_cart(carl, (mug, 2))
        placed.append(place_order(user=carl, shipping_address="1 Fern Road\nKew").order)
        Order.objects.filter(pk=placed[-1].pk).update(status=status)
    return placed


def run(browser, action, orders, **values):
    selected = {"action": action, "_selected_action": [str(order.pk) for order in orders]}
    return browser.post(LIST, selected | values, follow=True)


def listed(browser, **filters):
    """Return the orders on the list's first page."""
    return list(browser.get(LIST, filters).context["cl"].result_list)


def statuses():
    return list(Order.objects.order_by("pk").values_list("status", flat=True))


def test_a_mixed_selection_moves_what_it_can_and_names_the_rest(adas_browser, orders):
    [message] = factories.page_messages(run(adas_browser, "move_to_shipped", orders))
    assert message == (
        "1 order is now shipped."
        f" 2 orders were not changed: {orders[1]} (shipped), {orders[2]} (cancelled)."
    )
    assert statuses() == ["shipped", "shipped", "cancelled"]


def test_the_message_names_at_most_twenty_orders():
    left = [(Order(status="cancelled"), InvalidTransition())] * 21
    message = format_bulk_result(BulkMoveResult([], left), Order.Status.SHIPPED)
    assert (message.count("(cancelled)"), message.count("…")) == (20, 1)


def test_cancelling_many_asks_for_a_reason_first(adas_browser, orders, mug):
    page = run(adas_browser, "move_to_cancelled", orders[:2])
    assert page.context["button_kind"] == "danger"
    assert statuses() == STATUSES
    run(adas_browser, "move_to_cancelled", orders[:2], note="Storm")
    assert statuses() == ["cancelled"] * 3
    assert set(
        StockMovement.objects.filter(kind="cancellation").values_list("reason", "delta")
    ) == {("Storm", 2)}


@pytest.mark.parametrize("action", ["move_to_shipped", "move_to_cancelled"])
def test_without_permission_nothing_is_moved(staff_client_with, orders, action):
    viewer = staff_client_with("view_order")
    run(viewer, action, orders, note="x")
    assert statuses() == STATUSES
    assert OrderEvent.objects.count() == 3


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


@pytest.mark.parametrize(("days", "number"), [("1", 2), ("7", 3), ("30", 3), ("x", 3)])
def test_recent_days_include_today(adas_browser, orders, days, number):
    yesterday = timezone.now() - timedelta(days=1)
    Order.objects.filter(pk=orders[0].pk).update(created_at=yesterday)
    assert len(listed(adas_browser, days=days)) == number


def test_items_of_a_refused_delivery_are_written_off(adas_browser, orders, mug):
    url = f"{LIST}{orders[1].pk}/move/cancelled/"
    form = adas_browser.get(url).context["form"]
    assert form.initial["note"] == "Refused on delivery."
    adas_browser.post(url, {"note": "Refused on delivery.", "written_off": [mug.pk]})
    assert statuses()[1] == "cancelled"
    assert list(StockMovement.objects.values_list("kind", "delta")[:2]) == [
        ("damaged", -2),
        ("cancellation", 2),
    ]


def test_a_note_is_added_for_staff_or_for_the_customer(adas_browser, orders, ada):
    url = f"{LIST}{orders[0].pk}/note/"
    adas_browser.post(url, {"note": "Called back"})
    adas_browser.post(url, {"note": "On Monday", "is_public": "on"})
    notes = OrderEvent.objects.filter(kind="note").values_list("note", "is_internal", "actor")
    assert list(notes) == [("Called back", True, ada.pk), ("On Monday", False, ada.pk)]
