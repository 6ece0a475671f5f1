"""Orders: placed once, then moved along `Order.FLOW`. Nothing else changes an order's status."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from shop import money
from shop.db.bulk_rows import delete_rows, insert_rows
from shop.db.compiled_queries import CompiledQuery, Placeholder
from shop.db.transactions import atomically
from shop.documents import emails
from shop.models import CartItem, Order, OrderEvent, OrderItem, Product, User
from shop.services import audit, background
from shop.services.errors import (
    CartEmpty,
    InsufficientStock,
    InvalidTransition,
    NotFound,
    ProductUnavailable,
    TotalChanged,
)
from shop.services.payments import initial_payment_status, next_payment_status
from shop.services.stock import StockChange, return_stock, take_stock


@dataclass(frozen=True)
class OrderDetails:
    """An order with its lines and its events, oldest first."""

    order: Order
    items: Sequence[OrderItem]
    events: Sequence[OrderEvent]


@dataclass(frozen=True)
class Shipment:
    """Who carries a parcel, and by which number it is followed; both may be unknown."""

    carrier: str = ""
    tracking_number: str = ""


@dataclass(frozen=True)
class BulkMoveResult:
    """What became of many orders: those that moved, and those left where they are, with the reason."""

    moved: Sequence[Order]
    left: Sequence[tuple[Order, str]]


NO_SHIPMENT = Shipment()
#: Their PDF takes about two seconds, at five lines each.
MAX_PRINTED_ORDERS = 500
#: Events that say what an order has become, at the moment in which it did.
CHANGES = (OrderEvent.Kind.STATUS, OrderEvent.Kind.PAYMENT)
#: A cart with its products, locked: a second checkout of it waits, and finds it empty.
LOCKED_LINES = CompiledQuery(
    CartItem.objects.filter(user=Placeholder("user", User._meta.pk))
    .select_related("product")
    .order_by("product_id")
    .select_for_update(no_key=True, of=("self",))
)


@atomically
def place_order(
    *,
    user: User,
    shipping_address: str,
    payment_method: str = Order.PaymentMethod.CASH_ON_DELIVERY,
    payment_token: str = "",
    expected_total: Decimal | None = None,
    note: str = "",
) -> OrderDetails:
    """Turn the user's cart into an order: stock taken, prices frozen, cart emptied; or nothing at all.

    In this order: lock the cart, empty it of what is ordered, check that, write order, lines, event and
    ledger. The mail leaves after the commit. Staff take orders by `phone_orders`.
    Raises CartEmpty, ProductUnavailable, InsufficientStock (each with its `items`), TotalChanged (with
    `total_amount`), PaymentDeclined; ValidationError for a bad address or note.
    """
    lines = LOCKED_LINES(user=user.pk)
    delete_rows(lines)
    order = Order(
        user=user, shipping_address=shipping_address, payment_method=payment_method, note=note
    )
    return write_order(
        order, lines, actor=user, payment_token=payment_token, expected_total=expected_total
    )


def write_order(
    order: Order,
    lines: Sequence[CartItem],
    *,
    actor: User,
    expected_total: Decimal | None,
    payment_token: str = "",
    told: str = "",
) -> OrderDetails:
    """Check the lines and write what an order is made of; `told` is its first event's note.

    The stock comes last, since other buyers of the same products wait from there until the commit. What is
    for sale, and for how much, is as the lines were read. The caller holds the transaction. Raises what
    `place_order` raises.
    """
    _refuse_what_cannot_be_sold(lines)
    total = money.order_total((line.product.price, line.quantity) for line in lines)
    if expected_total is not None and expected_total != total:
        raise TotalChanged(f"The total is {total} now.", total_amount=total)
    order.total_amount = total
    order.payment_status = initial_payment_status(method=order.payment_method, token=payment_token)
    order.clean_fields(exclude=["user"])
    order.updated_at = order.created_at
    insert_rows([order])
    items = _items(order, lines)
    insert_rows(items)
    event = _record_event(order, actor=actor, note=told)
    try:
        take_stock(
            [StockChange(line.product_id, -line.quantity, order.pk) for line in lines], actor=actor
        )
    except InsufficientStock:
        _refuse_what_has_gone(lines)
        raise
    transaction.on_commit(
        partial(background.enqueue, partial(emails.send_order_placed, order, items)), robust=True
    )
    return OrderDetails(order, items, [event])


@atomically
def move_order(
    *,
    order_id: int,
    to: str,
    actor: User,
    by_staff: bool,
    note: str = "",
    shipment: Shipment = NO_SHIPMENT,
    lost: Collection[int] = (),
) -> Order:
    """Move an order along `Order.FLOW`; a cancellation gives its stock back, exactly once.

    `shipment` is noted on the order. Of the products in `lost`, the units that come back are written off.
    Two who press at the same time wait for each other, and the second is told what the order has become.
    Raises NotFound (also for a customer's call on another's order), InvalidTransition (with
    `order_status`).
    """
    order = _lock_order(order_id, owner=None if by_staff else actor)
    if to not in order.next_statuses(by_staff=by_staff):
        raise InvalidTransition(_why_not(order, to), order_status=order.status)
    _advance([order], to, actor=actor, note=note, shipment=shipment, lost=lost)
    return order


@atomically
def move_orders(
    *, order_ids: Collection[int], to: str, actor: User, note: str = ""
) -> BulkMoveResult:
    """Move many orders by staff's hand, each guarded by itself: those that cannot go are left and named.

    As many statements for a hundred orders as for one.
    """
    locked = Order.objects.select_for_update(no_key=True, of=("self",)).select_related("user")
    ready, left = [], []
    for order in locked.filter(pk__in=order_ids).order_by("pk"):
        if to in order.next_statuses(by_staff=True):
            ready.append(order)
        else:
            left.append((order, _why_not(order, to)))
    if ready:
        _advance(ready, to, actor=actor, note=note)
    return BulkMoveResult(ready, left)


def _advance(
    orders: Sequence[Order],
    to: str,
    *,
    actor: User,
    note: str,
    shipment: Shipment = NO_SHIPMENT,
    lost: Collection[int] = (),
) -> None:
    """Write locked and checked orders: status, payment, event, stock; the mails leave after the commit."""
    now = timezone.now()
    audit.log_many(actor, [(order, audit.diff_record(order, {"status": to})) for order in orders])
    for order in orders:
        order.status, order.payment_status, order.updated_at = (
            to,
            next_payment_status(order, to),
            now,
        )
        if to == Order.Status.SHIPPED:
            order.carrier, order.tracking_number = shipment.carrier, shipment.tracking_number
            order.clean_fields(exclude=["user"])
    _write(orders, "status", "payment_status", "updated_at", "carrier", "tracking_number")
    insert_rows([_event(order, actor=actor, note=note) for order in orders])
    if to == Order.Status.CANCELLED:
        items = OrderItem.objects.filter(order__in=orders).order_by("order_id", "id")
        back = [StockChange(item.product_id, item.quantity, item.order_id) for item in items]
        return_stock(back, actor=actor, reason=note[:200], lost=lost)
    transaction.on_commit(
        partial(background.enqueue, partial(emails.send_order_moved, orders, note)), robust=True
    )


@atomically
def add_note(*, order_id: int, actor: User, note: str, is_internal: bool) -> OrderEvent:
    """Write a note into the order's story, for staff alone or for its customer too; raises NotFound."""
    order = _lock_order(order_id)
    audit.log(actor, order, {"note": ("", note)}, action=audit.Action.ADDED)
    return _record_event(
        order, actor=actor, kind=OrderEvent.Kind.NOTE, note=note, is_internal=is_internal
    )


