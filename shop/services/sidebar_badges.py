"""The numbers beside the admin's menu entries."""

from datetime import timedelta
from typing import Any

from django.db.models import Count, QuerySet, Value
from django.utils import timezone

from shop import caching
from shop.models import CartItem, Order, OutboxMessage, Product

CACHED_SECONDS = 30
CACHE_KEY = "waiting"
#: Older failures are known, or nobody can mend them.
FAILURES_COUNTED = timedelta(days=7)


def get_badge_counts() -> dict[str, int]:
    """Return by model name: pending orders, products low on stock, open carts, failed emails.

    One query, cached for 30 seconds for all users, since every admin page shows them.
    """
    return caching.get_or_compute(CACHE_KEY, _count_all, CACHED_SECONDS)


def _count_all() -> dict[str, int]:
    failed = OutboxMessage.objects.filter(status=OutboxMessage.Status.FAILED)
    since = timezone.now() - FAILURES_COUNTED
    first, *others = (
        _count_rows("order", Order.objects.filter(status=Order.Status.PENDING), Count("pk")),
        _count_rows("product", Product.objects.filter(is_low=True, is_active=True), Count("pk")),
        _count_rows("cartitem", CartItem.objects.all(), Count("user", distinct=True)),
        _count_rows("outboxmessage", failed.filter(created_at__gt=since), Count("pk")),
    )
    return dict(first.union(*others, all=True).order_by())


def _count_rows(model: str, rows: QuerySet[Any], what: Count) -> Any:
    return rows.order_by().values(counted=Value(model)).annotate(n=what).values_list("counted", "n")
