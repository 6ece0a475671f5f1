"""The report of the tax that a period's sales contain."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from django.db import connection
from django.db.models import Max, Sum

from shop.documents.tax import Rate, TaxLine, sort_rates, split_value
from shop.money import CENT, ZERO, default_currency, smallest_unit, to_cents
from shop.services.days import DayRange
from shop.services.sales import sold_items
from shop.services.sales_reports import KEPT_AMOUNT, Report, TaxedSales, report

#: Sums the orders of which nothing was credited, by rate; each other order has rows of its own, one
#: for each rate. The tax is rounded half up for each order, as `documents.tax` does it, to `unit`
#: cents: `cents * part / whole` in whole numbers and without large products.
SQL = """
SELECT tax_rate, order_key, COUNT(*), MAX(value), SUM(gross), SUM(kept),
  SUM(cents / whole * part + (2 * (cents - cents / whole * whole) * part + whole) / (2 * whole))
    * {unit}
FROM (
  SELECT tax_rate, CASE WHEN credited > 0 THEN order_id ELSE 0 END AS order_key,
    total - credited AS value, gross, kept, CAST(ROUND(gross * 100) AS bigint) AS cents,
    COALESCE(CAST(tax_rate * 100 AS bigint), 0) AS part,
    (10000 + COALESCE(CAST(tax_rate * 100 AS bigint), 0)) * {unit} AS whole
  FROM ({lines}) AS line) AS taxed
GROUP BY 1, 2 ORDER BY 2
"""


def tax_by_rate(days: DayRange) -> Report[TaxedSales]:
    """Return net and tax of what the orders of these days cost now, by rate, lowest first.

    What was credited of an order counts whenever it was credited, so that net and tax are those of
    the order export, and of the order's invoices and credit notes. One statement.
    """
    sums: dict[Rate, _RateSum] = defaultdict(_RateSum)
    for order, rows in groupby(_read_lines(days), key=lambda row: row.order_key):
        if order:
            _add_credited(sums, list(rows))
            continue
        for row in rows:
            line = TaxLine(row.rate, row.gross - row.tax, row.tax, row.gross)
            sums[row.rate].add(line, sales=row.gross, orders=row.orders)
    taxed = [
        TaxedSales(
            rate,
            sums[rate].orders,
            sums[rate].sales,
            sums[rate].sales - sums[rate].gross,
            sums[rate].net,
            sums[rate].tax,
        )
        for rate in sort_rates(sums)
    ]
    return report(taxed, "sales", "credited", "net", "tax")


class _RateSum:
    """What the orders add up to at one rate."""

    def __init__(self) -> None:
        self.orders = 0
        self.sales = self.gross = self.net = self.tax = ZERO

    def add(self, line: TaxLine, *, sales: Decimal, orders: int = 1) -> None:
        """Add what orders with these sales cost now."""
        self.orders += orders
        self.sales += sales
        self.gross += line.gross
        self.net += line.net
        self.tax += line.tax


class _Line(NamedTuple):
    """A row of SQL; `order_key` is 0 for the orders of which nothing was credited."""

    rate: Rate
    order_key: int
    orders: int
    value: Decimal
    gross: Decimal
    kept: Decimal
    tax: Decimal


def _read_lines(days: DayRange) -> Iterator[_Line]:
    lines = (
        sold_items(days.since, days.until)
        .values("order_id", "tax_rate")
        .annotate(
            total=Max("order__total_amount"),
            credited=Max("order__credited_amount"),
            gross=Sum("subtotal"),
            kept=Sum(KEPT_AMOUNT),
        )
    )
    sql, params = lines.query.sql_with_params()
    unit = int(smallest_unit(default_currency()) / CENT)
    with connection.cursor() as cursor:
        cursor.execute(SQL.format(lines=sql, unit=unit), params)
        for rate, order_key, orders, value, gross, kept, tax in cursor.fetchall():
            yield _Line(
                rate=None if rate is None else _decimal(rate),
                order_key=order_key,
                orders=orders,
                value=_decimal(value),
                gross=_decimal(gross),
                kept=_decimal(kept),
                tax=to_cents(tax * CENT),
            )


def _decimal(number: float | Decimal) -> Decimal:
    """Return a number with two decimals; SQLite has floats."""
    return to_cents(Decimal(str(number)))


def _add_credited(sums: dict[Rate, _RateSum], rows: list[_Line]) -> None:
    """Add an order of which something was credited; there is a row for each of its rates."""
    gross = {row.rate: row.gross for row in rows}
    kept = {row.rate: row.kept for row in rows}
    for line in split_value(rows[0].value, gross, kept, currency=default_currency()):
        sums[line.rate].add(line, sales=gross[line.rate])