@atomically
def record_printing(*, order_ids: Collection[int], actor: User, what: str) -> list[OrderDetails]:
    """Note on each order `what` was done, and give the orders by number, their lines by SKU, to print.

    Raises ValidationError for more than PRINTED_AT_ONCE.
    """
    if len(order_ids) > MAX_PRINTED_ORDERS:
        raise ValidationError(
            f"At most {MAX_PRINTED_ORDERS} orders fit into one print job. Select fewer, for example one day's."
        )
    orders = Order.objects.filter(pk__in=order_ids).select_related("user").order_by("order_number")
    found = list(orders.prefetch_related("items"))
    OrderEvent.objects.bulk_create(
        _event(order, actor=actor, kind=OrderEvent.Kind.PRINTED, note=what, is_internal=True)
        for order in found
    )
    return [
        OrderDetails(order, sorted(order.items.all(), key=lambda i: i.sku), []) for order in found
    ]


@atomically
def mark_paid(*, order_id: int, actor: User, note: str = "") -> Order:
    """Note that the money has arrived; raises InvalidTransition when there is none to wait for."""
    order = _lock_order(order_id)
    if not order.awaits_payment:
        raise InvalidTransition(
            "This order is not waiting for a payment.", order_status=order.status
        )
    audit.log(actor, order, audit.diff_record(order, {"payment_status": Order.PaymentStatus.PAID}))
    order.payment_status = Order.PaymentStatus.PAID
    order.updated_at = timezone.now()
    order.save(update_fields=["payment_status", "updated_at"])
    _record_event(order, actor=actor, kind=OrderEvent.Kind.PAYMENT, note=note)
    return order


