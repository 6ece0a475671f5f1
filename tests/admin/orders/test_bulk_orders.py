from datetime import timedelta

import pytest
from django.utils import timezone
from support import factories

from shop.models import Order, OrderEvent, StockMovement
from shop.services.orders import place_order

LIST = "/admin/shop/order/"


@pytest.fixture
def orders(carl, mug):
    """Three orders: confirmed, shipped, cancelled."""
    made = []
    for status in ("confirmed", "shipped", "cancelled"):
        factories.add_to_cart(carl, (mug, 2))
        made.append(place_order(user=carl, shipping_address="1 Fern Road\nKew").order)
        Order.objects.filter(pk=made[-1].pk).update(status=status)
    return made


def run(browser, action, orders, **more):
    chosen = {"action": action, "_selected_action": [str(order.pk) for order in orders]}
    return browser.post(LIST, chosen | more, follow=True)


def statuses():
    return list(Order.objects.order_by("pk").values_list("status", flat=True))


def test_a_mixed_selection_says_what_happened_to_each(adas_browser, orders):
    [said] = factories.page_messages(run(adas_browser, "move_to_shipped", orders))
    assert said.startswith("1 shipped, 1 already shipped, 1 cancelled. ")
    assert [str(order) in said for order in orders] == [False, True, True]
    assert statuses() == ["shipped", "shipped", "cancelled"]


def test_cancelling_many_asks_for_a_reason_first(adas_browser, orders, mug):
    asked = run(adas_browser, "move_to_cancelled", orders[:2])
    assert "Cancel 2 orders?" in asked.content.decode()
    assert statuses() == ["confirmed", "shipped", "cancelled"]
    run(adas_browser, "move_to_cancelled", orders[:2], note="Storm")
    assert statuses() == ["cancelled"] * 3
    assert set(
        StockMovement.objects.filter(kind="cancellation").values_list("reason", "delta")
    ) == {("Storm", 2)}


@pytest.mark.parametrize("action", ["move_to_shipped", "move_to_cancelled"])
def test_without_the_right_nothing_happens(clerk_with, orders, action):
    viewer = clerk_with("view_order")
    run(viewer, action, orders, note="x")
    assert statuses() == ["confirmed", "shipped", "cancelled"]
    assert OrderEvent.objects.count() == 3


@pytest.mark.parametrize("term", ["mug-1", "carl@", "Kew", "Buyer"])
def test_orders_are_found_by_what_one_knows(adas_browser, orders, term):
    found = adas_browser.get(LIST, {"q": term}).context["cl"].result_list
    assert sorted(order.pk for order in found) == sorted(order.pk for order in orders)


def test_tabs_count_every_status(adas_browser, orders):
    context = adas_browser.get(LIST, {"status__exact": "shipped"}).context
    counts = {tab["label"]: tab["count"] for tab in context["tabs"]}
    assert counts == {
        "All": 3,
        "Pending": 0,
        "Confirmed": 1,
        "Shipped": 1,
        "Delivered": 0,
        "Cancelled": 1,
    }
    assert [tab["label"] for tab in context["tabs"] if tab["is_current"]] == ["Shipped"]
    assert [order.pk for order in context["cl"].result_list] == [orders[1].pk]


def test_the_last_day_counts_whole(adas_browser, orders):
    late = timezone.now().replace(year=2026, month=3, day=11, hour=23, minute=59)
    Order.objects.filter(pk=orders[0].pk).update(created_at=late)
    days = {"created_at_from": "2026-03-11", "created_at_to": "2026-03-11"}
    assert [order.pk for order in adas_browser.get(LIST, days).context["cl"].result_list] == [
        orders[0].pk
    ]


@pytest.mark.parametrize(("days", "number"), [("1", 2), ("7", 3), ("30", 3), ("x", 3)])
def test_lately_counts_today_in(adas_browser, orders, days, number):
    yesterday = timezone.now() - timedelta(days=1)
    Order.objects.filter(pk=orders[0].pk).update(created_at=yesterday)
    assert len(adas_browser.get(LIST, {"days": days}).context["cl"].result_list) == number


def test_a_refused_parcel_comes_back_line_by_line(adas_browser, orders, mug):
    address = f"{LIST}{orders[1].pk}/move/cancelled/"
    form = adas_browser.get(address).context["form"]
    assert form.initial["note"] == "Refused on delivery."
    adas_browser.post(address, {"note": "Refused on delivery.", "lost": [mug.pk]})
    assert statuses()[1] == "cancelled"
    assert list(StockMovement.objects.values_list("kind", "delta")[:2]) == [
        ("damaged", -2),
        ("cancellation", 2),
    ]


def test_a_note_is_added_by_its_button(adas_browser, orders, ada):
    address = f"{LIST}{orders[0].pk}/note/"
    adas_browser.post(address, {"note": "Called back"})
    adas_browser.post(address, {"note": "On Monday", "is_public": "on"})
    notes = OrderEvent.objects.filter(kind="note").values_list("note", "is_internal", "actor")
    assert list(notes) == [("Called back", True, ada.pk), ("On Monday", False, ada.pk)]
