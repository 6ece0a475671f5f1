from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from support import world

from shop.models import Order, OutboxMessage, Payment
from shop.services.errors import InvalidTransition, NotFound, NothingToRefund, OrderChanged
from shop.services.order_moves import move_order
from shop.services.order_payments import mark_orders_paid, mark_paid, refund_order

TOTAL = Decimal("74.90")


def payments(order):
    return list(order.payments.values_list("kind", "amount", "credited_amount"))


def amounts(order):
    order = Order.objects.get(pk=order.pk)
    return order.payment_status, order.credited_amount, order.paid_amount, order.refunded_amount


@pytest.fixture
def paid(ada, carls_order):
    return mark_paid(order_id=carls_order.pk, actor=ada)


@pytest.fixture
def cancelled(ada, paid):
    return move_order(order_id=paid.pk, to="cancelled", actor=ada, by_staff=True)


def test_what_is_due_is_marked_as_paid(ada, carls_order):
    mark_paid(order_id=carls_order.pk, actor=ada, note="In the shop")
    assert amounts(carls_order) == ("paid", 0, TOTAL, 0)
    assert payments(carls_order) == [("payment", TOTAL, 0)]
    event = carls_order.events.last()
    assert (event.kind, event.payment_status, event.note) == ("payment", "paid", "In the shop")


def test_another_amount_than_the_shown_one_is_not_marked_as_paid(ada, refused, carls_order):
    with refused(OrderChanged):
        mark_paid(order_id=carls_order.pk, actor=ada, expected_due=carls_order.total_amount - 1)
    mark_paid(order_id=carls_order.pk, actor=ada, expected_due=carls_order.total_amount)


@pytest.mark.parametrize(("amount", "code"), [("1.50", "no_decimals"), ("0", "min_value")])
def test_an_amount_of_a_currency_without_cents_is_whole(ada, refused, paid, amount, code):
    Order.objects.update(currency="JPY")
    with refused(ValidationError) as excinfo:
        refund_order(order_id=paid.pk, actor=ada, amount=Decimal(amount))
    [error] = excinfo.value.error_dict["amount"]
    assert error.code == code


def test_an_order_is_paid_once(ada, refused, paid):
    with refused(InvalidTransition):
        mark_paid(order_id=paid.pk, actor=ada)


def test_an_unknown_order_is_not_paid(ada, refused):
    with refused(NotFound):
        mark_paid(order_id=0, actor=ada)


def test_many_orders_are_each_checked(ada, carl, mug, paid):
    other = world.create_order(carl, (mug, 1))
    result = mark_orders_paid(order_ids=[paid.pk, other.pk], actor=ada)
    assert ([order.pk for order in result.paid], len(result.refused)) == ([other.pk], 1)
    assert payments(other) == [("payment", Decimal("12.50"), 0)]


@pytest.mark.parametrize("orders", [1, 3])
def test_many_orders_take_as_many_statements_as_one(ada, carl, mug, statements, orders):
    pks = [world.create_order(carl, (mug, 1)).pk for _ in range(orders)]
    with statements(5):
        mark_orders_paid(order_ids=pks, actor=ada)


def test_a_cancelled_paid_order_is_due_until_it_is_refunded(ada, cancelled):
    assert amounts(cancelled) == ("refund_due", TOTAL, TOTAL, 0)
    refund_order(order_id=cancelled.pk, actor=ada, reason="Cancelled")
    assert amounts(cancelled) == ("refunded", TOTAL, TOTAL, TOTAL)
    assert payments(cancelled)[1:] == [("refund", TOTAL, TOTAL)]
    event = cancelled.events.last()
    assert (event.kind, event.note, "74.90 EUR" in event.details) == ("refunded", "Cancelled", True)


def test_a_refund_comes_in_parts(ada, cancelled):
    for amount in ("30.00", "44.90"):
        refund_order(order_id=cancelled.pk, actor=ada, amount=Decimal(amount))
    assert amounts(cancelled) == ("refunded", TOTAL, TOTAL, TOTAL)
    assert sum(credited for _, _, credited in payments(cancelled)) == TOTAL


def test_a_refund_beyond_what_is_due_lowers_the_price(ada, paid):
    refund_order(order_id=paid.pk, actor=ada, amount=Decimal("4.90"))
    assert amounts(paid) == ("paid", Decimal("4.90"), TOTAL, Decimal("4.90"))
    assert payments(paid)[1:] == [("refund", Decimal("4.90"), Decimal("4.90"))]


def test_an_order_that_was_never_paid_is_voided(ada, carls_order):
    move_order(order_id=carls_order.pk, to="cancelled", actor=ada, by_staff=True)
    assert amounts(carls_order) == ("voided", TOTAL, 0, 0)
    assert Payment.objects.count() == 0


def test_delivered_cash_is_paid_and_a_transfer_is_not(ada, carl, mug):
    for method, status in (("cash_on_delivery", "paid"), ("bank_transfer", "pending")):
        order = world.create_order(carl, (mug, 1), payment_method=method)
        world.move_along(order, "delivered", by=ada)
        assert order.payment_status == status


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_an_amount_that_is_not_positive_is_refused(ada, refused, paid, amount):
    with refused(ValidationError):
        refund_order(order_id=paid.pk, actor=ada, amount=Decimal(amount))


def test_more_than_was_received_is_refused(ada, refused, paid):
    with refused(NothingToRefund) as excinfo:
        refund_order(order_id=paid.pk, actor=ada, amount=Decimal("74.91"))
    assert excinfo.value.details["refundable"] == TOTAL


def test_nothing_is_paid_back_of_an_unpaid_order(ada, refused, carls_order):
    with refused(NothingToRefund):
        refund_order(order_id=carls_order.pk, actor=ada)


def test_nothing_due_needs_an_amount(ada, refused, paid):
    with refused(ValidationError):
        refund_order(order_id=paid.pk, actor=ada)


def test_of_two_refunds_for_the_same_amounts_the_second_is_refused(ada, refused, cancelled):
    one = {"order_id": cancelled.pk, "actor": ada, "amount": Decimal(5)}
    refund_order(**one, expected_refunded=Decimal(0))
    with refused(OrderChanged):
        refund_order(**one, expected_refunded=Decimal(0))
    refund_order(**one, expected_refunded=Decimal(5))


@pytest.mark.parametrize("notify", [False, True])
def test_the_customer_is_mailed_if_asked_for(ada, cancelled, notify):
    refund_order(order_id=cancelled.pk, actor=ada, notify=notify)
    assert OutboxMessage.objects.filter(kind="order_refunded").count() == notify


@pytest.mark.parametrize(("reference", "calls"), [("pay_1", 1), ("", 0)])
def test_only_what_the_gateway_took_is_paid_back_by_it(ada, paid, reference, calls):
    Payment.objects.filter(order=paid).update(reference=reference)
    refund_order(order_id=paid.pk, actor=ada, amount=Decimal(5))
    assert OutboxMessage.objects.filter(kind="gateway_refund").count() == calls
