"""What holds in every shop at every moment, whatever was done, killed or refused."""

from collections import Counter

from shop.models import Order, OrderItem, Product, StockMovement
from shop.services.stock import Kind, find_drift


def assert_invariants():
    """Ledger, balance and orders agree; what live orders hold was sold; what was cancelled came back once."""
    assert list(find_drift()) == []
    assert not Product.objects.filter(stock__lt=0).exists()
    lines = OrderItem.objects.order_by().values_list("order", "product", "quantity")
    moved = StockMovement.objects.order_by()
    back = moved.filter(kind=Kind.CANCELLATION).values_list("order", "product", "delta")
    assert sorted(back) == sorted(lines.filter(order__status=Order.Status.CANCELLED))
    of_orders = moved.filter(kind__in=[Kind.SALE, Kind.CANCELLATION]).values_list(
        "product", "delta"
    )
    sold, held = Counter(), Counter()
    for product, delta in of_orders:
        sold[product] -= delta
    for _, product, quantity in lines.exclude(order__status=Order.Status.CANCELLED):
        held[product] += quantity
    assert sold == held
    totals = Counter()
    for order, price, quantity in OrderItem.objects.values_list("order", "price", "quantity"):
        totals[order] += price * quantity
    assert totals == dict(Order.objects.values_list("pk", "total_amount"))