def _refuse_what_cannot_be_sold(lines: Sequence[CartItem]) -> None:
    """Name every line that stands in the way, not just the first."""
    if not lines:
        raise CartEmpty
    if gone := [line for line in lines if not line.product.is_active]:
        raise ProductUnavailable(items=[{"product_id": line.product_id} for line in gone])
    if short := [line for line in lines if line.quantity > line.product.stock]:
        raise InsufficientStock(
            items=[
                {
                    "product_id": line.product_id,
                    "requested": line.quantity,
                    "available": line.product.stock,
                }
                for line in short
            ]
        )


def _refuse_what_has_gone(lines: Sequence[CartItem]) -> None:
    """Name the lines whose products were sold or erased since they were read."""
    there = Product.objects.in_bulk([line.product_id for line in lines])
    for line in lines:
        line.product = there.get(line.product_id) or Product(pk=line.product_id, is_active=False)
    _refuse_what_cannot_be_sold(lines)


def _items(order: Order, lines: Sequence[CartItem]) -> list[OrderItem]:
    return [
        OrderItem(
            order=order,
            product=line.product,
            sku=line.product.sku,
            name=line.product.name,
            price=line.product.price,
            quantity=line.quantity,
        )
        for line in lines
    ]


def _lock_order(order_id: int, *, owner: User | None = None) -> Order:
    orders = Order.objects.filter(pk=order_id).select_for_update(no_key=True)
    order = (orders if owner is None else orders.filter(user=owner)).first()
    if order is None:
        raise NotFound
    return order


def _write(orders: Sequence[Order], *names: str) -> None:
    """Write the named columns: one statement for all orders that are to hold the same."""
    alike: dict[tuple[Any, ...], list[int]] = {}
    for order in orders:
        alike.setdefault(tuple(getattr(order, name) for name in names), []).append(order.pk)
    for values, pks in alike.items():
        Order.objects.filter(pk__in=pks).update(**dict(zip(names, values, strict=True)))


def _event(
    order: Order,
    *,
    actor: User,
    kind: OrderEvent.Kind = OrderEvent.Kind.STATUS,
    note: str = "",
    is_internal: bool = False,
) -> OrderEvent:
    event = OrderEvent(order=order, kind=kind, note=note, actor=actor, is_internal=is_internal)
    event.status, event.payment_status = order.status, order.payment_status
    if kind in CHANGES:
        event.created_at = order.updated_at
    return event


def _record_event(order: Order, **about: Any) -> OrderEvent:
    event = _event(order, **about)
    event.clean_fields(exclude=["order", "actor"])
    insert_rows([event])
    return event


def _why_not(order: Order, to: str) -> str:
    now = order.get_status_display().lower()
    wanted = Order.Status(to).label.lower()
    if order.status == to:
        return f"This order is {now} already."
    return f"This order is {now}; it cannot become {wanted}."
