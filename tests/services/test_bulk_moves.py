import pytest
from django.core import mail
from support import factories

from shop.models import Order, OrderEvent, Product, StockMovement
from shop.services.orders import (
    Shipment,
    add_note,
    move_order,
    move_orders,
    place_order,
    record_printing,
)
from shop.services.stock import find_drift


@pytest.fixture
def orders_of(carl, mug, lamp):
    """`orders_of("pending", "shipped")`: an order in each status, of two mugs and a lamp."""

    def make(*statuses):
        Product.objects.update(stock=1000)
        StockMovement.objects.all().delete()
        for product in Product.objects.all():
            StockMovement.objects.create(
                product=product, kind="initial", delta=1000, balance_after=1000
            )
        made = []
        for status in statuses:
            factories.add_to_cart(carl, (mug, 2), (lamp, 1))
            made.append(place_order(user=carl, shipping_address="1 Street").order)
            Order.objects.filter(pk=made[-1].pk).update(status=status)
        return [order.pk for order in made]

    return make


def test_each_of_many_is_guarded_by_itself(ada, orders_of):
    pks = orders_of("confirmed", "shipped", "confirmed", "cancelled")
    result = move_orders(order_ids=pks, to="shipped", actor=ada)
    assert [order.pk for order in result.moved] == [pks[0], pks[2]]
    assert [order.pk for order, _ in result.refused] == [pks[1], pks[3]]
    assert [reason for _, reason in result.refused] == [
        "This order is shipped already.",
        "This order is cancelled; it cannot become shipped.",
    ]
    assert list(Order.objects.order_by("pk").values_list("status", flat=True)) == [
        "shipped"
    ] * 3 + ["cancelled"]


def test_pressing_twice_changes_nothing_more(ada, orders_of):
    pks = orders_of("pending", "pending")
    move_orders(order_ids=pks, to="cancelled", actor=ada)
    events, movements = OrderEvent.objects.count(), StockMovement.objects.count()
    again = move_orders(order_ids=pks, to="cancelled", actor=ada)
    assert (len(again.moved), len(again.refused)) == (0, 2)
    assert (OrderEvent.objects.count(), StockMovement.objects.count()) == (events, movements)


def test_many_cancellations_give_every_unit_back_in_one_ledger(ada, orders_of, mug, lamp):
    pks = orders_of("pending", "confirmed", "shipped")
    move_orders(order_ids=pks, to="cancelled", actor=ada, note="Closed")
    assert set(Product.objects.values_list("stock", flat=True)) == {1000}
    back = StockMovement.objects.filter(kind="cancellation", product=mug).order_by("pk")
    assert list(back.values_list("order", "delta", "balance_after", "reason")) == [
        (pks[0], 2, 996, "Closed"),
        (pks[1], 2, 998, "Closed"),
        (pks[2], 2, 1000, "Closed"),
    ]
    assert list(find_drift()) == []


@pytest.mark.parametrize(("to", "number"), [("shipped", 4), ("cancelled", 7)])
@pytest.mark.parametrize("orders", [1, 6])
def test_many_cost_no_more_than_one(ada, orders_of, statements, to, number, orders):
    pks = orders_of(*["confirmed"] * orders)
    with statements(number):
        move_orders(order_ids=pks, to=to, actor=ada)


def test_payments_follow_each_order(ada, orders_of):
    pks = orders_of("shipped", "shipped")
    Order.objects.filter(pk=pks[1]).update(payment_method="bank_transfer")
    move_orders(order_ids=pks, to="delivered", actor=ada)
    assert list(Order.objects.order_by("pk").values_list("payment_status", flat=True)) == [
        "paid",
        "pending",
    ]


def test_each_customer_is_told(ada, orders_of, django_capture_on_commit_callbacks):
    pks = orders_of("confirmed", "shipped", "confirmed")
    with django_capture_on_commit_callbacks(execute=True):
        move_orders(order_ids=pks, to="shipped", actor=ada)
    assert len(mail.outbox) == 2


def test_a_parcel_is_followed_by_its_number(ada, orders_of, django_capture_on_commit_callbacks):
    [pk] = orders_of("confirmed")
    parcel = Shipment(" Post ", "RR 1")
    with django_capture_on_commit_callbacks(execute=True):
        move_order(order_id=pk, to="shipped", actor=ada, by_staff=True, shipment=parcel)
    move_order(order_id=pk, to="delivered", actor=ada, by_staff=True)
    order = Order.objects.get()
    assert (order.carrier, order.tracking_number) == ("Post", "RR 1")
    assert "is on its way with Post." in mail.outbox[0].body
    assert "Tracking number: RR 1" in mail.outbox[0].body


def test_what_did_not_come_back_is_written_off(ada, orders_of, mug, lamp):
    [pk] = orders_of("shipped")
    move_order(
        order_id=pk, to="cancelled", actor=ada, by_staff=True, note="Refused", written_off=[lamp.pk]
    )
    assert dict(Product.objects.values_list("name", "stock")) == {"Mug": 1000, "Lamp": 999}
    written = (
        StockMovement.objects.filter(product=lamp)
        .order_by("pk")
        .values_list("kind", "delta", "order")
    )
    assert list(written)[1:] == [("sale", -1, pk), ("cancellation", 1, pk), ("damaged", -1, None)]
    assert list(find_drift()) == []


def test_notes_are_for_staff_or_for_the_customer_too(ada, carl, orders_of):
    [pk] = orders_of("pending")
    add_note(order_id=pk, actor=ada, note="Rude on the phone", is_internal=True)
    add_note(order_id=pk, actor=ada, note=" We wrapped it. ", is_internal=False)
    history = factories.api_client(carl).get(f"/orders/{pk}/").json()["history"]
    assert [step["note"] for step in history] == ["", "We wrapped it."]
    assert Order.objects.get().status == "pending"


def test_printing_is_noted_and_changes_nothing_else(ada, carl, orders_of):
    pks = orders_of("pending", "cancelled")
    stories = record_printing(order_ids=pks, actor=ada, what="Packing slip printed")
    assert [[item.sku for item in story.items] for story in stories] == [["LAMP-1", "MUG-1"]] * 2
    assert sorted(Order.objects.values_list("status", flat=True)) == ["cancelled", "pending"]
    printed = OrderEvent.objects.filter(kind="printed")
    assert set(printed.values_list("note", "actor", "is_internal")) == {
        ("Packing slip printed", ada.pk, True)
    }
    assert printed.count() == 2
