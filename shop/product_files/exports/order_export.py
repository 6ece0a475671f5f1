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
from shop.documents.tax import Rate, TaxLine, split_value
from shop.models import Order, OrderItem, User
from shop.models.order_status import OrderStatus, PaymentStatus
from shop.money import ZERO, to_cents
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
def _split_value(
    rates: tuple[Decimal, ...],
    status: str,
    total: str,
    credited: str,
    currency: str,
    kept: Decimal | None,
    *sums: Decimal | None,
) -> dict[Rate, TaxLine]:
    """Return net and tax, by rate, of what an order costs now: its total less what is credited.

    `sums` are the gross at each rate, then the part of it that is kept. A cancelled order costs
    nothing.
    """
    # SQLite adds up floats.
    kept, *amounts = map(to_cents, (kept, *sums))
    gross: dict[Rate, Decimal] = dict(zip(rates, amounts[: len(rates)], strict=True))
    kept_by_rate: dict[Rate, Decimal] = dict(zip(rates, amounts[len(rates) :], strict=True))
    gross[None] = Decimal(total) - sum(gross.values(), ZERO)
    kept_by_rate[None] = kept - sum(kept_by_rate.values(), ZERO)
    value = ZERO if status == OrderStatus.CANCELLED else Decimal(total) - Decimal(credited)
    lines = split_value(value, gross, kept_by_rate, currency=currency)
    return {line.rate: line for line in lines}


def _value_fields(order: str, rates: Sequence[Decimal]) -> tuple[Value, ...]:
    """Return what `_split_value` needs of each order."""
    return (
        f"{order}status",
        DecimalText(f"{order}total_amount"),
        DecimalText(f"{order}credited_amount"),
        f"{order}currency",
        order_values.kept(order),
        *(order_values.gross_at_rate(order, rate) for rate in rates),
        *(order_values.kept_at_rate(order, rate) for rate in rates),
    )


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
    values, all_rates = _value_fields("", rates), tuple(rates)

    def tax_column(rate: Decimal) -> Column:
        def show(*order: Any) -> str:
            return str(_split_value(all_rates, *order)[rate].tax)

        return Column(f"tax {rate.normalize():f}%", show, values, MONEY)

    def net(*order: Any) -> str:
        return str(sum((line.net for line in _split_value(all_rates, *order).values()), ZERO))

    return [
        *_shared_columns(""),
        Column("units", _blank_or_number, (order_values.units("", "quantity"),), NUMBER),
        Column(
            "returned", _blank_or_number, (order_values.units("", "returned_quantity"),), NUMBER
        ),
        Column("net", net, values, MONEY),
        *map(tax_column, rates),
        Column("gross", str, (DecimalText("total_amount"),), MONEY),
        Column("credited", str, (DecimalText("credited_amount"),), MONEY),
        Column("amount paid", str, (DecimalText("paid_amount"),), MONEY),
        Column("refunded", str, (DecimalText("refunded_amount"),), MONEY),
        *_closing_columns(""),
    ]


def _item_columns(rates: Sequence[Decimal]) -> list[Column]:
    """Return the columns of a row per item. An order's amounts stand on its first row only."""
    subtotal = DecimalText("subtotal")
    is_later = order_values.has_row_before()
    values, all_rates = (is_later, *_value_fields("order__", rates)), tuple(rates)

    def sum_column(header: str, part: str) -> Column:
        def show(is_later: bool, *order: Any) -> str:  # noqa: FBT001 - called with a row's values
            lines = () if is_later else _split_value(all_rates, *order).values()
            return str(sum((getattr(line, part) for line in lines), ZERO)) if lines else ""

        return Column(header, show, values, MONEY)

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
        Column("tax rate", _blank_or_rate, ("tax_rate",), NUMBER),
        Column("subtotal", str, (subtotal,), MONEY),
        amount_column("order total", "total_amount"),
        sum_column("order net", "net"),
        sum_column("order tax", "tax"),
        amount_column("order credited", "credited_amount"),
        amount_column("order paid", "paid_amount"),
        amount_column("order refunded", "refunded_amount"),
        *_closing_columns("order__"),
    ]


def _blank_or_rate(rate: Decimal | None) -> str:
    return "" if rate is None else f"{rate.normalize():f}"


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
    columns = _order_columns(rates) if kind == "order" else _item_columns(rates)
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

    Another statement before it finds the tax rates, by which net and tax are computed.
    """
    rates = order_values.occurring_rates(orders)
    columns = order_columns(rows, rates)
    cells = table_rows(columns, export_rows(orders, rows))
    if file_format == "xlsx":
        # Its text cells are never run as formulas, and would show the apostrophe.
        cells = (tuple(map(unescape_formula, row)) for row in cells)
    return FILE_WRITERS[file_format](columns, cells)
