"""Locks on orders and entries of their timelines, which all that changes an order writes."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import QuerySet

from shop.db.bulk_rows import insert_rows, update_rows
from shop.models import Order, OrderEvent, User
from shop.services.errors import NotFound

#: Events that record a change of the order, at the time of that change.
CHANGE_EVENTS = frozenset(OrderEvent.Kind) - {OrderEvent.Kind.NOTE, OrderEvent.Kind.PRINTED}


def locked_orders(order_ids: Collection[int]) -> QuerySet[Order]:
    """Return the orders with their customers in id order; reading them locks them."""
    orders = Order.objects.filter(pk__in=order_ids).select_related("user").order_by("pk")
    return orders.select_for_update(no_key=True, of=("self",))


def lock_order(order_id: int, *, owner: User | None = None) -> Order:
    """Return the order with its customer, locked. Raises NotFound, also for another's order."""
    orders = locked_orders([order_id])
    order = (orders if owner is None else orders.filter(user=owner)).first()
    if order is None:
        raise NotFound
    return order


def build_event(
    order: Order,
    *,
    actor: User | None,
    kind: OrderEvent.Kind = OrderEvent.Kind.STATUS,
    note: str = "",
    details: str = "",
    is_internal: bool = False,
) -> OrderEvent:
    """Return a new entry with the order's present status."""
    event = OrderEvent(order=order, kind=kind, note=note, actor=actor, is_internal=is_internal)
    event.details = details
    event.status, event.payment_status = order.status, order.payment_status
    if kind in CHANGE_EVENTS:
        event.created_at = order.updated_at
    return event


def record_event(order: Order, **values: Any) -> OrderEvent:
    """Write one entry and return it; `values` as for `build_event`. Raises ValidationError."""
    event = build_event(order, **values)
    event.clean_fields(exclude=["order", "actor"])
    insert_rows([event])
    return event


def record_events(orders: Sequence[Order], **values: Any) -> None:
    """Write the same entry for each order, with one INSERT."""
    insert_rows([build_event(order, **values) for order in orders])


def save_orders(orders: Sequence[Order], *names: str) -> None:
    """Write the named columns of the orders with one UPDATE, however much their values differ."""
    if len(orders) == 1:
        update_rows(orders, *names)
    elif orders:
        Order.objects.bulk_update(orders, names)
