"""Invariants of orders and stock that hold after any sequence of calls, crashes and errors."""

from collections import Counter
from decimal import Decimal

from shop.documents.tax import split_tax
from shop.models import Invoice, Order, OrderItem, Product, StockMovement
from shop.services.payments import settled_status
from shop.services.stock import Kind, find_drift


def assert_invariants():
    """Assert that stock, stock movements, orders and payments agree.

    What customers have is what has moved to them, cancelled orders were returned once, no stock is
    negative, an order's total is the sum of its items, and its amounts are those of its payments.
    What an invoiced order costs is what its invoices say, and their numbers of a year have no gap.
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
    for order in Order.objects.prefetch_related("payments", "invoices"):
        assert_money(order)
        assert_invoices(order)
    sequences = list(Invoice.objects.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))


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


def assert_invoices(order):
    """Assert that an order's documents, if any, add up to what it costs.

    For each tax rate they add up to the tax that is in what remains of that rate.
    """
    sums = {}
    for document in order.invoices.all():
        sign = 1 if document.kind == Invoice.Kind.INVOICE else -1
        rows = [(rate, *map(Decimal, amounts)) for rate, *amounts in document.contents["tax"]]
        assert sum(gross for _rate, _net, _tax, gross in rows) == document.amount >= 0
        for rate, net, tax, gross in rows:
            assert net + tax == gross
            before = sums.get(rate, (0, 0, 0))
            sums[rate] = [b + sign * a for b, a in zip(before, (net, tax, gross), strict=True)]
    if not sums:
        return
    total = sum(gross for _net, _tax, gross in sums.values())
    assert total == order.total_amount - order.credited_amount
    remaining = split_tax(
        (gross, rate and Decimal(rate)) for rate, (_net, _tax, gross) in sums.items()
    )
    assert sorted(map(list, sums.values())) == sorted(list(line[1:]) for line in remaining)
