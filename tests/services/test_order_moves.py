import itertools

import pytest
from django.core import mail
from support import factories

from shop.models import Order, Product
from shop.services.errors import InvalidTransition, NotFound
from shop.services.orders import mark_paid, move_order, place_order
from shop.services.stock import find_drift

STEPS = list(itertools.product(Order.Status.values, repeat=2))
WAY = {
    "pending": [],
    "confirmed": ["confirmed"],
    "shipped": ["confirmed", "shipped"],
    "delivered": ["confirmed", "shipped", "delivered"],
    "cancelled": ["cancelled"],
}


@pytest.fixture
def order_that_is(ada, carls_order):
    """Carl's order, brought to this status by Ada."""

    def order_that_is(status):
        for step in WAY[status]:
            move_order(order_id=carls_order.pk, to=step, actor=ada, by_staff=True)
        return Order.objects.get()

    return order_that_is


def stocks():
    return dict(Product.objects.values_list("name", "stock"))


@pytest.mark.parametrize(("status", "to"), STEPS)
def test_staff_move_an_order_along_the_flow_only(ada, order_that_is, refused, status, to):
    order = order_that_is(status)
    if to in Order.FLOW[status]:
        moved = move_order(order_id=order.pk, to=to, actor=ada, by_staff=True, note="Why")
        assert moved.status == Order.objects.get().status == to
        last = order.events.last()
        assert (last.kind, last.status, last.note, last.actor) == ("status", to, "Why", ada)
    else:
        with refused(InvalidTransition) as told:
            move_order(order_id=order.pk, to=to, actor=ada, by_staff=True)
        assert status in told.value.details.values()
    assert list(find_drift()) == []


@pytest.mark.parametrize(("status", "to"), STEPS)
def test_customers_may_only_cancel_what_is_still_in_the_house(
    carl, order_that_is, refused, status, to
):
    order = order_that_is(status)
    if to == "cancelled" and status in {"pending", "confirmed"}:
        assert (
            move_order(order_id=order.pk, to=to, actor=carl, by_staff=False).status == "cancelled"
        )
        assert stocks() == {"Mug": 10, "Lamp": 5}
    else:
        with refused(InvalidTransition):
            move_order(order_id=order.pk, to=to, actor=carl, by_staff=False)


@pytest.mark.parametrize("status", ["pending", "confirmed", "shipped"])
def test_a_cancellation_gives_the_stock_back_once(ada, order_that_is, refused, status):
    order = order_that_is(status)
    assert stocks() == {"Mug": 8, "Lamp": 4}
    move_order(order_id=order.pk, to="cancelled", actor=ada, by_staff=True)
    assert stocks() == {"Mug": 10, "Lamp": 5}
    with refused(InvalidTransition, match=r"This order is cancelled already\."):
        move_order(order_id=order.pk, to="cancelled", actor=ada, by_staff=True)


def test_a_refusal_says_why(ada, order_that_is, refused):
    order = order_that_is("delivered")
    with refused(InvalidTransition, match=r"This order is delivered; it cannot become cancelled\."):
        move_order(order_id=order.pk, to="cancelled", actor=ada, by_staff=True)


def test_a_strangers_order_is_not_found(dora, carls_order, refused):
    with refused(NotFound):
        move_order(order_id=carls_order.pk, to="cancelled", actor=dora, by_staff=False)


@pytest.mark.parametrize("act", [move_order, mark_paid])
def test_an_order_that_is_not_there_is_not_found(ada, carls_order, refused, act):
    values = {"to": "confirmed", "by_staff": True} if act is move_order else {}
    with refused(NotFound):
        act(order_id=carls_order.pk + 1, actor=ada, **values)


def test_an_archived_product_still_gets_its_units_back(ada, mug, carls_order):
    Product.objects.filter(pk=mug.pk).update(is_active=False)
    move_order(order_id=carls_order.pk, to="cancelled", actor=ada, by_staff=True)
    assert stocks() == {"Mug": 10, "Lamp": 5}


def test_a_long_reason_is_cut_in_the_ledger_and_whole_in_the_story(ada, carls_order, mug):
    move_order(order_id=carls_order.pk, to="cancelled", actor=ada, by_staff=True, note="x" * 1000)
    assert mug.movements.first().reason == "x" * 200
    assert carls_order.events.last().note == "x" * 1000


@pytest.mark.parametrize("to", ["confirmed", "cancelled"])
def test_a_mail_about_a_move_leaves_after_the_commit(
    ada, carls_order, django_capture_on_commit_callbacks, to
):
    with django_capture_on_commit_callbacks(execute=True):
        move_order(order_id=carls_order.pk, to=to, actor=ada, by_staff=True, note="Sorry")
        assert mail.outbox == []
    assert [message.to for message in mail.outbox] == (
        [["carl@example.com"]] if to == "cancelled" else []
    )


@pytest.mark.parametrize("status", ["pending", "confirmed", "shipped"])
def test_staff_note_a_payment(ada, order_that_is, status):
    order = order_that_is(status)
    mark_paid(order_id=order.pk, actor=ada, note="Transfer of 3 May")
    found = Order.objects.get()
    assert (found.status, found.payment_status) == (status, "paid")
    event = found.events.last()
    assert (event.kind, event.status, event.payment_status) == ("payment", status, "paid")
    assert (event.note, event.actor, event.created_at) == (
        "Transfer of 3 May",
        ada,
        found.updated_at,
    )


@pytest.mark.parametrize("status", ["delivered", "cancelled"])
def test_there_is_no_payment_to_wait_for_when(ada, order_that_is, refused, status):
    order = order_that_is(status)
    with refused(InvalidTransition, match="not waiting for a payment"):
        mark_paid(order_id=order.pk, actor=ada)


def test_a_payment_is_noted_once(ada, carls_order, refused):
    mark_paid(order_id=carls_order.pk, actor=ada)
    with refused(InvalidTransition):
        mark_paid(order_id=carls_order.pk, actor=ada)


def test_a_paid_order_that_is_cancelled_is_refunded(ada, carl, mug):
    factories.add_to_cart(carl, (mug, 1))
    order = place_order(user=carl, shipping_address="1 Elm Street", payment_method="card").order
    assert order.payment_status == "paid"
    move_order(order_id=order.pk, to="cancelled", actor=carl, by_staff=False)
    assert Order.objects.get().payment_status == order.events.last().payment_status == "refunded"
