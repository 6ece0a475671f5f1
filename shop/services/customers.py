"""What staff see of a customer: purchases, cart and sessions. Each function is one query."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from shop.models import CartItem, Order, Session, User


@dataclass(frozen=True)
class PurchaseSummary:
    """A customer's orders so far. Cancelled orders count as orders, but not in the value."""

    orders: int = 0
    value: Decimal = Decimal(0)
    last: datetime | None = None


def purchase_summaries(users: Iterable[User]) -> dict[int, PurchaseSummary]:
    """Return the purchase summary of each user, by id."""
    pks = [user.pk for user in users]
    kept = ~Q(status=Order.Status.CANCELLED)
    rows = (
        Order.objects.filter(user__in=pks)
        .order_by()
        .values_list("user")
        .annotate(
            orders=Count("pk"), value=Sum("total_amount", filter=kept), last=Max("created_at")
        )
    )
    summaries = {
        pk: PurchaseSummary(orders, value or Decimal(0), last) for pk, orders, value, last in rows
    }
    return {pk: summaries.get(pk, PurchaseSummary()) for pk in pks}


def orders_of(user: User, limit: int) -> list[Order]:
    """Return a customer's newest orders, including cancelled ones."""
    return list(user.orders.all()[:limit])


def cart_lines(user: User) -> list[CartItem]:
    """Return the items of a customer's cart with their products."""
    return list(user.cart.select_related("product"))


def live_sessions(user: User) -> list[Session]:
    """Return a customer's live sessions, most recently used first."""
    now = timezone.now()
    return [session for session in user.sessions.filter(revoked_at=None) if session.is_live(now)]
