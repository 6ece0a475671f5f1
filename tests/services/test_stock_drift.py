"""find_drift reports every kind of difference between balances, ledger and orders."""

import pytest

from shop.models import Order, OrderItem, Product, StockMovement
from shop.models.order_status import OrderStatus
from shop.services.order_moves import move_order
from shop.services.stock import find_drift


def test_an_untouched_shop_has_no_drift(ada, mug, carls_order):
    assert list(find_drift()) == []
    move_order(order_id=carls_order.pk, to="cancelled", actor=ada, by_staff=True)
    assert list(find_drift()) == []
    assert Product.objects.get(pk=mug.pk).stock == 10


def test_a_changed_balance(mug, carls_order):
    Product.objects.filter(pk=mug.pk).update(stock=7)
    assert list(find_drift()) == ["MUG-1: stock is 7, its movements add up to 8."]
    assert carls_order.status == "pending"


def test_a_balance_without_movements(mug):
    StockMovement.objects.all().delete()
    assert list(find_drift()) == [f"{mug.sku}: stock is 10, its movements add up to 0."]


def test_a_movement_with_a_changed_balance(mug):
    movement = mug.movements.get()
    StockMovement.objects.update(balance_after=9)
    assert list(find_drift()) == [
        f"MUG-1: movement {movement.pk} has balance 9, the movements up to it add up to 10."
    ]


def test_a_movement_with_a_changed_delta_is_reported_for_stock_ledger_and_order(
    mug, lamp, carls_order
):
    movement = mug.movements.get(order=carls_order)
    StockMovement.objects.filter(pk=movement.pk).update(delta=-1)
    assert list(find_drift()) == [
        "MUG-1: stock is 8, its movements add up to 9.",
        f"MUG-1: movement {movement.pk} has balance 8, the movements up to it add up to 9.",
        f"{carls_order} (pending): 2 × MUG-1 ordered, movements add up to -1.",
    ]
    assert lamp.movements.count() == 2


def test_an_order_without_a_sale_movement(mug, carls_order):
    StockMovement.objects.filter(order=carls_order, product=mug).delete()
    Product.objects.filter(pk=mug.pk).update(stock=10)
    assert [line.startswith(f"{carls_order} (pending): 2 × MUG-1") for line in find_drift()] == [
        True
    ]


@pytest.mark.parametrize("status", OrderStatus.path_to("delivered"))
def test_a_cancelled_order_that_was_reopened(ada, mug, lamp, carls_order, status):
    move_order(order_id=carls_order.pk, to="cancelled", actor=ada, by_staff=True)
    Order.objects.update(status=status)
    assert sorted(find_drift()) == [
        f"{carls_order} ({status}): 1 × {lamp.sku} ordered, movements add up to 0.",
        f"{carls_order} ({status}): 2 × {mug.sku} ordered, movements add up to 0.",
    ]


def test_a_cancelled_order_without_a_return_movement(mug, lamp, carls_order):
    Order.objects.update(status="cancelled")
    assert sorted(find_drift()) == [
        f"{carls_order} (cancelled): 1 × {lamp.sku} ordered, movements add up to -1.",
        f"{carls_order} (cancelled): 2 × {mug.sku} ordered, movements add up to -2.",
    ]


def test_an_item_with_a_changed_quantity(mug, carls_order):
    OrderItem.objects.filter(product=mug).update(quantity=3)
    assert [line.startswith(f"{carls_order} (pending): 3 × MUG-1") for line in find_drift()] == [
        True
    ]


def test_a_movement_of_an_order_without_such_an_item(mug, carls_order):
    OrderItem.objects.filter(product=mug).delete()
    assert list(find_drift()) == [
        f"{carls_order} (pending): 0 × MUG-1 ordered, movements add up to -2."
    ]
