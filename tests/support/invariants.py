"""Invariants of orders and stock that hold after any sequence of calls, crashes and errors."""

from collections import Counter

from shop.models import Order, OrderItem, Product, StockMovement
from shop.services.payments import settled_status
from shop.services.stock import Kind, find_drift


def assert_invariants():
    """Assert that stock, stock movements, orders and payments agree.

    What customers have is what has moved to them, cancelled orders were returned once, no stock is
    negative, an order's total is the sum of its items, and its amounts are those of its payments.
    """
    assert list(find_drift()) == []
    assert not Product.objects.filter(stock__lt=0).exists()

    items = OrderItem.objects.order_by().values_list("order", "product", "quantity")
    movements = StockMovement.objects.order_by()
    returned = movements.filter(kind=Kind.CANCELLATION).values_list("order", "product", "delta")
    assert sorted(returned) == sorted(items.filter(order__status=Order.Status.CANCELLED))

    totals = Counter()
    for order, price, quantity in OrderItem.objects.values_list("order", "price", "quantity"):
        totals[order] += price * quantity
    assert totals == dict(Order.objects.values_list("pk", "total_amount"))
    for order in Order.objects.prefetch_related("payments"):
        assert_money(order)


def assert_money(order):
    """Assert that an order's amounts are those of its payments, and make its payment status."""
    amounts = Counter()
    for payment in order.payments.all():
        amounts[payment.kind] += payment.amount
        amounts["credited"] += payment.credited_amount
    assert (order.paid_amount, order.refunded_amount) == (amounts["payment"], amounts["refund"])
    assert amounts["credited"] <= order.credited_amount <= order.total_amount
    due = order.total_amount - order.credited_amount - order.paid_amount + order.refunded_amount
    assert order.amount_due - order.refund_due == due
    assert min(order.amount_due, order.refund_due) == 0
    assert order.payment_status == settled_status(order)
