"""What the shop sells, what waits and what runs out: numbers to look at.

Each function is one query; `sales` takes two and `best_sellers` three, each quicker than one for all.
Days are UTC days, from midnight to midnight. A cancelled order was no sale.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from shop.models import Order, OrderItem, Product, StockMovement
from shop.models.order_status import OrderStatus
from shop.money import CENT

DAY = timedelta(days=1)
PACE_DAYS = 30


@dataclass(frozen=True)
class Sales:
    """What a period brought."""

    revenue: Decimal
    orders: int
    units: int

    @property
    def average(self) -> Decimal:
        """The average order; zero without orders."""
        return _money(self.revenue / self.orders if self.orders else None)


@dataclass(frozen=True)
class Comparison:
    """A period beside the one before it."""

    now: Sales
    before: Sales


@dataclass(frozen=True)
class DailySales:
    """What one day brought."""

    day: date
    revenue: Decimal
    orders: int


@dataclass(frozen=True)
class StatusCount:
    """How many orders are in a status that is not their last."""

    status: OrderStatus
    orders: int


@dataclass(frozen=True)
class BestSeller:
    """What was sold of a product."""

    product_id: int
    name: str
    units: int
    revenue: Decimal


@dataclass(frozen=True)
class LowStockProduct:
    """A product that runs out, and how much of it was sold in the last 30 days."""

    product_id: int
    name: str
    stock: int
    sold: int

    @property
    def days_left(self) -> int | None:
        """Whole days that the stock lasts at that pace; None when nothing was sold."""
        return self.stock * PACE_DAYS // self.sold if self.sold else None


@dataclass(frozen=True)
class RecentOrder:
    """An order, in short."""

    order_id: int
    number: str
    customer: str
    status: OrderStatus
    total: Decimal
    placed: datetime


def start_of_day(day: date) -> datetime:
    """The moment at which a day begins."""
    return datetime.combine(day, time.min, UTC)


def compare_sales(since: datetime, until: datetime) -> Comparison:
    """Revenue, orders and units from `since` up to, but not including, `until`, and before that.

    "Before" is the same stretch as many whole days earlier as it takes not to overlap: a morning is
    compared with the morning before, not with last night.
    """
    earlier = -(-(until - since) // DAY) * DAY
    periods = {"now": (since, until), "before": (since - earlier, until - earlier)}
    amounts: dict[str, Any] = {"oldest": Min("pk")}
    units: dict[str, Any] = {}
    for name, (start, end) in periods.items():
        amounts[f"{name}_revenue"] = Sum("total_amount", filter=_placed(start, end))
        amounts[f"{name}_orders"] = Count("pk", filter=_placed(start, end))
        units[f"{name}_units"] = Sum("quantity", filter=_placed(start, end, of="order__"))
    found = _sold(since - earlier, until).aggregate(**amounts)
    found |= _lines(found["oldest"], since - earlier).aggregate(**units)
    return Comparison(
        *(
            Sales(
                _money(found[f"{name}_revenue"]),
                found[f"{name}_orders"],
                found[f"{name}_units"] or 0,
            )
            for name in periods
        )
    )


def daily_sales(days: int, today: date) -> list[DailySales]:
    """So many days up to today, oldest first; a day without orders is there with zeros."""
    first = today - (days - 1) * DAY
    rows = (
        _sold(start_of_day(first), start_of_day(today + DAY))
        .values(day=_Day("created_at", tzinfo=UTC))
        .annotate(revenue=Sum("total_amount"), orders=Count("pk"))
        .order_by()
    )
    found = {
        row["day"]: DailySales(row["day"], _money(row["revenue"]), row["orders"]) for row in rows
    }
    every = [first + number * DAY for number in range(days)]
    return [found.get(day, DailySales(day, _money(None), 0)) for day in every]


def open_order_counts() -> list[StatusCount]:
    """How many orders wait in each status from which there is a way on, in the order of that way."""
    opened = [status for status in OrderStatus if status.facts.next]
    rows = (
        Order.objects.filter(status__in=opened)
        .values("status")
        .annotate(orders=Count("pk"))
        .order_by()
    )
    found = {row["status"]: row["orders"] for row in rows}
    return [StatusCount(status, found.get(status, 0)) for status in opened]


def best_sellers(since: datetime, limit: int = 5) -> list[BestSeller]:
    """The products of which most units were sold since then; the dearer first where units are equal."""
    placed = Order.objects.filter(created_at__gte=since).order_by()
    # `+ 0`: without it PostgreSQL looks for the lowest id from the first order on.
    oldest = placed.aggregate(pk=Min(F("pk") + 0))["pk"]
    rows = (
        _lines(oldest, since)
        .values_list(
            F("product_id") + 0
        )  # as it stands, SQLite would read all lines, product by product
        .annotate(units=Sum("quantity"), revenue=Sum("subtotal"))
        .order_by("-units", "-revenue", F("product_id") + 0)[:limit]
    )
    best = list(rows)
    names = dict(Product.objects.filter(pk__in=[pk for pk, *_ in best]).values_list("pk", "name"))
    return [BestSeller(pk, names[pk], units, _money(revenue)) for pk, units, revenue in best]


def low_stock_products(limit: int) -> list[LowStockProduct]:
    """Active products at or below their own threshold, the emptiest first.

    Their pace is read from the ledger: units that sales took in the last 30 days and that no
    cancellation gave back. So whoever may see the stock, but no orders, may see it too.
    """
    came_back = StockMovement.objects.filter(
        order=OuterRef("order"), product=OuterRef("product"), kind=StockMovement.Kind.CANCELLATION
    )
    taken = (
        StockMovement.objects.filter(
            ~Exists(came_back),
            product=OuterRef("pk"),
            kind=StockMovement.Kind.SALE,
            created_at__gte=timezone.now() - PACE_DAYS * DAY,
        )
        .order_by()
        .values("product")
        .values(units=Sum("delta"))
    )
    rows = (
        Product.objects.filter(is_low=True, is_active=True)
        .order_by("stock", "pk")
        .values_list("pk", "name", "stock", Subquery(taken))[:limit]
    )
    return [LowStockProduct(pk, name, stock, -(units or 0)) for pk, name, stock, units in rows]


def has_products() -> bool:
    """Whether there is anything in the catalogue."""
    return Product.objects.exists()


def recent_orders(limit: int) -> list[RecentOrder]:
    """The newest orders, cancelled ones too."""
    return [
        RecentOrder(
            order.pk,
            order.order_number,
            str(order.user),
            OrderStatus(order.status),
            order.total_amount,
            order.created_at,
        )
        for order in Order.objects.select_related("user")[:limit]
    ]


class _Day(TruncDate):
    """The UTC day: SQLite keeps it as a moment's first letters, and Django would ask Python for each row."""

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:  # noqa: ARG002 - Django's
        sql, params = compiler.compile(self.lhs)
        return f"SUBSTR({sql}, 1, 10)", params


def _placed(since: datetime, until: datetime, *, of: str = "") -> Q:
    return Q((f"{of}created_at__gte", since), (f"{of}created_at__lt", until))


def _sold(since: datetime, until: datetime) -> QuerySet[Order]:
    return Order.objects.filter(_placed(since, until)).exclude(status=Order.Status.CANCELLED)


def _lines(oldest: int | None, since: datetime) -> QuerySet[OrderItem]:
    """What was sold since then; none of these orders has a lower id than `oldest`.

    That leaves nothing out. It spares the database the lines of all older orders, of which it cannot know
    that they lie together, and as a number it tells how many are left.
    """
    lines = OrderItem.objects.filter(order__gte=oldest or 0, order__created_at__gte=since)
    return lines.exclude(order__status=Order.Status.CANCELLED)


def _money(amount: Decimal | None) -> Decimal:
    """Two decimals, whatever the database made of the sum."""
    return (amount or Decimal(0)).quantize(CENT, ROUND_HALF_UP)
