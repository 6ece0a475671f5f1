"""Figures for the dashboard: sales, open orders, best sellers, low stock.

`services.sales` defines what counts. Units are those that customers kept, on the day of the order.

Each function runs one query, `compare_sales` and `best_sellers` three, which is faster than one.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Min, OuterRef, Subquery, Sum
from django.utils import timezone

from shop.models import Order, Product, StockMovement
from shop.models.order_status import OrderStatus, PaymentStatus
from shop.models.orders import BALANCE, KEPT_QUANTITY
from shop.money import to_cents
from shop.services.days import DAY, DayRange, shift_days
from shop.services.sales import credits_given, placed_between, sold_items, sold_orders
from shop.services.sales_reports import sales_by_day

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
        of_items = placed_between(start, end, of="order__")
        amounts[f"{name}_revenue"] = Sum("total_amount", filter=placed_between(start, end))
        amounts[f"{name}_orders"] = Count("pk", filter=placed_between(start, end))
        units[f"{name}_units"] = Sum(KEPT_QUANTITY, filter=of_items)
        credited[f"{name}_credit"] = Sum("credited_amount", filter=placed_between(start, end))
    first = before[0]
    totals = sold_orders(first, until).aggregate(**amounts)
    totals |= sold_items(first, oldest=totals["oldest"] or 0).aggregate(**units)
    totals |= credits_given(first, until).aggregate(**credited)
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
    rows = sales_by_day(DayRange(today - (days - 1) * DAY, today)).rows
    return [DailySales(row.day, row.revenue, row.orders) for row in rows]


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
        sold_items(since, oldest=oldest or 0)
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
