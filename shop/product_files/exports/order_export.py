"""Order export: one row per order for bookkeepers, or one row per item."""

import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from django.db import models
from django.db.models import QuerySet, TextChoices
from django.utils import timezone

from shop import exposure
from shop.documents.tax import split_tax
from shop.models import Order, OrderItem, User
from shop.models.order_status import OrderStatus, PaymentStatus
from shop.product_files.exports import order_values
from shop.product_files.exports.columns import CellType, Column, DecimalText, Value, table_rows
from shop.product_files.exports.field_columns import field_column
from shop.product_files.exports.product_export import FILE_WRITERS, Format
from shop.product_files.formula_escaping import escape_formula, unescape_formula

#: What a row of the file is.
type RowKind = Literal["order", "item"]

#: Different amounts whose tax is computed once.
MAX_CACHED_AMOUNTS = 10_000
LINE, NUMBER, MONEY, MOMENT = CellType.LINE, CellType.NUMBER, CellType.MONEY, CellType.MOMENT


def _label_of(choices: type[TextChoices]) -> Callable[[str], str]:
    """Return a function from a stored value to its label."""
    return lambda value: str(choices(value).label)


def _choice_formatter(field: exposure.Field) -> Callable[[Any], str]:
    labels = {None: "", **dict(field.flatchoices)}
    return lambda value: escape_formula(str(labels.get(value, value)))


def format_local(moment: datetime.datetime | None) -> str:
    """Write the moment in the shop's time zone, such as `2026-11-22 10:30:00`."""
    return timezone.localtime(moment).isoformat(" ")[:19] if moment else ""


def _format_customer_name(first: str, last: str) -> str:
    return escape_formula(f"{first} {last}".strip())


@lru_cache(MAX_CACHED_AMOUNTS)
def _tax(gross: Decimal, rate: Decimal | None, currency: str) -> Decimal:
    [line] = split_tax([(gross, rate)], currency=currency)
    return line.tax


def _shared_columns(order: str) -> list[Column]:
    """Return the columns that both kinds of rows start with."""
    return [
        Column("order number", str, (f"{order}order_number",), LINE),
        Column("placed", format_local, (f"{order}created_at",), MOMENT),
        Column("status", _label_of(OrderStatus), (f"{order}status",), LINE),
        Column("payment", _label_of(Order.PaymentMethod), (f"{order}payment_method",), LINE),
        Column("paid", _label_of(PaymentStatus), (f"{order}payment_status",), LINE),
        Column("paid on", format_local, (order_values.last_payment(order),), MOMENT),
        Column("customer email", escape_formula, (f"{order}user__email",), LINE),
        Column(
            "customer name",
            _format_customer_name,
            (f"{order}user__first_name", f"{order}user__last_name"),
            LINE,
        ),
        Column("phone", escape_formula, (f"{order}user__phone",), LINE),
        Column("shipping address", escape_formula, (f"{order}shipping_address",)),
    ]


def _closing_columns(order: str) -> list[Column]:
    """Return the columns that follow the amounts in both kinds of rows."""
    invoices = order_values.invoices(order)
    return [
        Column("currency", str, (f"{order}currency",), LINE),
        Column("invoice number", order_values.invoice_numbers, (invoices,), LINE),
        Column("carrier", escape_formula, (f"{order}carrier",), LINE),
        Column("tracking number", escape_formula, (f"{order}tracking_number",), LINE),
    ]


def _order_columns(rates: Sequence[Decimal]) -> list[Column]:
    """Return the columns of a row per order, with one of the tax contained at each rate."""
    total = DecimalText("total_amount")
    gross: list[Value] = [order_values.gross_at_rate("", rate) for rate in rates]

    def tax_column(rate: Decimal, value: Value) -> Column:
        def show(amount: Decimal | None, currency: str) -> str:
            return "0.00" if amount is None else str(_tax(amount, rate, currency))

        return Column(f"tax {rate.normalize():f}%", show, (value, "currency"), MONEY)

    def net(gross_total: str, currency: str, *amounts: Decimal | None) -> str:
        by_rate = zip(amounts, rates, strict=True)
        taxes = (_tax(amount, rate, currency) for amount, rate in by_rate if amount is not None)
        return str(Decimal(gross_total) - sum(taxes, Decimal(0)))

    return [
        *_shared_columns(""),
        Column("units", _blank_or_number, (order_values.units("", "quantity"),), NUMBER),
        Column(
            "returned", _blank_or_number, (order_values.units("", "returned_quantity"),), NUMBER
        ),
        Column("net", net, (total, "currency", *gross), MONEY),
        *map(tax_column, rates, gross),
        Column("gross", str, (total,), MONEY),
        Column("credited", str, (DecimalText("credited_amount"),), MONEY),
        Column("amount paid", str, (DecimalText("paid_amount"),), MONEY),
        Column("refunded", str, (DecimalText("refunded_amount"),), MONEY),
        *_closing_columns(""),
    ]


