"""The reports. A further one is a query in `services` and an entry of REPORTS."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from shop.admin.reports.columns import Kind, Link, ReportColumn
from shop.models import User
from shop.models.order_status import OrderStatus, Text
from shop.services import sales_reports
from shop.services.days import DayRange
from shop.services.sales_reports import Report
from shop.services.tax_report import tax_by_rate

#: What an order's list is filtered by, so that cancelled orders are not among them.
COUNTING = {"status__exact": [s.value for s in OrderStatus if s != OrderStatus.CANCELLED]}
FIGURES = ("shop.view_order", "shop.view_revenue")


@dataclass(frozen=True)
class ReportDeclaration:
    """A report: its words, its columns, its query, and the rights that it takes.

    `load` returns the rows of a period, as many as the limit says. `charted` is the column that is
    drawn. A report without a period is of now.
    """

    title: Text
    description: Text
    columns: tuple[ReportColumn, ...]
    load: Callable[[DayRange, int | None], Report[Any]]
    charted: str
    permissions: tuple[str, ...] = FIGURES
    has_period: bool = True

    def is_permitted(self, user: User | AnonymousUser) -> bool:
        """Return whether the user may see the report."""
        return user.has_perms(self.permissions)


def _orders_link(filters: Callable[[Any], Mapping[str, Any]] = lambda _row: {}) -> Link:
    """Return a link to the orders that count, narrowed by what `filters` returns of a row."""

    def link(row: Any, days: DayRange) -> str:
        first, last = _days_of(row, days)
        placed = {"created_at_from": first, "created_at_to": last}
        further = filters(row) if row else {}
        return _list_url("order", {**placed, **COUNTING, **further})

    return link


def _refunds_link(row: Any, days: DayRange) -> str:
    """Return a link to the orders that something was refunded or credited of."""
    first, last = _days_of(row, days)
    given = {"payments__created_at_from": first, "payments__created_at_to": last}
    return _list_url("order", given)


def _days_of(row: Any, days: DayRange) -> DayRange:
    """Return the day of a row that is of one, else all days."""
    day = getattr(row, "day", None)
    return DayRange(day, day) if day else days


def _list_url(model: str, parameters: Mapping[str, Any]) -> str:
    return f"{reverse(f'admin:shop_{model}_changelist')}?{urlencode(parameters, doseq=True)}"


def _refunds_of_method_link(row: Any, days: DayRange) -> str:
    method = f"&payment_method__exact={row.method}" if row else ""
    return _refunds_link(None, days) + method


def _product_link(row: Any, _days: DayRange) -> str:
    if row is None:
        return _list_url("product", {"stock_from": 1})
    return reverse("admin:shop_product_change", args=[row.product_id])


def _filter_by_rate(row: Any) -> Mapping[str, Any]:
    if row.rate is None:
        return {"items__tax_rate__isempty": 1}
    return {"items__tax_rate_from": row.rate, "items__tax_rate_to": row.rate}


def _sales_columns(orders: Link, refunds: Link) -> tuple[ReportColumn, ...]:
    """Return the columns of what a period brought in."""
    return (
        ReportColumn(
            "orders",
            _("Orders"),
            Kind.NUMBER,
            _("Orders placed then and not cancelled."),
            orders,
        ),
        ReportColumn("sales", _("Sales"), Kind.MONEY, _("What these orders cost."), orders),
        ReportColumn(
            "credited",
            _("Refunds"),
            Kind.MONEY,
            _("What was refunded or credited then, also of earlier orders."),
            refunds,
        ),
        ReportColumn("revenue", _("Revenue"), Kind.MONEY, _("Sales less refunds."), orders),
    )


_of_product = _orders_link(lambda row: {"items__product__id__exact": row.product_id})
_of_rate = _orders_link(_filter_by_rate)

#: Name in the URL -> report.
REPORTS = {
    "day": ReportDeclaration(
        _("Sales by day"),
        _("What was sold and refunded on each day."),
        (
            ReportColumn("day", _("Day"), Kind.DAY),
            *_sales_columns(_orders_link(), _refunds_link),
        ),
        lambda days, _limit: sales_reports.sales_by_day(days),
        charted="revenue",
    ),
    "product": ReportDeclaration(
        _("Sales by product"),
        _("What was sold of each product, on the day of the order."),
        (
            ReportColumn("name", _("Product"), Kind.TEXT, link=_product_link),
            ReportColumn("sku", _("SKU"), Kind.TEXT),
            ReportColumn("orders", _("Orders"), Kind.NUMBER, link=_of_product),
            ReportColumn("units", _("Units"), Kind.NUMBER, _("Units ordered."), _of_product),
            ReportColumn(
                "returned", _("Returned"), Kind.NUMBER, _("Units that came back."), _of_product
            ),
            ReportColumn("sales", _("Sales"), Kind.MONEY, _("What these units cost."), _of_product),
            ReportColumn(
                "kept",
                _("After returns"),
                Kind.MONEY,
                _("Sales without the units that came back."),
                _of_product,
            ),
        ),
        sales_reports.sales_by_product,
        charted="sales",
        permissions=(*FIGURES, "shop.view_product"),
    ),
    "payment": ReportDeclaration(
        _("Sales by payment method"),
        _("What was sold and refunded, by how the order is paid."),
        (
            ReportColumn("label", _("Payment method"), Kind.TEXT),
            *_sales_columns(
                _orders_link(lambda row: {"payment_method__exact": row.method}),
                _refunds_of_method_link,
            ),
        ),
        lambda days, _limit: sales_reports.sales_by_payment_method(days),
        charted="revenue",
    ),
    "tax": ReportDeclaration(
        _("Tax by rate"),
        _("Net and tax of what the orders of the period cost now, as in the order export."),
        (
            ReportColumn("rate", _("Rate"), Kind.RATE),
            ReportColumn("orders", _("Orders"), Kind.NUMBER, link=_of_rate),
            ReportColumn(
                "sales", _("Sales"), Kind.MONEY, _("What these orders cost, with tax."), _of_rate
            ),
            ReportColumn(
                "credited",
                _("Credited"),
                Kind.MONEY,
                _("What was credited of these orders, until today."),
                _of_rate,
            ),
            ReportColumn(
                "net", _("Net"), Kind.MONEY, _("Sales less credited, without tax."), _of_rate
            ),
            ReportColumn(
                "tax",
                _("Tax"),
                Kind.MONEY,
                _("The tax that sales less credited contain."),
                _of_rate,
            ),
        ),
        lambda days, _limit: tax_by_rate(days),
        charted="tax",
    ),
    "refunds": ReportDeclaration(
        _("Refunds"),
        _("Money paid back, and what it takes from the revenue, on the day of the refund."),
        (
            ReportColumn("day", _("Day"), Kind.DAY),
            ReportColumn(
                "refunds",
                _("Refunds"),
                Kind.NUMBER,
                _("How often money was paid back."),
                _refunds_link,
            ),
            ReportColumn(
                "paid_back",
                _("Paid back"),
                Kind.MONEY,
                _("Money paid back, also for cancelled and edited orders."),
                _refunds_link,
            ),
            ReportColumn(
                "credited",
                _("Less revenue"),
                Kind.MONEY,
                _("The part that lowers the revenue: refunds of sales that count."),
                _refunds_link,
            ),
        ),
        lambda days, _limit: sales_reports.refunds_by_day(days),
        charted="paid_back",
    ),
    "stock": ReportDeclaration(
        _("Stock value"),
        _("What is in stock now, at today's selling prices."),
        (
            ReportColumn("name", _("Product"), Kind.TEXT, link=_product_link),
            ReportColumn("sku", _("SKU"), Kind.TEXT),
            ReportColumn(
                "stock",
                _("Units"),
                Kind.NUMBER,
                _("Units in stock, also of archived products."),
                _product_link,
            ),
            ReportColumn("price", _("Price"), Kind.MONEY),
            ReportColumn("value", _("Value"), Kind.MONEY, _("Units times price."), _product_link),
        ),
        lambda _days, limit: sales_reports.stock_value(limit),
        charted="value",
        permissions=("shop.view_product",),
        has_period=False,
    ),
}


def permitted_reports(user: User | AnonymousUser) -> dict[str, ReportDeclaration]:
    """Return the reports that the user may see, by name."""
    return {name: report for name, report in REPORTS.items() if report.is_permitted(user)}
