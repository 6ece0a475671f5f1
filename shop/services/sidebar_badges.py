"""The numbers beside the admin's menu entries."""

from typing import Any

from django.db.models import Count, QuerySet, Value

from shop import caching
from shop.models import CartItem, Order, Product

CACHED_SECONDS = 30
CACHE_KEY = "waiting"


def get_badge_counts() -> dict[str, int]:
    """Return, by model name: pending orders, active products low on stock, open carts.

    One query, cached for 30 seconds for all users, since every admin page shows them.
    """
    return caching.get_or_compute(CACHE_KEY, _count_all, CACHED_SECONDS)


def _count_all() -> dict[str, int]:
    first, *others = (
        _count_rows("order", Order.objects.filter(status=Order.Status.PENDING), Count("pk")),
        _count_rows("product", Product.objects.filter(is_low=True, is_active=True), Count("pk")),
        _count_rows("cartitem", CartItem.objects.all(), Count("user", distinct=True)),
    )
    return dict(first.union(*others, all=True).order_by())


def _count_rows(model: str, rows: QuerySet[Any], what: Count) -> Any:
    return rows.order_by().values(counted=Value(model)).annotate(n=what).values_list("counted", "n")
