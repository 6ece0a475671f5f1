"""How much waits for staff: the numbers beside the back office's menu."""

from typing import Any

from django.core.cache import cache
from django.db.models import Count, QuerySet, Value
from redis.exceptions import RedisError

from shop.models import CartItem, Order, Product

CACHED_SECONDS = 30
CACHE_KEY = "waiting"


def get_badge_counts() -> dict[str, int]:
    """Orders to be confirmed, active products at their low stock, customers with a cart.

    By the name of the model. One query, kept for half a minute for everybody: every page of the back
    office asks. While the cache does not answer, each page counts for itself.
    """
    try:
        found: dict[str, int] = cache.get_or_set(CACHE_KEY, _count, CACHED_SECONDS) or {}
    except RedisError:
        return _count()
    return found


def _count() -> dict[str, int]:
    first, *others = (
        _counted("order", Order.objects.filter(status=Order.Status.PENDING), Count("pk")),
        _counted("product", Product.objects.filter(is_low=True, is_active=True), Count("pk")),
        _counted("cartitem", CartItem.objects.all(), Count("user", distinct=True)),
    )
    return dict(first.union(*others, all=True).order_by())


def _counted(model: str, rows: QuerySet[Any], what: Count) -> Any:
    return rows.order_by().values(counted=Value(model)).annotate(n=what).values_list("counted", "n")
