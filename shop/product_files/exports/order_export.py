"""Order export: one row per order item, for bookkeepers and carriers."""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from django.db.models import QuerySet, TextChoices

from shop import exposure
from shop.models import Order, OrderItem, User
from shop.models.order_status import OrderStatus, PaymentStatus
from shop.product_files.exports.columns import CellType, Column, DecimalText, table_rows
from shop.product_files.exports.field_columns import field_column
from shop.product_files.exports.product_export import FILE_WRITERS, Format
from shop.product_files.formula_escaping import escape_formula


def _label_of(choices: type[TextChoices]) -> Callable[[str], str]:
    """Return a function from a stored value to its label."""
    return lambda value: str(choices(value).label)


def _choice_formatter(field: exposure.Field) -> Callable[[Any], str]:
    labels = {None: "", **dict(field.flatchoices)}
    return lambda value: escape_formula(str(labels.get(value, value)))


def _format_utc_seconds(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _format_customer_name(first: str, last: str) -> str:
    return escape_formula(f"{first} {last}".strip())


ORDER_COLUMNS = (
    Column("order number", str, ("order__order_number",), CellType.LINE),
    Column("placed", _format_utc_seconds, ("order__created_at",), CellType.LINE),
    Column("status", _label_of(OrderStatus), ("order__status",), CellType.LINE),
    Column("payment", _label_of(Order.PaymentMethod), ("order__payment_method",), CellType.LINE),
    Column("paid", _label_of(PaymentStatus), ("order__payment_status",), CellType.LINE),
    Column("customer email", escape_formula, ("order__user__email",), CellType.LINE),
    Column(
        "customer name",
        _format_customer_name,
        ("order__user__first_name", "order__user__last_name"),
        CellType.LINE,
    ),
    Column("phone", escape_formula, ("order__user__phone",), CellType.LINE),
    Column("shipping address", escape_formula, ("order__shipping_address",)),
    Column("SKU", escape_formula, ("sku",), CellType.LINE),
    Column("name", escape_formula, ("name",), CellType.LINE),
    Column("quantity", str, ("quantity",), CellType.NUMBER),
    Column("price", str, (DecimalText("price"),), CellType.MONEY),
    Column("subtotal", str, (DecimalText("subtotal"),), CellType.MONEY),
    Column("order total", str, (DecimalText("order__total_amount"),), CellType.MONEY),
    Column("carrier", escape_formula, ("order__carrier",), CellType.LINE),
    Column("tracking number", escape_formula, ("order__tracking_number",), CellType.LINE),
)

#: Fields that no column above shows, on purpose.
LEFT_OUT = {
    "order__id",
    "order__user",
    "order__total_amount",
    "order__note",
    "order__updated_at",
    "order__user__id",
    "order__user__role",
    "order__user__created_at",
}


def order_columns() -> list[Column]:
    """Return ORDER_COLUMNS and one for each further field, of which choices have their labels.

    Of customers there are the fields that they see: others hold passwords and rights.
    """
    columns = list(ORDER_COLUMNS)
    known = LEFT_OUT.union(*(column.fields for column in ORDER_COLUMNS))
    of_customer = exposure.api_readable_fields(User)
    for path, prefix, fields in (
        ("order", "order", exposure.all_fields(Order)),
        ("order__user", "customer", [exposure.get_field(User, name) for name in of_customer]),
    ):
        for field in fields:
            if f"{path}__{field.name}" in known:
                continue
            header = str(field.verbose_name)
            if prefix == "customer" or header in {column.header for column in columns}:
                header = f"{prefix} {header}"
            column = replace(field_column(field, f"{path}__"), header=header)
            if field.choices:
                column = replace(column, format_cell=_choice_formatter(field))
            columns.append(column)
    return columns


def export_items(orders: QuerySet[Order]) -> QuerySet[OrderItem]:
    """Return the items of these orders, oldest order first."""
    return OrderItem.objects.filter(order__in=orders.order_by().values("pk")).order_by(
        "order_id", "pk"
    )


def export_orders(orders: QuerySet[Order], *, file_format: Format) -> Iterator[bytes]:
    """Yield the file in chunks. One statement, read while the chunks are consumed."""
    columns = order_columns()
    return FILE_WRITERS[file_format](columns, table_rows(columns, export_items(orders)))
