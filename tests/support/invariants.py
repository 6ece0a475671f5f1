"""Invariants of orders and stock that hold after any sequence of calls, crashes and errors."""

from collections import Counter

from shop.models import Order, OrderItem, Product, StockMovement
from shop.services.stock import Kind, find_drift


def assert_invariants():
    """Assert that stock, stock movements and orders agree.

    The units in open orders were sold, those of cancelled orders were returned once, no stock
    is negative, and each order's total is the sum of its items.
    """
    assert list(find_drift()) == []
    assert not Product.objects.filter(stock__lt=0).exists()

    items = OrderItem.objects.order_by().values_list("order", "product", "quantity")
    movements = StockMovement.objects.order_by()
    returned = movements.filter(kind=Kind.CANCELLATION).values_list("order", "product", "delta")
    assert sorted(returned) == sorted(items.filter(order__status=Order.Status.CANCELLED))

    by_orders = movements.filter(kind__in=[Kind.SALE, Kind.CANCELLATION])
    sold, ordered = Counter(), Counter()
    for product, delta in by_orders.values_list("product", "delta"):
        sold[product] -= delta
    for _, product, quantity in items.exclude(order__status=Order.Status.CANCELLED):
        ordered[product] += quantity
    assert sold == ordered

    totals = Counter()
    for order, price, quantity in OrderItem.objects.values_list("order", "price", "quantity"):
        totals[order] += price * quantity
    assert totals == dict(Order.objects.values_list("pk", "total_amount"))
