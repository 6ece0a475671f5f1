"""What staff see of a customer: what they bought, what they are about to buy, where they are signed in.

Each function is one query.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from shop.models import CartItem, Order, Session, User


@dataclass(frozen=True)
class PurchaseSummary:
    """What somebody ordered so far. A cancelled order is an order, but brought nothing."""

    orders: int = 0
    value: Decimal = Decimal(0)
    last: datetime | None = None


def purchase_summaries(users: Iterable[User]) -> dict[int, PurchaseSummary]:
    """For each of these people, by id, what they ordered so far."""
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
    found = {
        pk: PurchaseSummary(orders, value or Decimal(0), last) for pk, orders, value, last in rows
    }
    return {pk: found.get(pk, PurchaseSummary()) for pk in pks}


def orders_of(user: User, limit: int) -> list[Order]:
    """Their newest orders, cancelled ones too."""
    return list(user.orders.all()[:limit])


def cart_lines(user: User) -> list[CartItem]:
    """The lines of their cart, with the products as they are now."""
    return list(user.cart.select_related("product"))


def live_sessions(user: User) -> list[Session]:
    """Where they are signed in now, the device used last first."""
    now = timezone.now()
    return [session for session in user.sessions.filter(revoked_at=None) if session.is_live(now)]
