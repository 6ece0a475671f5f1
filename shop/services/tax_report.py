"""The report of the tax that a period's sales contain."""

from collections import defaultdict
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db import connection
from django.db.models import Sum

from shop.documents.tax import Rate, TaxLine, sort_rates, split_value
from shop.money import CENT, ZERO, default_currency, smallest_unit
from shop.services.days import DayRange
from shop.services.sales import sold_items
from shop.services.sales_reports import KEPT_AMOUNT, Report, TaxedSales, report

#: Sums orders of which nothing was credited, by rate, and returns the others line by line, in cents
#: and hundredths of a percent. The tax is rounded half up for each order, as `documents.tax` does
#: it, to `unit` cents: `gross * rate / (10000 + rate)` in whole numbers, without large products.
SQL = """
WITH line (order_id, tax_rate, total_amount, credited_amount, gross_amount, kept_amount) AS ({}),
cents AS (
  SELECT order_id, COALESCE(CAST(ROUND(tax_rate * 100) AS bigint), -1) AS rate,
    CAST(ROUND(total_amount * 100) AS bigint) AS total,
    CAST(ROUND(credited_amount * 100) AS bigint) AS credited,
    CAST(ROUND(gross_amount * 100) AS bigint) AS gross,
    CAST(ROUND(kept_amount * 100) AS bigint) AS kept
  FROM line),
divided AS (
  SELECT rate, gross, CASE WHEN rate > 0 THEN rate ELSE 0 END AS part,
    (CASE WHEN rate > 0 THEN 10000 + rate ELSE 10000 END) * {unit} AS whole
  FROM cents WHERE credited = 0)
SELECT rate, 0, COUNT(*), 0, SUM(gross), 0,
  SUM(gross / whole * part + (2 * (gross - gross / whole * whole) * part + whole) / (2 * whole))
    * {unit}
FROM divided GROUP BY rate
UNION ALL
SELECT rate, order_id, 1, total - credited, gross, kept, 0 FROM cents WHERE credited > 0
ORDER BY 2
"""


def tax_by_rate(days: DayRange) -> Report[TaxedSales]:
    """Return net and tax of what the orders of these days cost now, by rate, lowest first.

    What was credited of an order counts whenever it was credited, so that net and tax are those of
    the order export, and of the order's invoices and credit notes. One statement.
    """
    sums: dict[Rate, _RateSum] = defaultdict(_RateSum)
    for order, rows in groupby(_read_lines(days), key=lambda row: row[1]):
        if not order:
            for rate, _order, count, _value, gross, _kept, tax in rows:
                line = TaxLine(_rate(rate), _amount(gross - tax), _amount(tax), _amount(gross))
                sums[line.rate].add(line, sales=line.gross, orders=count)
        else:
            _add_credited(sums, list(rows))
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


def _read_lines(days: DayRange) -> list[Any]:
    lines = (
        sold_items(days.since, days.until)
        .values_list("order_id", "tax_rate", "order__total_amount", "order__credited_amount")
        .annotate(gross_amount=Sum("subtotal"), kept_amount=Sum(KEPT_AMOUNT))
    )
    sql, params = lines.query.sql_with_params()
    unit = int(smallest_unit(default_currency()) / CENT)
    with connection.cursor() as cursor:
        cursor.execute(SQL.format(sql, unit=unit), params)
        return list(cursor.fetchall())


def _add_credited(sums: dict[Rate, _RateSum], rows: list[Any]) -> None:
    """Add an order of which something was credited; there is a row for each of its rates."""
    gross = {_rate(rate): _amount(amount) for rate, _o, _n, _value, amount, _kept, _tax in rows}
    kept = {_rate(rate): _amount(amount) for rate, _o, _n, _value, _gross, amount, _tax in rows}
    value = _amount(rows[0][3])
    for line in split_value(value, gross, kept, currency=default_currency()):
        sums[line.rate].add(line, sales=gross[line.rate])


def _rate(hundredths: int) -> Rate:
    return None if hundredths < 0 else Decimal(hundredths).scaleb(-2)


def _amount(cents: int | Decimal) -> Decimal:
    return (Decimal(cents) * CENT).quantize(CENT)
