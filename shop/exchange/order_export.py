"""Orders as a file: one row for each line of an order, with what a bookkeeper or a carrier asks for."""

import datetime
from collections.abc import Iterator

from django.db.models import QuerySet

from shop.exchange.cells import guard
from shop.exchange.exporting import WRITERS, Format
from shop.exchange.tables import Column, Digits, Kind, rows
from shop.models import Order, OrderItem

_STATUS = dict(Order.Status.choices)
_PAYMENT = dict(Order.PaymentMethod.choices)
_PAID = dict(Order.PaymentStatus.choices)


def _placed(at: datetime.datetime) -> str:
    return at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _name(first: str, last: str) -> str:
    return guard(f"{first} {last}".strip())


COLUMNS = (
    Column("order number", str, ("order__order_number",), Kind.LINE),
    Column("placed", _placed, ("order__created_at",), Kind.LINE),
    Column("status", _STATUS.__getitem__, ("order__status",), Kind.LINE),
    Column("payment", _PAYMENT.__getitem__, ("order__payment_method",), Kind.LINE),
    Column("paid", _PAID.__getitem__, ("order__payment_status",), Kind.LINE),
    Column("customer email", guard, ("order__user__email",), Kind.LINE),
    Column("customer name", _name, ("order__user__first_name", "order__user__last_name"), Kind.LINE),
    Column("phone", guard, ("order__user__phone",), Kind.LINE),
    Column("shipping address", guard, ("order__shipping_address",)),
    Column("SKU", guard, ("sku",), Kind.LINE),
    Column("name", guard, ("name",), Kind.LINE),
    Column("quantity", str, ("quantity",), Kind.NUMBER),
    Column("price", str, (Digits("price"),), Kind.MONEY),
    Column("subtotal", str, (Digits("subtotal"),), Kind.MONEY),
    Column("order total", str, (Digits("order__total_amount"),), Kind.MONEY),
    Column("carrier", guard, ("order__carrier",), Kind.LINE),
    Column("tracking number", guard, ("order__tracking_number",), Kind.LINE),
)


def lines_of(orders: QuerySet[Order]) -> QuerySet[OrderItem]:
    """The rows of their export, oldest order first."""
    return OrderItem.objects.filter(order__in=orders.order_by().values("pk")).order_by("order_id", "pk")


def export(orders: QuerySet[Order], *, file_format: Format) -> Iterator[bytes]:
    """The file in pieces, read by one statement while it is taken."""
    return WRITERS[file_format](COLUMNS, rows(COLUMNS, lines_of(orders)))
