import itertools

import pytest
from django.core import mail
from support import factories

from shop.models import Order, Product
from shop.services.errors import InvalidTransition, NotFound, OrderChanged
from shop.services.order_edit import edit_version
from shop.services.order_moves import move_order
from shop.services.order_payments import mark_paid
from shop.services.orders import authorize_checkout, place_order
from shop.services.stock import find_drift

STATUS_PAIRS = list(itertools.product(Order.Status, repeat=2))
CANCELLABLE = [status for status in Order.Status if "cancelled" in status.facts.next]


@pytest.fixture
def order_in(ada, carls_order):
    """`order_in("shipped")`: Carl's order, moved there by Ada."""

    def move_to(status):
        for step in Order.Status.path_to(status):
            move_order(order_id=carls_order.pk, to=step, actor=ada, by_staff=True)
        return Order.objects.get()

    return move_to


def stock_by_name():
    return dict(Product.objects.values_list("name", "stock"))


@pytest.mark.parametrize(("status", "to"), STATUS_PAIRS)
def test_staff_can_move_an_order_only_along_the_flow(ada, order_in, refused, status, to):
    order = order_in(status)
    if to in Order.FLOW[status]:
        moved = move_order(order_id=order.pk, to=to, actor=ada, by_staff=True, note="Why")
        assert moved.status == Order.objects.get().status == to
        last = order.events.last()
        assert (last.kind, last.status, last.note, last.actor) == ("status", to, "Why", ada)
    else:
        with refused(InvalidTransition) as excinfo:
            move_order(order_id=order.pk, to=to, actor=ada, by_staff=True)
        assert excinfo.value.details == {"order_status": status}
    assert list(find_drift()) == []


@pytest.mark.parametrize(("status", "to"), STATUS_PAIRS)
def test_customers_can_only_cancel_and_only_where_the_status_allows_it(
    carl, order_in, refused, status, to
):
    order = order_in(status)
    if to == "cancelled" and status.facts.customer_can_cancel:
        assert (
            move_order(order_id=order.pk, to=to, actor=carl, by_staff=False).status == "cancelled"
        )
        assert stock_by_name() == {"Mug": 10, "Lamp": 5}
    else:
        with refused(InvalidTransition):
            move_order(order_id=order.pk, to=to, actor=carl, by_staff=False)


@pytest.mark.parametrize("status", CANCELLABLE)
def test_a_cancellation_returns_the_stock_once(ada, order_in, refused, status):
    order = order_in(status)
    assert stock_by_name() == {"Mug": 8, "Lamp": 4}
    move_order(order_id=order.pk, to="cancelled", actor=ada, by_staff=True)
    assert stock_by_name() == {"Mug": 10, "Lamp": 5}
    with refused(InvalidTransition):
        move_order(order_id=order.pk, to="cancelled", actor=ada, by_staff=True)


def test_an_order_of_another_customer_is_not_found(dora, carls_order, refused):
    with refused(NotFound):
        move_order(order_id=carls_order.pk, to="cancelled", actor=dora, by_staff=False)


@pytest.mark.parametrize("service", [move_order, mark_paid])
def test_an_unknown_order_is_not_found(ada, carls_order, refused, service):
    values = {"to": "confirmed", "by_staff": True} if service is move_order else {}
    with refused(NotFound):
        service(order_id=carls_order.pk + 1, actor=ada, **values)


def test_a_cancellation_returns_the_stock_of_an_archived_product(ada, mug, carls_order):
    Product.objects.filter(pk=mug.pk).update(is_active=False)
    move_order(order_id=carls_order.pk, to="cancelled", actor=ada, by_staff=True)
    assert stock_by_name() == {"Mug": 10, "Lamp": 5}


def test_a_long_note_is_shortened_in_the_ledger_only(ada, carls_order, mug):
    move_order(order_id=carls_order.pk, to="cancelled", actor=ada, by_staff=True, note="x" * 1000)
    assert mug.movements.first().reason == "x" * 200
    assert carls_order.events.last().note == "x" * 1000


@pytest.mark.parametrize("to", Order.FLOW["pending"])
def test_the_email_about_a_move_is_sent_after_the_commit(
    ada, carls_order, django_capture_on_commit_callbacks, to
):
    with django_capture_on_commit_callbacks(execute=True):
        move_order(order_id=carls_order.pk, to=to, actor=ada, by_staff=True, note="Sorry")
        assert mail.outbox == []
    assert [message.to for message in mail.outbox] == (
        [["carl@example.com"]] if Order.Status(to).facts.email else []
    )


@pytest.mark.parametrize("status", CANCELLABLE)
def test_staff_can_record_a_payment(ada, order_in, status):
    order = order_in(status)
    mark_paid(order_id=order.pk, actor=ada, note="Transfer of 3 May")
    paid = Order.objects.get()
    assert (paid.status, paid.payment_status) == (status, "paid")
    event = paid.events.last()
    assert (event.kind, event.status, event.payment_status) == ("payment", status, "paid")
    assert (event.note, event.actor, event.created_at) == (
        "Transfer of 3 May",
        ada,
        paid.updated_at,
    )


@pytest.mark.parametrize("status", ["delivered", "cancelled"])
def test_a_payment_that_is_not_awaited_is_refused(ada, order_in, refused, status):
    order = order_in(status)
    with refused(InvalidTransition):
        mark_paid(order_id=order.pk, actor=ada)


def test_a_payment_is_recorded_once(ada, carls_order, refused):
    mark_paid(order_id=carls_order.pk, actor=ada)
    with refused(InvalidTransition):
        mark_paid(order_id=carls_order.pk, actor=ada)


def test_cancelling_a_paid_order_makes_a_refund_due(ada, carl, mug):
    factories.add_to_cart(carl, (mug, 1))
    order = place_order(
        user=carl,
        shipping_address="1 Elm Street",
        payment_method="card",
        authorization=authorize_checkout(
            user=carl, method="card", token="tok_success", expected_total=None
        ),
    ).order
    assert order.payment_status == "paid"
    move_order(order_id=order.pk, to="cancelled", actor=carl, by_staff=False)
    assert Order.objects.get().payment_status == order.events.last().payment_status == "refund_due"


def test_an_order_that_was_changed_since_it_was_shown_is_not_moved(ada, carls_order, refused):
    seen = edit_version(carls_order, carls_order.items.all())
    Order.objects.update(shipping_address="2 Elm Street")
    move = {"order_id": carls_order.pk, "to": "confirmed", "actor": ada, "by_staff": True}
    with refused(OrderChanged):
        move_order(**move, expected_version=seen)
    carls_order.refresh_from_db()
    move_order(**move, expected_version=edit_version(carls_order, carls_order.items.all()))


def test_written_off_units_are_in_the_timeline_for_staff(ada, carls_order, mug):
    move_order(
        order_id=carls_order.pk,
        to="cancelled",
        actor=ada,
        by_staff=True,
        written_off={mug.pk: 1},
    )
    note = carls_order.events.get(kind="note")
    assert (note.is_internal, "1" in note.details) == (True, True)
