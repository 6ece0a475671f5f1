from decimal import Decimal

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db.models import F
from support import factories

from shop.models import (
    Carrier,
    Order,
    OrderEvent,
    OutboxMessage,
    Payment,
    Product,
    StockMovement,
)
from shop.models.order_status import OrderStatus
from shop.services.order_moves import move_order, move_orders
from shop.services.order_notes import add_note, record_printing
from shop.services.order_payments import mark_orders_paid
from shop.services.orders import place_order
from shop.services.shipments import Shipment
from shop.services.stock import find_drift

#: The status before "shipped".
READY = OrderStatus.path_to("shipped")[-2]


@pytest.fixture
def orders_of(carl, mug, lamp):
    """`orders_of("pending", "shipped")`: an order in each status, of two mugs and a lamp."""

    def create_orders(*statuses):
        Product.objects.update(stock=1000)
        StockMovement.objects.all().delete()
        for product in Product.objects.all():
            StockMovement.objects.create(
                product=product, kind="initial", delta=1000, balance_after=1000
            )
        orders = []
        for status in statuses:
            factories.add_to_cart(carl, (mug, 2), (lamp, 1))
            orders.append(place_order(user=carl, shipping_address="1 Street").order)
            Order.objects.filter(pk=orders[-1].pk).update(status=status)
        return [order.pk for order in orders]

    return create_orders


def test_a_bulk_move_checks_each_order_by_itself(ada, orders_of):
    pks = orders_of(READY, "shipped", READY, "cancelled")
    result = move_orders(order_ids=pks, to="shipped", actor=ada)
    assert [order.pk for order in result.moved] == [pks[0], pks[2]]
    assert [order.pk for order, _ in result.refused] == [pks[1], pks[3]]
    assert [str(error) for _, error in result.refused] == [
        f"Order {result.refused[0][0]} is already “Shipped”.",
        f"Order {result.refused[1][0]} is “Cancelled”; it can't become “Shipped”.",
    ]
    assert list(Order.objects.order_by("pk").values_list("status", flat=True)) == [
        "shipped"
    ] * 3 + ["cancelled"]


def test_repeating_a_bulk_move_changes_nothing(ada, orders_of):
    pks = orders_of("pending", "pending")
    move_orders(order_ids=pks, to="cancelled", actor=ada)
    events, movements = OrderEvent.objects.count(), StockMovement.objects.count()
    again = move_orders(order_ids=pks, to="cancelled", actor=ada)
    assert (len(again.moved), len(again.refused)) == (0, 2)
    assert (OrderEvent.objects.count(), StockMovement.objects.count()) == (events, movements)


def test_a_bulk_cancellation_returns_the_stock_of_every_order(ada, orders_of, mug, lamp):
    pks = orders_of("pending", READY, "shipped")
    move_orders(order_ids=pks, to="cancelled", actor=ada, note="Closed")
    assert set(Product.objects.values_list("stock", flat=True)) == {1000}
    returned = StockMovement.objects.filter(kind="cancellation", product=mug).order_by("pk")
    assert list(returned.values_list("order", "delta", "balance_after", "reason")) == [
        (pks[0], 2, 996, "Closed"),
        (pks[1], 2, 998, "Closed"),
        (pks[2], 2, 1000, "Closed"),
    ]
    assert list(find_drift()) == []


@pytest.mark.parametrize(("to", "number"), [("shipped", 5), ("cancelled", 9)])
@pytest.mark.parametrize("orders", [1, 6])
def test_the_number_of_statements_does_not_depend_on_the_number_of_orders(
    ada, orders_of, statements, to, number, orders
):
    pks = orders_of(*[READY] * orders)
    with statements(number):
        move_orders(order_ids=pks, to=to, actor=ada)


def test_a_bulk_delivery_updates_each_payment_status(ada, orders_of):
    pks = orders_of("shipped", "shipped")
    Order.objects.filter(pk=pks[1]).update(payment_method="bank_transfer")
    move_orders(order_ids=pks, to="delivered", actor=ada)
    assert list(Order.objects.order_by("pk").values_list("payment_status", flat=True)) == [
        "paid",
        "pending",
    ]


def test_each_customer_of_a_bulk_move_gets_an_email(
    ada, orders_of, django_capture_on_commit_callbacks
):
    pks = orders_of(READY, "shipped", READY)
    with django_capture_on_commit_callbacks(execute=True):
        move_orders(order_ids=pks, to="shipped", actor=ada)
    assert len(mail.outbox) == 2


