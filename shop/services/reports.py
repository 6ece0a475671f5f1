"""Figures for the dashboard: sales, open orders, best sellers, low stock.

The revenue of a period is the total of the orders placed in it, less what was credited in it: each
`Payment.credited_amount` on the day of the refund, or of the credit of what was never paid.
Cancelled orders count as neither, so that a cancellation takes an order out of the day on which it
was placed. Units are those that customers kept, on the day of the order. Days are days of the
shop's time zone, and money is in its currency: orders placed in another one do not count.

Each function runs one query, `daily_sales` two, `compare_sales` and `best_sellers` three, which is
faster than one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from shop.models import Order, OrderItem, Payment, Product, StockMovement
from shop.models.order_status import OrderStatus, PaymentStatus
from shop.models.orders import BALANCE, KEPT_QUANTITY
from shop.money import default_currency, to_cents
from shop.services.days import DAY, constant_offsets, shift_days, start_of_day

PACE_DAYS = 30
#: The movements of which an order's sale consists.
SALE_KINDS = (
    StockMovement.Kind.SALE,
    StockMovement.Kind.CANCELLATION,
    StockMovement.Kind.ORDER_EDIT,
    StockMovement.Kind.RETURNED,
)


@dataclass(frozen=True)
class Sales:
    """Sales of a period."""

    revenue: Decimal
    orders: int
    units: int

    @property
    def average(self) -> Decimal:
        """Average order value; zero without orders."""
        return to_cents(self.revenue / self.orders if self.orders else None)


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


def compare_sales(since: datetime, until: datetime) -> Comparison:
    """Return the sales from `since` (inclusive) to `until` (exclusive) and of the period before.

    The previous period is shifted by whole days, as few as avoid an overlap, so that a morning is
    compared with the morning before and not with last night.
    """
    days = -(-(until - since) // DAY)
    before = (shift_days(since, -days), shift_days(until, -days))
    periods = {"current": (since, until), "previous": before}
    amounts: dict[str, Any] = {"oldest": Min("pk")}
    units: dict[str, Any] = {}
    credited: dict[str, Any] = {}
    for name, (start, end) in periods.items():
        of_items = _placed_between(start, end, of="order__")
        amounts[f"{name}_revenue"] = Sum("total_amount", filter=_placed_between(start, end))
        amounts[f"{name}_orders"] = Count("pk", filter=_placed_between(start, end))
        units[f"{name}_units"] = Sum(KEPT_QUANTITY, filter=of_items)
        credited[f"{name}_credit"] = Sum("credited_amount", filter=_placed_between(start, end))
    first = before[0]
    totals = _sold_orders(first, until).aggregate(**amounts)
    totals |= _sold_items(totals["oldest"], first).aggregate(**units)
    totals |= _credits(first, until).aggregate(**credited)
    return Comparison(
        *(
            Sales(
                to_cents(totals[f"{name}_revenue"]) - to_cents(totals[f"{name}_credit"]),
                totals[f"{name}_orders"],
                totals[f"{name}_units"] or 0,
            )
            for name in periods
        )
    )


def daily_sales(days: int, today: date) -> list[DailySales]:
    """Return the sales of the last `days` days, oldest first, including days without sales."""
    first = today - (days - 1) * DAY
    dates = [first + number * DAY for number in range(days)]
    since, until = start_of_day(first), start_of_day(today + DAY)
    by_day = _sold_orders(since, until).values(day=_ShopDay(dates)).order_by()
    sales = by_day.values_list("day", Sum("total_amount"), Count("pk"))
    sold = {day: (to_cents(revenue), orders) for day, revenue, orders in sales}
    by_day_of_credit = _credits(since, until).values(day=_ShopDay(dates)).order_by()
    credited = dict(by_day_of_credit.values_list("day", Sum("credited_amount")))
    nothing = (to_cents(None), 0)
    return [
        DailySales(day, revenue - to_cents(credited.get(day)), orders)
        for day in dates
        for revenue, orders in [sold.get(day, nothing)]
    ]


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
    due = Order.objects.filter(payment_status=PaymentStatus.REFUND_DUE).order_by()
    row = due.aggregate(orders=Count("pk"), amount=Sum(-BALANCE))
    return RefundsDue(row["orders"], to_cents(row["amount"]))


def best_sellers(since: datetime, limit: int = 5) -> list[BestSeller]:
    """Return the products of which customers kept most units sold since then.

    They are sorted by units, then by revenue: the price of those units.
    """
    placed = Order.objects.filter(created_at__gte=since).order_by()
    # `+ 0`: otherwise PostgreSQL scans the primary key from the first order on.
    oldest = placed.aggregate(pk=Min(F("pk") + 0))["pk"]
    rows = (
        _sold_items(oldest, since)
        .values_list(F("product_id") + 0)  # `+ 0`: otherwise SQLite reads all items by product
        .annotate(units=Sum(KEPT_QUANTITY), revenue=Sum(F("price") * KEPT_QUANTITY))
        .filter(units__gt=0)
        .order_by("-units", "-revenue", F("product_id") + 0)[:limit]
    )
    best = list(rows)
    names = dict(Product.objects.filter(pk__in=[pk for pk, *_ in best]).values_list("pk", "name"))
    return [BestSeller(pk, names[pk], units, to_cents(revenue)) for pk, units, revenue in best]


def low_stock_products(limit: int) -> list[LowStockProduct]:
    """Return active products at or below their reorder level, lowest stock first.

    Their sales come from the ledger: units sold in the last 30 days, less those that cancelled and
    changed orders and returns brought back. So staff who may see stock but not orders can see them
    too.
    """
    units_sold = (
        StockMovement.objects.filter(
            product=OuterRef("pk"),
            order__isnull=False,
            kind__in=SALE_KINDS,
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
    return [
        LowStockProduct(pk, name, stock, max(-(units or 0), 0)) for pk, name, stock, units in rows
    ]


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


class _ShopDay(TruncDate):
    """The day of `created_at` in the shop's time zone; the rows are of the given days in sequence.

    On SQLite Django's way calls Python for each row. Here SQLite adds the offset from UTC.
    """

    def __init__(self, days: Sequence[date], **extra: Any) -> None:
        super().__init__("created_at", tzinfo=timezone.get_current_timezone(), **extra)
        self.days = days

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:  # noqa: ARG002 - Django's
        moment, _params = compiler.compile(self.lhs)  # a column has no parameters
        cases = []
        seconds = f"SUBSTR({moment}, 1, 19)"  # SQLite would round to the next day
        for until, day in constant_offsets(self.days):
            local = f"'{day}'" if isinstance(day, date) else f"date({seconds}, '{day} seconds')"
            end = until.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
            cases.append(f"WHEN {moment} < '{end}' THEN {local}")
        return f"CASE {' '.join(cases)} END", ()


def _placed_between(since: datetime, until: datetime, *, of: str = "") -> Q:
    return Q((f"{of}created_at__gte", since), (f"{of}created_at__lt", until))


def _sold_orders(since: datetime, until: datetime) -> QuerySet[Order]:
    placed = Order.objects.filter(_placed_between(since, until), currency=default_currency())
    return placed.exclude(status=Order.Status.CANCELLED)


def _credits(since: datetime, until: datetime) -> QuerySet[Payment]:
    """Return what was credited then of orders that were not cancelled, by `payment_credits`."""
    credited = Payment.objects.filter(_placed_between(since, until), credited_amount__gt=0)
    credited = credited.filter(order__currency=default_currency())
    return credited.exclude(order__status=Order.Status.CANCELLED)


def _sold_items(oldest: int | None, since: datetime) -> QuerySet[OrderItem]:
    """Return the items sold since then, of orders whose id is at least `oldest`.

    `oldest` is the lowest id of those orders, so it filters nothing out. It lets the database skip
    the items of older orders and estimate the number of rows.
    """
    items = OrderItem.objects.filter(order__gte=oldest or 0, order__created_at__gte=since)
    items = items.filter(order__currency=default_currency())
    return items.exclude(order__status=Order.Status.CANCELLED)
