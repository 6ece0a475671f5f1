from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from support import factories, world

from shop.models import Order, OutboxMessage, Product, StockMovement
from shop.models.products import MAX_STOCK
from shop.services.errors import InvalidTransition, NotFound, OrderChanged, StockLimitReached
from shop.services.order_moves import move_order
from shop.services.order_payments import refund_order
from shop.services.returns import ReturnedUnits, return_items
from shop.services.stock import find_drift


@pytest.fixture
def delivered(ada, carls_order):
    """Two mugs and a lamp, paid in cash."""
    return world.move_along(carls_order, "delivered", by=ada)


@pytest.fixture
def take_back(ada, delivered):
    def take_back(*returned, **options):
        units = {product.pk: ReturnedUnits(*numbers) for product, *numbers in returned}
        return return_items(order_id=delivered.pk, returned=units, actor=ada, **options)

    return take_back


def movements():
    rows = StockMovement.objects.filter(kind__in=["returned", "damaged"]).order_by("pk")
    return list(rows.values_list("product", "kind", "delta"))


def test_units_come_back_and_are_due_as_a_refund(take_back, delivered, ada, mug):
    take_back((mug, 1, 1), note="Chipped")
    order = Order.objects.get()
    assert (order.status, order.payment_status) == ("delivered", "refund_due")
    assert (order.refund_due, order.credited_amount) == (Decimal("25.00"), Decimal("25.00"))
    assert movements() == [(mug.pk, "returned", 2), (mug.pk, "damaged", -1)]
    assert Product.objects.get(pk=mug.pk).stock == 9
    assert order.items.get(product=mug).returned_quantity == 2
    event = order.events.last()
    assert (event.kind, event.actor, event.note) == ("returned", ada, "Chipped")
    assert list(find_drift()) == []
    refund_order(order_id=order.pk, actor=ada)
    assert Order.objects.get().payment_status == "paid"


def test_all_units_in_two_returns_and_a_refund_settle_the_order(take_back, ada, mug, lamp):
    take_back((mug, 1))
    take_back((mug, 0, 1), (lamp, 1))
    order = refund_order(order_id=Order.objects.get().pk, actor=ada)
    assert (order.payment_status, order.refunded_amount) == ("refunded", Decimal("74.90"))
    assert sum(order.payments.values_list("credited_amount", flat=True)) == Decimal("74.90")
    assert list(find_drift()) == []


def test_what_was_never_paid_need_not_be_paid(ada, carl, mug):
    order = world.create_order(carl, (mug, 2), payment_method="bank_transfer")
    world.move_along(order, "delivered", by=ada)
    units = {mug.pk: ReturnedUnits(1)}
    order = return_items(order_id=order.pk, returned=units, actor=ada)
    assert (order.amount_due, order.refund_due) == (Decimal("12.50"), Decimal("0.00"))
    rows = order.payments.values_list("kind", "amount", "credited_amount")
    assert list(rows) == [("credit", 0, Decimal("12.50"))]


def test_an_earlier_reduction_is_not_paid_back_twice(take_back, ada, delivered, mug, lamp):
    refund_order(order_id=delivered.pk, actor=ada, amount=Decimal("10.00"))
    take_back((mug, 2), (lamp, 1))
    order = Order.objects.get()
    assert (order.credited_amount, order.refund_due) == (Decimal("74.90"), Decimal("64.90"))


@pytest.mark.parametrize("notify", [False, True])
def test_the_customer_is_mailed_if_asked_for(take_back, mug, notify):
    take_back((mug, 1), notify=notify)
    assert OutboxMessage.objects.filter(kind="order_returned").count() == notify


@pytest.mark.parametrize("units", [(3, 0), (2, 1), (-1, 2), (1, -1), (0, 0)])
def test_other_units_than_the_customer_has_are_refused(take_back, refused, mug, units):
    with refused(ValidationError):
        take_back((mug, *units))


def test_a_return_that_was_taken_meanwhile_is_not_taken_twice(take_back, refused, mug):
    take_back((mug, 1), expected_returned=0)
    with refused(OrderChanged):
        take_back((mug, 1), expected_returned=0)
    take_back((mug, 1), expected_returned=1)


def test_no_more_comes_back_than_was_left(take_back, refused, mug):
    take_back((mug, 1))
    with refused(ValidationError):
        take_back((mug, 2))


def test_a_product_of_another_order_is_refused(take_back, refused, mug):
    other = factories.create_product("Bowl")
    with refused(ValidationError):
        take_back((mug, 1), (other, 1))


@pytest.mark.parametrize("status", ["pending", "shipped", "cancelled"])
def test_only_delivered_orders_are_returned(ada, refused, carls_order, mug, status):
    for to in Order.Status.path_to(status):
        move_order(order_id=carls_order.pk, to=to, actor=ada, by_staff=True)
    with refused(InvalidTransition):
        return_items(order_id=carls_order.pk, returned={mug.pk: ReturnedUnits(1)}, actor=ada)


def test_an_unknown_order_is_refused(ada, refused, mug):
    with refused(NotFound):
        return_items(order_id=0, returned={mug.pk: ReturnedUnits(1)}, actor=ada)


def test_a_full_shelf_refuses_the_return(take_back, refused, mug):
    missing = MAX_STOCK - Product.objects.get(pk=mug.pk).stock
    mug.movements.create(kind="received", delta=missing, balance_after=MAX_STOCK)
    Product.objects.filter(pk=mug.pk).update(stock=MAX_STOCK)
    with refused(StockLimitReached):
        take_back((mug, 1))


@pytest.mark.parametrize("returned", [1, 2])
def test_the_number_of_statements_does_not_depend_on_the_items(
    take_back, statements, mug, lamp, returned
):
    with statements(9):
        take_back(*[(mug, 1), (lamp, 1)][:returned])
