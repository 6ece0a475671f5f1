"""Stateful test: whatever happens to orders, the reports add up to the order export.

The rules are those of `support.shop_machine`: sales, edits, payments, cancellations, returns and
refunds; one more places an order on an earlier day.
"""

import csv
import io
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from support.shop_machine import OrderMachine, has_orders, indexes

from shop.models import Order, Product
from shop.product_files.exports.order_export import export_orders
from shop.services.days import DayRange
from shop.services.sales_reports import (
    refunds_by_day,
    sales_by_day,
    sales_by_payment_method,
    sales_by_product,
)
from shop.services.tax_report import tax_by_rate

DAY = timedelta(days=1)
#: Days before today of the first and the last day of a period.
PERIODS = [(9, 0), (2, 1), (0, 0)]
RATES = {"A-1": Decimal(19), "A-2": Decimal(7), "A-3": None}
CANCELLED = str(Order.Status.CANCELLED.label)


def exported(days, rows):
    """Return the rows of the export of the orders placed on these days, without cancelled ones."""
    orders = Order.objects.filter(created_at__gte=days.since, created_at__lt=days.until)
    data = b"".join(export_orders(orders, rows=rows, file_format="csv"))
    table = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
    return [row for row in table if row["status"] != CANCELLED]


def add_up(rows, key, *columns):
    """Return the number of rows by what `key` returns for each, and the sums of these columns."""
    sums = defaultdict(lambda: [0, *(Decimal(0) for _ in columns)])
    for row in rows:
        so_far = sums[key(row)]
        amounts = [Decimal(row[column] or 0) for column in columns]
        sums[key(row)] = [so_far[0] + 1, *(map(sum, zip(so_far[1:], amounts, strict=True)))]
    return dict(sums)


def check_period(days):
    orders, items = exported(days, "order"), exported(days, "item")
    by_day = {str(r.day): [r.orders, r.sales] for r in sales_by_day(days).rows if r.orders}
    assert by_day == add_up(orders, lambda row: row["placed"][:10], "gross")
    methods = [r for r in sales_by_payment_method(days).rows if r.orders]
    by_method = {r.label: [r.orders, r.sales] for r in methods}
    assert by_method == add_up(orders, lambda row: row["payment"], "gross")
    products = sales_by_product(days).rows
    by_sku = {r.sku: [r.orders, r.units, r.returned, r.sales] for r in products}
    assert by_sku == add_up(items, lambda row: row["SKU"], "quantity", "returned", "subtotal")
    check_tax(tax_by_rate(days), orders)


def check_tax(report, orders):
    whole = add_up(orders, lambda _row: "all", "gross", "credited", "net").get("all", [0] * 4)
    assert [report.totals[name] for name in ("sales", "credited", "net")] == whole[1:]
    for row in report.rows:
        if row.rate:
            column = f"tax {row.rate.normalize():f}%"
            assert row.tax == sum(Decimal(order[column]) for order in orders)


class ReportsMachine(OrderMachine):
    """The shop of `OrderMachine` with three tax rates."""

    def __init__(self):
        super().__init__()
        for sku, rate in RATES.items():
            Product.objects.filter(sku=sku).update(tax_rate=rate)

    @has_orders
    @rule(number=indexes, days=st.integers(1, 3))
    def place_earlier(self, number, days):
        order = Order.objects.get(pk=self.orders[number % len(self.orders)].pk)
        if order.created_at > timezone.now() - 5 * DAY:
            Order.objects.filter(pk=order.pk).update(created_at=order.created_at - days * DAY)

    @rule()
    def compare(self):
        today = timezone.localdate()
        for first, last in PERIODS:
            check_period(DayRange(today - first * DAY, today - last * DAY))
        self.check_refunds(DayRange(today - 9 * DAY, today))

    def teardown(self):
        try:
            self.compare()
        finally:
            super().teardown()

    def check_refunds(self, days):
        refunds, sales = refunds_by_day(days).totals, sales_by_day(days).totals
        assert refunds["paid_back"] == sum(order.refunded for order in self.orders)
        assert refunds["credited"] == sales["credited"]
        sold = [order for order in self.orders if order.status != "cancelled"]
        value = sum(order.total - order.credited for order in sold)
        # What is credited lowers the revenue when it is paid back.
        if not any(order.balance < 0 for order in sold):
            assert sales["revenue"] == value
        assert sales["revenue"] >= value


@pytest.mark.slow
@pytest.mark.django_db
def test_reports_add_up_to_the_export_whatever_happens():
    run_state_machine_as_test(
        ReportsMachine,
        settings=settings(max_examples=10, stateful_step_count=20, deadline=None, derandomize=True),
    )
