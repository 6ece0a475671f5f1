"""Each way in which balance, ledger and orders can come apart is found."""

import pytest

from shop.models import Order, OrderItem, Product, StockMovement
from shop.services.orders import move_order
from shop.services.stock import find_drift


def test_an_untouched_shop_has_no_drift(ada, mug, carls_order):
    assert list(find_drift()) == []
    move_order(order_id=carls_order.pk, to="cancelled", actor=ada, by_staff=True)
    assert list(find_drift()) == []
    assert Product.objects.get(pk=mug.pk).stock == 10


def test_a_balance_that_was_typed_over_is_found(mug, carls_order):
    Product.objects.filter(pk=mug.pk).update(stock=7)
    assert list(find_drift()) == ["MUG-1: stock is 7, its movements add up to 8."]
    assert carls_order.status == "pending"


def test_a_balance_without_a_ledger_is_found(mug):
    StockMovement.objects.all().delete()
    assert list(find_drift()) == [f"{mug.sku}: stock is 10, its movements add up to 0."]


def test_a_line_whose_balance_was_changed_is_found(mug):
    line = mug.movements.get()
    StockMovement.objects.update(balance_after=9)
    found = f"MUG-1: movement {line.pk} says 9 after it, the movements up to it add up to 10."
    assert list(find_drift()) == [found]


def test_a_line_whose_change_was_changed_is_found_everywhere(mug, lamp, carls_order):
    line = mug.movements.get(order=carls_order)
    StockMovement.objects.filter(pk=line.pk).update(delta=-1)
    assert list(find_drift()) == [
        "MUG-1: stock is 8, its movements add up to 9.",
        f"MUG-1: movement {line.pk} says 8 after it, the movements up to it add up to 9.",
        f"{carls_order} (pending): 2 of MUG-1 ordered, its movements add up to -1.",
    ]
    assert lamp.movements.count() == 2


def test_a_live_order_whose_units_never_left_is_found(mug, carls_order):
    StockMovement.objects.filter(order=carls_order, product=mug).delete()
    Product.objects.filter(pk=mug.pk).update(stock=10)
    found = f"{carls_order} (pending): 2 of MUG-1 ordered, its movements add up to 0."
    assert list(find_drift()) == [found]


@pytest.mark.parametrize("status", ["confirmed", "shipped", "delivered"])
def test_a_cancelled_order_that_lives_again_is_found(ada, mug, lamp, carls_order, status):
    move_order(order_id=carls_order.pk, to="cancelled", actor=ada, by_staff=True)
    Order.objects.update(status=status)
    assert (
        list(find_drift())
        == [
            f"{carls_order} ({status}): 1 of {lamp.sku} ordered, its movements add up to 0.",
            f"{carls_order} ({status}): 2 of {mug.sku} ordered, its movements add up to 0.",
        ][:: 1 if lamp.pk < mug.pk else -1]
    )


def test_a_cancelled_order_whose_units_did_not_come_back_is_found(mug, lamp, carls_order):
    Order.objects.update(status="cancelled")
    found = sorted(find_drift())
    assert found == [
        f"{carls_order} (cancelled): 1 of {lamp.sku} ordered, its movements add up to -1.",
        f"{carls_order} (cancelled): 2 of {mug.sku} ordered, its movements add up to -2.",
    ]


def test_a_line_whose_quantity_was_changed_is_found(mug, carls_order):
    OrderItem.objects.filter(product=mug).update(quantity=3)
    found = f"{carls_order} (pending): 3 of MUG-1 ordered, its movements add up to -2."
    assert list(find_drift()) == [found]


def test_a_movement_for_an_order_without_such_a_line_is_found(mug, carls_order):
    """Units left in the name of an order that never had them, though balance and ledger agree."""
    OrderItem.objects.filter(product=mug).delete()
    found = list(find_drift())
    assert len(found) == 1
    assert str(carls_order) in found[0]
