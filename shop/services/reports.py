"""Figures for the dashboard: sales, open orders, best sellers, low stock.

Each function runs one query, `compare_sales` two and `best_sellers` three, which is faster than
one. Days are UTC days. Cancelled orders do not count as sales. Money is in the shop's currency.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from shop.models import Order, OrderItem, Product, StockMovement
from shop.models.order_status import OrderStatus, PaymentStatus
from shop.money import CENT

DAY = timedelta(days=1)
PACE_DAYS = 30


@dataclass(frozen=True)
class Sales:
    """Sales of a period."""

    revenue: Decimal
    orders: int
    units: int

    @property
    def average(self) -> Decimal:
        """Average order value; zero without orders."""
        return _to_cents(self.revenue / self.orders if self.orders else None)


@dataclass(frozen=True)
class Comparison:
    """Sales of a period and of the one before it."""

    current: Sales
    previous: Sales


@dataclass(frozen=True)
class DailySales:
    """Sales of one day."""

    day: date
    revenue: Decimal
    orders: int


@dataclass(frozen=True)
class StatusCount:
    """Number of orders in a status that is not final."""

    status: OrderStatus
    orders: int


@dataclass(frozen=True)
class BestSeller:
    """Units and revenue of one product."""

    product_id: int
    name: str
    units: int
    revenue: Decimal


@dataclass(frozen=True)
class LowStockProduct:
    """A product at or below its reorder level, and its sales in the last 30 days."""

    product_id: int
    name: str
    stock: int
    sold: int

    @property
    def days_left(self) -> int | None:
        """Days until the stock runs out at the recent pace; None if nothing was sold."""
        return self.stock * PACE_DAYS // self.sold if self.sold else None


@dataclass(frozen=True)
class RecentOrder:
    """An order in the list of recent orders."""

    order_id: int
    number: str
    customer: str
    status: OrderStatus
    total: Decimal
    currency: str
    placed: datetime


@dataclass(frozen=True)
class RefundsDue:
    """Number of orders that the shop owes money for, and the sum of it."""

    orders: int
    amount: Decimal


def start_of_day(day: date) -> datetime:
    """Return midnight UTC at the start of a day."""
    return datetime.combine(day, time.min, UTC)


def compare_sales(since: datetime, until: datetime) -> Comparison:
    """Return the sales from `since` (inclusive) to `until` (exclusive) and of the period before.

    The previous period is shifted by whole days, as few as avoid an overlap, so that a morning is
    compared with the morning before and not with last night.
    """
    shift = -(-(until - since) // DAY) * DAY
    periods = {"current": (since, until), "previous": (since - shift, until - shift)}
    amounts: dict[str, Any] = {"oldest": Min("pk")}
    units: dict[str, Any] = {}
    for name, (start, end) in periods.items():
        amounts[f"{name}_revenue"] = Sum("total_amount", filter=_placed_between(start, end))
        amounts[f"{name}_orders"] = Count("pk", filter=_placed_between(start, end))
        units[f"{name}_units"] = Sum("quantity", filter=_placed_between(start, end, of="order__"))
    totals = _sold_orders(since - shift, until).aggregate(**amounts)
    totals |= _sold_items(totals["oldest"], since - shift).aggregate(**units)
    return Comparison(
        *(
            Sales(
                _to_cents(totals[f"{name}_revenue"]),
                totals[f"{name}_orders"],
                totals[f"{name}_units"] or 0,
            )
            for name in periods
        )
    )


def daily_sales(days: int, today: date) -> list[DailySales]:
    """Return the sales of the last `days` days, oldest first, including days without sales."""
    first = today - (days - 1) * DAY
    rows = (
        _sold_orders(start_of_day(first), start_of_day(today + DAY))
        .values(day=_UtcDay("created_at", tzinfo=UTC))
        .annotate(revenue=Sum("total_amount"), orders=Count("pk"))
        .order_by()
    )
    by_day = {
        row["day"]: DailySales(row["day"], _to_cents(row["revenue"]), row["orders"]) for row in rows
    }
    dates = [first + number * DAY for number in range(days)]
    return [by_day.get(day, DailySales(day, _to_cents(None), 0)) for day in dates]


def open_order_counts() -> list[StatusCount]:
    """Return the number of orders in each status that is not final, in the order of the flow."""
    open_statuses = [status for status in OrderStatus if status.facts.next]
    rows = (
        Order.objects.filter(status__in=open_statuses)
        .values("status")
        .annotate(orders=Count("pk"))
        .order_by()
    )
    counts = {row["status"]: row["orders"] for row in rows}
    return [StatusCount(status, counts.get(status, 0)) for status in open_statuses]


def refunds_due() -> RefundsDue:
    """Return how many refunds are due and what they come to."""
    owed = (
        Sum("paid_amount") - Sum("refunded_amount") - Sum("total_amount") + Sum("credited_amount")
    )
    due = Order.objects.filter(payment_status=PaymentStatus.REFUND_DUE).order_by()
    row = due.aggregate(orders=Count("pk"), amount=owed)
    return RefundsDue(row["orders"], _to_cents(row["amount"]))


def best_sellers(since: datetime, limit: int = 5) -> list[BestSeller]:
    """Return the products with most units sold since then, by units, then by revenue."""
    placed = Order.objects.filter(created_at__gte=since).order_by()
    # `+ 0`: otherwise PostgreSQL scans the primary key from the first order on.
    oldest = placed.aggregate(pk=Min(F("pk") + 0))["pk"]
    rows = (
        _sold_items(oldest, since)
        .values_list(F("product_id") + 0)  # `+ 0`: otherwise SQLite reads all items by product
        .annotate(units=Sum("quantity"), revenue=Sum("subtotal"))
        .order_by("-units", "-revenue", F("product_id") + 0)[:limit]
    )
    best = list(rows)
    names = dict(Product.objects.filter(pk__in=[pk for pk, *_ in best]).values_list("pk", "name"))
    return [BestSeller(pk, names[pk], units, _to_cents(revenue)) for pk, units, revenue in best]


def low_stock_products(limit: int) -> list[LowStockProduct]:
    """Return active products at or below their reorder level, lowest stock first.

    Their sales come from the ledger: units sold in the last 30 days and not returned by a
    cancellation. So staff who may see stock but not orders can see them too.
    """
    cancelled = StockMovement.objects.filter(
        order=OuterRef("order"), product=OuterRef("product"), kind=StockMovement.Kind.CANCELLATION
    )
    units_sold = (
        StockMovement.objects.filter(
            ~Exists(cancelled),
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
        .values_list("pk", "name", "stock", Subquery(units_sold))[:limit]
    )
    return [LowStockProduct(pk, name, stock, -(units or 0)) for pk, name, stock, units in rows]


def has_products() -> bool:
    """Return whether the catalogue has any product."""
    return Product.objects.exists()


def recent_orders(limit: int) -> list[RecentOrder]:
    """Return the newest orders, including cancelled ones."""
    return [
        RecentOrder(
            order.pk,
            order.order_number,
            str(order.user),
            OrderStatus(order.status),
            order.total_amount,
            order.currency,
            order.created_at,
        )
        for order in Order.objects.select_related("user")[:limit]
    ]


class _UtcDay(TruncDate):
    """The UTC day of a date-time. On SQLite a substring: Django's way calls Python for each row."""

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:  # noqa: ARG002 - Django's
        sql, params = compiler.compile(self.lhs)
        return f"SUBSTR({sql}, 1, 10)", params


def _placed_between(since: datetime, until: datetime, *, of: str = "") -> Q:
    return Q((f"{of}created_at__gte", since), (f"{of}created_at__lt", until))


def _sold_orders(since: datetime, until: datetime) -> QuerySet[Order]:
    return Order.objects.filter(_placed_between(since, until)).exclude(
        status=Order.Status.CANCELLED
    )


def _sold_items(oldest: int | None, since: datetime) -> QuerySet[OrderItem]:
    """Return the items sold since then, of orders whose id is at least `oldest`.

    `oldest` is the lowest id of those orders, so it filters nothing out. It lets the database skip
    the items of older orders and estimate the number of rows.
    """
    items = OrderItem.objects.filter(order__gte=oldest or 0, order__created_at__gte=since)
    return items.exclude(order__status=Order.Status.CANCELLED)


def _to_cents(amount: Decimal | None) -> Decimal:
    """Return a sum with two decimals, whatever type the database returned."""
    return (amount or Decimal(0)).quantize(CENT, ROUND_HALF_UP)
