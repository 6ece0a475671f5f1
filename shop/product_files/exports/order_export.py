"""Orders as a file: one row for each line of an order, with what a bookkeeper or a carrier asks for."""

import datetime
from collections.abc import Callable, Iterator

from django.db.models import QuerySet, TextChoices

from shop.models import Order, OrderItem
from shop.models.order_status import OrderStatus, PaymentStatus
from shop.product_files.exports.csv_writer import CellType, Column, DecimalText, table_rows
from shop.product_files.exports.product_export import WRITERS, Format
from shop.product_files.formula_escaping import escape_formula


def _label_of(choices: type[TextChoices]) -> Callable[[str], str]:
    """Return a function from a stored value to its label."""
    return lambda value: str(choices(value).label)


def _placed(at: datetime.datetime) -> str:
    return at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _name(first: str, last: str) -> str:
    return escape_formula(f"{first} {last}".strip())


COLUMNS = (
    Column("order number", str, ("order__order_number",), CellType.LINE),
    Column("placed", _placed, ("order__created_at",), CellType.LINE),
    Column("status", _label_of(OrderStatus), ("order__status",), CellType.LINE),
    Column("payment", _label_of(Order.PaymentMethod), ("order__payment_method",), CellType.LINE),
    Column("paid", _label_of(PaymentStatus), ("order__payment_status",), CellType.LINE),
    Column("customer email", escape_formula, ("order__user__email",), CellType.LINE),
    Column(
        "customer name", _name, ("order__user__first_name", "order__user__last_name"), CellType.LINE
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


def order_lines(orders: QuerySet[Order]) -> QuerySet[OrderItem]:
    """The rows of their export, oldest order first."""
    return OrderItem.objects.filter(order__in=orders.order_by().values("pk")).order_by(
        "order_id", "pk"
    )


def export_orders(orders: QuerySet[Order], *, file_format: Format) -> Iterator[bytes]:
    """The file in pieces, read by one statement while it is taken."""
    return WRITERS[file_format](COLUMNS, table_rows(COLUMNS, order_lines(orders)))