def test_carrier_and_tracking_number_are_stored_and_emailed(
    ada, orders_of, django_capture_on_commit_callbacks
):
    [pk] = orders_of(READY)
    shipment = Shipment(" Post ", "RR 1")
    with django_capture_on_commit_callbacks(execute=True):
        move_order(order_id=pk, to="shipped", actor=ada, by_staff=True, shipment=shipment)
    move_order(order_id=pk, to="delivered", actor=ada, by_staff=True)
    order = Order.objects.get()
    assert (order.carrier, order.tracking_number) == ("Post", "RR 1")
    body = mail.outbox[0].body
    assert ("Post" in body, "RR 1" in body) == (True, True)


def test_cancelling_writes_off_the_chosen_products(ada, orders_of, mug, lamp):
    [pk] = orders_of("shipped")
    move_order(
        order_id=pk,
        to="cancelled",
        actor=ada,
        by_staff=True,
        note="Refused",
        written_off={lamp.pk: 1},
    )
    assert dict(Product.objects.values_list("name", "stock")) == {"Mug": 1000, "Lamp": 999}
    movements = (
        StockMovement.objects.filter(product=lamp)
        .order_by("pk")
        .values_list("kind", "delta", "order")
    )
    assert list(movements)[1:] == [("sale", -1, pk), ("cancellation", 1, pk), ("damaged", -1, None)]
    assert list(find_drift()) == []


def test_customers_do_not_see_internal_notes(ada, carl, orders_of):
    [pk] = orders_of("pending")
    add_note(order_id=pk, actor=ada, note="Rude on the phone", is_internal=True)
    add_note(order_id=pk, actor=ada, note=" We wrapped it. ", is_internal=False)
    history = factories.api_client(carl).get(f"/orders/{pk}/").json()["history"]
    assert [step["note"] for step in history] == ["", "We wrapped it."]
    assert Order.objects.get().status == "pending"


def test_printing_adds_an_internal_event_and_changes_nothing_else(ada, carl, orders_of):
    pks = orders_of("pending", "cancelled")
    printed = record_printing(order_ids=pks, actor=ada, what="Packing slip printed")
    assert [[item.sku for item in details.items] for details in printed] == [
        ["LAMP-1", "MUG-1"]
    ] * 2
    assert sorted(Order.objects.values_list("status", flat=True)) == ["cancelled", "pending"]
    events = OrderEvent.objects.filter(kind="printed")
    assert set(events.values_list("note", "actor", "is_internal")) == {
        ("Packing slip printed", ada.pk, True)
    }
    assert events.count() == 2


@pytest.mark.usefixtures("carriers")
def test_each_order_of_a_bulk_move_gets_its_own_parcel(ada, orders_of):
    pks = orders_of(READY, READY, READY)
    parcels = {pks[0]: Shipment("dhl", "A 1"), pks[1]: Shipment("Bike", "2")}
    move_orders(order_ids=pks, to="shipped", actor=ada, shipments=parcels)
    rows = Order.objects.order_by("pk").values_list("carrier", "tracking_number", "tracking_url")
    link = Carrier.objects.get(name="DHL").build_url("A 1")
    assert list(rows) == [("DHL", "A 1", link), ("Bike", "2", ""), ("", "", "")]
    assert None not in Order.objects.values_list("shipped_at", flat=True)


@pytest.mark.parametrize(("notify", "emails"), [(True, 2), (False, 0)])
def test_customers_are_mailed_as_asked(
    ada, orders_of, notify, emails, django_capture_on_commit_callbacks
):
    pks = orders_of(READY, READY)
    OutboxMessage.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        move_orders(order_ids=pks, to="shipped", actor=ada, notify=notify)
    assert (OutboxMessage.objects.count(), len(mail.outbox)) == (emails, emails)


def test_a_parcel_that_is_invalid_ships_no_order(ada, orders_of):
    pks = orders_of(READY, READY)
    parcels = {pks[1]: Shipment("x" * 61, "")}
    with pytest.raises(ValidationError):
        move_orders(order_ids=pks, to="shipped", actor=ada, shipments=parcels)
    assert set(Order.objects.values_list("status", flat=True)) == {READY}


@pytest.mark.parametrize("orders", [1, 4])
def test_many_orders_are_marked_as_paid_by_a_fixed_number_of_statements(
    ada, orders_of, statements, orders
):
    pks = orders_of(*["delivered"] * orders, "cancelled")
    Order.objects.filter(pk=pks[-1]).update(credited_amount=F("total_amount"))
    with statements(5):
        result = mark_orders_paid(order_ids=pks, actor=ada)
    assert [order.pk for order in result.paid] == pks[:-1]
    assert [order.pk for order, _ in result.refused] == pks[-1:]
    paid = Payment.objects.values_list("order", "amount", "actor")
    assert list(paid) == [(pk, Decimal("74.90"), ada.pk) for pk in pks[:-1]]
