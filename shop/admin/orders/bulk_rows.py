"""Rows of the orders that the page of a bulk step lists."""

from collections.abc import Iterable
from dataclasses import dataclass

from django import forms

from shop import money
from shop.admin.orders.bulk_forms import BulkForm, BulkShipForm
from shop.admin.orders.bulk_messages import order_url
from shop.admin.orders.columns import summarize_items
from shop.models import Order
from shop.services.addresses import town_of


@dataclass(frozen=True)
class OrderRow:
    """What a page says of an order in a line, with the fields that it asks."""

    order: Order
    url: str
    town: str
    items: str
    total: str
    fields: list[forms.BoundField]


def order_rows(orders: Iterable[Order], form: BulkForm) -> list[OrderRow]:
    """Return a row for each order, which has its customer and its items loaded."""
    return [
        OrderRow(
            order=order,
            url=order_url(order),
            town=town_of(order.shipping_address),
            items=summarize_items(list(order.items.all())),
            total=money.format_money(order.current_total, order.currency),
            fields=form.row_fields(order) if isinstance(form, BulkShipForm) else [],
        )
        for order in orders
    ]
