"""Rows of the orders that the page of a bulk step lists."""

from collections.abc import Iterable
from dataclasses import dataclass

from django import forms
from django.utils.translation import gettext as _

from shop import money
from shop.admin.orders.bulk_forms import BulkForm, BulkShipForm
from shop.admin.orders.bulk_messages import order_url
from shop.models import Order


@dataclass(frozen=True)
class OrderRow:
    """What a page says of an order in a line, with the fields that it asks."""

    order: Order
    url: str
    place: str
    items: str
    total: str
    fields: list[forms.BoundField]


def order_rows(orders: Iterable[Order], form: BulkForm) -> list[OrderRow]:
    """Return a row for each order, which has its customer and its items loaded."""
    return [
        OrderRow(
            order=order,
            url=order_url(order),
            place=describe_place(order.shipping_address),
            items=describe_items(order),
            total=money.format_money(order.total_amount, order.currency),
            fields=form.row_fields(order) if isinstance(form, BulkShipForm) else [],
        )
        for order in orders
    ]


def describe_place(address: str) -> str:
    """Return the lines of an address after the first, which is the street: `Kew, London`."""
    lines = [line.strip() for line in address.splitlines() if line.strip()]
    return ", ".join(lines[1:] or lines)


def describe_items(order: Order) -> str:
    """Return the first item and the number of further ones: `2 × Dipped Mug, +1`."""
    items = list(order.items.all())
    if len(items) > 1:
        return _("%(item)s, +%(count)d") % {"item": items[0], "count": len(items) - 1}
    return ", ".join(map(str, items))
