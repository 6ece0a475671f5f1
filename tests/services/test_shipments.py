import pytest
from django.core.exceptions import ValidationError
from support import world

from shop.models import AuditEntry, Carrier, Order, OutboxMessage
from shop.services.errors import InvalidTransition, NotFound, OrderChanged
from shop.services.order_moves import move_order, move_orders
from shop.services.shipments import Shipment, edit_tracking

DHL = Shipment("DHL", "JD 0146/1")
URL = "https://dhl.example/?id=JD%200146%2F1"


@pytest.fixture(autouse=True)
def _carrier(db):
    template = {"tracking_url": "https://dhl.example/?id={number}"}
    Carrier.objects.update_or_create(name="DHL", defaults=template)


@pytest.fixture
def shipped(ada, carls_order):
    """An order shipped without tracking."""
    for status in Order.Status.path_to("shipped"):
        move_order(order_id=carls_order.pk, to=status, actor=ada, by_staff=True)
    return carls_order


def tracking(order):
    order = Order.objects.get(pk=order.pk)
    return order.carrier, order.tracking_number, order.tracking_url


@pytest.mark.parametrize(
    ("carrier", "number", "stored"),
    [
        ("dhl", "JD 0146/1", ("DHL", "JD 0146/1", URL)),
        ("DHL", "", ("DHL", "", "")),
        ("", "JD 1", ("", "JD 1", "")),
        ("Cousin Joe", "1", ("Cousin Joe", "1", "")),
        ("", "", ("", "", "")),
    ],
)
def test_a_known_carrier_gives_its_name_and_a_link(ada, shipped, carrier, number, stored):
    edit_tracking(order_id=shipped.pk, shipment=Shipment(carrier, number), actor=ada)
    assert tracking(shipped) == stored


def test_an_edit_is_in_the_timeline_and_the_audit_log(ada, shipped):
    edit_tracking(order_id=shipped.pk, shipment=DHL, actor=ada)
    event = shipped.events.last()
    assert (event.kind, event.actor, "JD 0146/1" in event.details) == ("tracking", ada, True)
    assert all(line[0].isupper() for line in event.details.splitlines())
    assert "JD 0146/1" in AuditEntry.objects.first().changes


def test_no_change_writes_nothing_but_the_email_that_is_asked_for(ada, shipped):
    edit_tracking(order_id=shipped.pk, shipment=DHL, actor=ada)
    events = shipped.events.count()
    edit_tracking(order_id=shipped.pk, shipment=DHL, actor=ada)
    assert not OutboxMessage.objects.filter(kind="order_tracking").exists()
    edit_tracking(order_id=shipped.pk, shipment=DHL, actor=ada, notify=True)
    assert OutboxMessage.objects.filter(kind="order_tracking").count() == 1
    assert shipped.events.count() == events


def test_another_tracking_than_the_expected_one_is_refused(ada, refused, shipped):
    edit_tracking(order_id=shipped.pk, shipment=DHL, actor=ada, expected=Shipment())
    with refused(OrderChanged):
        edit_tracking(
            order_id=shipped.pk, shipment=Shipment("UPS", "1"), actor=ada, expected=Shipment()
        )


def test_an_order_that_was_not_shipped_has_no_tracking(ada, refused, carls_order):
    with refused(InvalidTransition):
        edit_tracking(order_id=carls_order.pk, shipment=DHL, actor=ada)


def test_an_unknown_order_is_refused(ada, refused):
    with refused(NotFound):
        edit_tracking(order_id=0, shipment=DHL, actor=ada)


def test_a_text_that_is_too_long_is_refused(ada, refused, shipped):
    with refused(ValidationError):
        edit_tracking(order_id=shipped.pk, shipment=Shipment("DHL", "1" * 61), actor=ada)


def test_each_order_of_a_bulk_shipment_has_its_own_tracking(ada, carl, mug):
    orders = [
        world.move_along(world.create_order(carl, (mug, 1)), "confirmed", by=ada) for _ in range(2)
    ]
    shipments = {orders[0].pk: DHL}
    pks = [order.pk for order in orders]
    move_orders(order_ids=pks, to="shipped", actor=ada, shipments=shipments)
    assert [tracking(order) for order in orders] == [("DHL", "JD 0146/1", URL), ("", "", "")]
    assert all(Order.objects.values_list("shipped_at", flat=True))
