"""What staff see of a customer: purchases and cart. Each function is one query."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Max, Q, Sum

from shop.models import CartItem, Order, User
from shop.models.orders import CURRENT_TOTAL
from shop.money import to_cents

#: What orders are worth, net of refunds, returns and cancellations.
NET_VALUE = Sum(CURRENT_TOTAL)


@dataclass(frozen=True)
class PurchaseSummary:
    """A customer's orders so far. The value is net of what was credited."""

    orders: int = 0
    value: Decimal = Decimal(0)
    last: datetime | None = None


def purchase_summaries(users: Iterable[User]) -> dict[int, PurchaseSummary]:
    """Return the purchase summary of each user, by id."""
    pks = [user.pk for user in users]
    rows = (
        Order.objects.filter(user__in=pks)
        .order_by()
        .values_list("user")
        .annotate(orders=Count("pk"), value=NET_VALUE, last=Max("created_at"))
    )
    summaries = {
        pk: PurchaseSummary(orders, to_cents(value), last) for pk, orders, value, last in rows
    }
    return {pk: summaries.get(pk, PurchaseSummary()) for pk in pks}


@dataclass(frozen=True)
class PurchaseHistory:
    """The number of a customer's orders, of those before one of theirs, and the value of all."""

    orders: int
    earlier: int
    value: Decimal


def purchase_history(order: Order) -> PurchaseHistory:
    """Return the history of the order's customer, as seen from this order."""
    earlier = Count("pk", filter=Q(created_at__lt=order.created_at))
    orders = Order.objects.filter(user=order.user_id).order_by()
    row = orders.aggregate(orders=Count("pk"), earlier=earlier, value=NET_VALUE)
    return PurchaseHistory(row["orders"], row["earlier"], to_cents(row["value"]))


def orders_of(user: User, limit: int) -> list[Order]:
    """Return a customer's newest orders, including cancelled ones."""
    return list(user.orders.all()[:limit])


def cart_lines(user: User) -> list[CartItem]:
    """Return the items of a customer's cart with their products."""
    return list(user.cart.select_related("product"))