def _item_columns() -> list[Column]:
    """Return the columns of a row per item. An order's amounts stand on its first row only."""
    subtotal = DecimalText("subtotal")
    taxed = (subtotal, "tax_rate", "order__currency")
    is_later = order_values.has_row_before()

    def amount_column(header: str, field: str) -> Column:
        def show(is_later: bool, amount: str) -> str:  # noqa: FBT001 - called with a row's values
            return "" if is_later else amount

        return Column(header, show, (is_later, DecimalText(f"order__{field}")), MONEY)

    return [
        *_shared_columns("order__"),
        Column("SKU", escape_formula, ("sku",), LINE),
        Column("name", escape_formula, ("name",), LINE),
        Column("quantity", str, ("quantity",), NUMBER),
        Column("returned", str, ("returned_quantity",), NUMBER),
        Column("price", str, (DecimalText("price"),), MONEY),
        Column(
            "net",
            lambda gross, *tax: str(Decimal(gross) - _tax(Decimal(gross), *tax)),
            taxed,
            MONEY,
        ),
        Column(
            "tax rate",
            lambda rate: "" if rate is None else f"{rate.normalize():f}",
            ("tax_rate",),
            NUMBER,
        ),
        Column(
            "tax",
            lambda gross, *tax: str(_tax(Decimal(gross), *tax)),
            taxed,
            MONEY,
        ),
        Column("subtotal", str, (subtotal,), MONEY),
        amount_column("order total", "total_amount"),
        amount_column("order credited", "credited_amount"),
        amount_column("order paid", "paid_amount"),
        amount_column("order refunded", "refunded_amount"),
        *_closing_columns("order__"),
    ]


def _blank_or_number(number: int | None) -> str:
    return "" if number is None else str(number)


#: Fields that no column above names, or that are left out on purpose.
LEFT_OUT = {
    "id",
    "user",
    "total_amount",
    "credited_amount",
    "paid_amount",
    "refunded_amount",
    "note",
    "updated_at",
    "user__id",
    "user__role",
    "user__created_at",
}


def order_columns(kind: RowKind, rates: Sequence[Decimal] = ()) -> list[Column]:
    """Return the columns of a kind of rows, and one for each further field of the order.

    Choices have their labels, and moments are local. Of customers there are the fields that they
    see: others hold passwords and rights.
    """
    order = "" if kind == "order" else "order__"
    columns = _order_columns(rates) if kind == "order" else _item_columns()
    known = {f"{order}{name}" for name in LEFT_OUT}.union(*(column.fields for column in columns))
    of_customer = exposure.api_readable_fields(User)
    for path, prefix, fields in (
        (order, "order", exposure.all_fields(Order)),
        (f"{order}user__", "customer", [exposure.get_field(User, name) for name in of_customer]),
    ):
        for field in fields:
            if f"{path}{field.name}" in known:
                continue
            header = str(field.verbose_name)
            if prefix == "customer" or header in {column.header for column in columns}:
                header = f"{prefix} {header}"
            column = replace(field_column(field, path), header=header)
            if field.choices:
                column = replace(column, format_cell=_choice_formatter(field))
            if isinstance(field, models.DateTimeField):
                column = replace(column, format_cell=format_local, cell_type=MOMENT)
            columns.append(column)
    return columns


def export_rows(orders: QuerySet[Order], kind: RowKind) -> QuerySet[Any]:
    """Return the orders or their items, oldest order first."""
    if kind == "order":
        return Order.objects.filter(pk__in=orders.order_by().values("pk")).order_by("pk")
    items = OrderItem.objects.filter(order__in=orders.order_by().values("pk"))
    return items.order_by("order_id", "pk")


def export_orders(
    orders: QuerySet[Order], *, rows: RowKind, file_format: Format
) -> Iterator[bytes]:
    """Yield the file in chunks. One statement, read while the chunks are consumed.

    For rows of orders another statement before it finds the tax rates, which are columns.
    """
    rates = order_values.occurring_rates(orders) if rows == "order" else []
    columns = order_columns(rows, rates)
    cells = table_rows(columns, export_rows(orders, rows))
    if file_format == "xlsx":
        # Its text cells are never run as formulas, and would show the apostrophe.
        cells = (tuple(map(unescape_formula, row)) for row in cells)
    return FILE_WRITERS[file_format](columns, cells)
