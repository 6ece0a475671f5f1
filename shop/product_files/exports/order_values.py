"""What an order's rows in a file need from other tables, as expressions that are read with a row.

`order` leads from the exported rows to the order: `order__`, or nothing for orders themselves.
"""

from decimal import Decimal
from typing import Any

from django.db.models import (
    CharField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    QuerySet,
    StringAgg,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Cast, Concat

from shop.models import Invoice, Order, OrderItem, Payment
from shop.models.orders import KEPT_QUANTITY
from shop.money import MoneyField

SEPARATOR = ","
KEPT_AMOUNT = ExpressionWrapper(F("price") * KEPT_QUANTITY, output_field=MoneyField())


def occurring_rates(orders: QuerySet[Order]) -> list[Decimal]:
    """Return the tax rates of the items of these orders, lowest first."""
    items = OrderItem.objects.filter(order__in=orders.order_by().values("pk"))
    rates = items.filter(tax_rate__isnull=False).order_by("tax_rate")
    return list(rates.values_list("tax_rate", flat=True).distinct())


def gross_at_rate(order: str, rate: Decimal) -> Subquery:
    """Return the sum of the order's items with this tax rate; null without any."""
    return _item_sum(order, F("subtotal"), tax_rate=rate, output_field=MoneyField())


def kept_at_rate(order: str, rate: Decimal) -> Subquery:
    """Return what of it the customer keeps, without the returned units."""
    return _item_sum(order, KEPT_AMOUNT, tax_rate=rate, output_field=MoneyField())


def kept(order: str) -> Subquery:
    """Return what the units that the customer keeps have cost."""
    return _item_sum(order, KEPT_AMOUNT, output_field=MoneyField())


def units(order: str, field: str) -> Subquery:
    """Return the sum of a quantity of the order's items."""
    return _item_sum(order, F(field))


def _item_sum(order: str, value: Any, *, output_field: Any = None, **conditions: Any) -> Subquery:
    items = OrderItem.objects.filter(order=OuterRef(f"{order}pk"), **conditions).order_by()
    sums = items.values("order").annotate(sum=Sum(value)).values("sum")
    return Subquery(sums, **({"output_field": output_field} if output_field else {}))


def has_row_before() -> Subquery:
    """Return whether an item is not the first of its order."""
    return Exists(OrderItem.objects.filter(order=OuterRef("order"), pk__lt=OuterRef("pk")))


def last_payment(order: str) -> Subquery:
    """Return when the order's last payment was received."""
    received = Payment.objects.filter(order=OuterRef(f"{order}pk"), kind=Payment.Kind.PAYMENT)
    return Subquery(received.order_by("-pk").values("created_at")[:1])


def invoices(order: str) -> Subquery:
    """Return year and sequence of the order's invoices and credit notes, for `invoice_numbers`."""
    issued = Invoice.objects.filter(order=OuterRef(f"{order}pk")).order_by().values("order")
    year, sequence = (Cast(name, CharField()) for name in ("year", "sequence"))
    number = Concat(year, Value("-"), sequence)
    return Subquery(issued.annotate(all=StringAgg(number, Value(SEPARATOR))).values("all"))


def invoice_numbers(text: str | None) -> str:
    """Return the numbers as they are printed, lowest first."""
    if not text:
        return ""
    pairs = sorted(tuple(map(int, part.split("-"))) for part in text.split(SEPARATOR))
    return ", ".join(Invoice(year=year, sequence=sequence).number for year, sequence in pairs)
