"""Placing orders and moving them along `Order.FLOW`. Nothing else changes an order's status."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shop import money
from shop.db.bulk_rows import delete_rows, insert_rows, update_rows
from shop.db.compiled_queries import CompiledQuery, Placeholder
from shop.db.transactions import atomically
from shop.documents.order_documents import with_slip_fields
from shop.models import CartItem, Order, OrderEvent, OrderItem, Product, User
from shop.models.order_status import ORDER_STATUSES, OrderStatus
from shop.models.outbox import ORDER_PLACED
from shop.services import audit, outbox
from shop.services.crud import validate_fields
from shop.services.errors import (
    CartEmpty,
    InsufficientStock,
    InvalidTransition,
    NotFound,
    ProductUnavailable,
    ShopError,
    StockLimitReached,
    TotalChanged,
)
from shop.services.payments import initial_payment_status, next_payment_status
from shop.services.stock import StockChange, return_stock, split_by_stock_limit, take_stock


@dataclass(frozen=True)
class OrderDetails:
    """An order with its items and its events, oldest first."""

    order: Order
    items: Sequence[OrderItem]
    events: Sequence[OrderEvent]


@dataclass(frozen=True)
class Shipment:
    """Carrier and tracking number of a shipment; either may be empty."""

    carrier: str = ""
    tracking_number: str = ""


@dataclass(frozen=True)
class BulkMoveResult:
    """Result of a bulk move: the orders moved, and those refused, each with its error."""

    moved: Sequence[Order]
    refused: Sequence[tuple[Order, ShopError]]


NO_SHIPMENT = Shipment()
#: The PDF of this many orders with five items each takes about two seconds.
MAX_PRINTED_ORDERS = 500
#: Events that record a change of the order, at the time of that change.
CHANGE_EVENTS = (OrderEvent.Kind.STATUS, OrderEvent.Kind.PAYMENT)
#: A cart with its products, locked: a second checkout of it waits, then finds it empty.
LOCKED_CART = CompiledQuery(
    CartItem.objects.filter(user=Placeholder("user", User._meta.pk))
    .select_related("product")
    .order_by("product_id")
    .select_for_update(no_key=True, of=("self",))
)


@atomically
def place_order(
    *,
    user: User,
    payment_token: str = "",
    expected_total: Decimal | None = None,
    **fields: Any,
) -> OrderDetails:
    """Turn the user's cart into an order: take the stock, freeze the prices, empty the cart.

    `fields` are those that a customer fills in, see `exposure.checkout_fields`. Lock the cart and
    delete its items, check them, then write order, items, event, email and ledger. The email is
    sent after the commit. Staff place orders through `phone_orders`.

    Raises CartEmpty, ProductUnavailable and InsufficientStock (with `items`), TotalChanged (with
    `total_amount`), PaymentDeclined; ValidationError for an invalid field.
    """
    lines = LOCKED_CART(user=user.pk)
    delete_rows(lines)
    order = Order(user=user, **fields)
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
    event_note: str = "",
) -> OrderDetails:
    """Check the lines, then write order, items, first event and ledger in the caller's transaction.

    The stock comes last: from there until the commit, other buyers of the same products wait.
    Prices and availability are those of the lines as given. Raises what `place_order` raises.
    """
    _check_lines(lines)
    total = money.order_total((line.product.price, line.quantity) for line in lines)
    if expected_total is not None and expected_total != total:
        raise TotalChanged(_("The total is now %(total)s.") % {"total": total}, total_amount=total)
    order.total_amount = total
    order.payment_status = initial_payment_status(method=order.payment_method, token=payment_token)
    order.full_clean(exclude=["user", "order_number"], validate_constraints=False)
    order.updated_at = order.created_at
    insert_rows([order])
    items = _build_items(order, lines)
    insert_rows(items)
    event = _record_event(order, actor=actor, note=event_note)
    outbox.add_order_messages([order], ORDER_PLACED)
    try:
        take_stock(
            [StockChange(line.product_id, -line.quantity, order.pk) for line in lines], actor=actor
        )
    except InsufficientStock:
        _check_lines_again(lines)
        raise
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
    written_off: Collection[int] = (),
) -> Order:
    """Move an order along `Order.FLOW`. A cancellation returns its stock, exactly once.

    `shipment` is stored on the order. Returned units of the product ids in `written_off` are
    written off as damaged. Concurrent calls wait for each other; the loser gets InvalidTransition.

    Raises NotFound (also for another's order), InvalidTransition, StockLimitReached.
    """
    order = lock_order(order_id, owner=None if by_staff else actor)
    if to not in order.next_statuses(by_staff=by_staff):
        raise _invalid_transition(order, to)
    _advance([order], to, actor=actor, note=note, shipment=shipment, written_off=written_off)
    return order


@atomically
def move_orders(
    *, order_ids: Collection[int], to: str, actor: User, note: str = ""
) -> BulkMoveResult:
    """Move many orders for staff. Each is checked by itself; the result names those refused.

    The number of SQL statements does not depend on the number of orders.
    """
    locked = Order.objects.select_for_update(no_key=True, of=("self",)).select_related("user")
    ready: list[Order] = []
    refused: list[tuple[Order, ShopError]] = []
    for order in locked.filter(pk__in=order_ids).order_by("pk"):
        if to in order.next_statuses(by_staff=True):
            ready.append(order)
        else:
            refused.append((order, _invalid_transition(order, to)))
    try:
        with transaction.atomic():
            _advance(ready, to, actor=actor, note=note)
    except StockLimitReached as error:
        orders = locked.filter(pk__in=[order.pk for order in ready]).order_by("pk")
        ready, over_limit = split_by_stock_limit(orders)
        refused += [(order, error) for order in over_limit]
        _advance(ready, to, actor=actor, note=note)
    return BulkMoveResult(ready, refused)


def _advance(
    orders: Sequence[Order],
    to: str,
    *,
    actor: User,
    note: str,
    shipment: Shipment = NO_SHIPMENT,
    written_off: Collection[int] = (),
) -> None:
    """Write status, payment, event, stock and email of locked orders."""
    if not orders:
        return
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
            if shipment != NO_SHIPMENT:
                validate_fields(order, vars(shipment))
    update_rows(orders, "status", "payment_status", "updated_at", "carrier", "tracking_number")
    insert_rows([_build_event(order, actor=actor, note=note) for order in orders])
    if kind := ORDER_STATUSES[to].email:
        outbox.add_order_messages(orders, kind, note=note)
    if to == Order.Status.CANCELLED:
        items = OrderItem.objects.filter(order__in=orders).order_by("order_id", "id")
        returned = [StockChange(item.product_id, item.quantity, item.order_id) for item in items]
        return_stock(returned, actor=actor, reason=note[:200], written_off=written_off)


@atomically
def add_note(*, order_id: int, actor: User, note: str, is_internal: bool) -> OrderEvent:
    """Add a note to the timeline, for staff only or for the customer too. Raises NotFound."""
    order = lock_order(order_id)
    audit.log(actor, order, {"note": ("", note)}, action=audit.Action.ADDED)
    return _record_event(
        order, actor=actor, kind=OrderEvent.Kind.NOTE, note=note, is_internal=is_internal
    )


@atomically
def record_printing(*, order_ids: Collection[int], actor: User, what: str) -> list[OrderDetails]:
    """Record `what` in each timeline; return the orders by number, their items sorted by SKU.

    Raises ValidationError for more than MAX_PRINTED_ORDERS.
    """
    if len(order_ids) > MAX_PRINTED_ORDERS:
        raise ValidationError(
            _("At most %(limit)d orders can be printed together. Select fewer, such as one day's.")
            % {"limit": MAX_PRINTED_ORDERS}
        )
    orders = with_slip_fields(Order.objects.filter(pk__in=order_ids)).order_by("order_number")
    printed = list(orders.prefetch_related("items"))
    OrderEvent.objects.bulk_create(
        _build_event(order, actor=actor, kind=OrderEvent.Kind.PRINTED, note=what, is_internal=True)
        for order in printed
    )
    return [
        OrderDetails(order, sorted(order.items.all(), key=lambda i: i.sku.lower()), [])
        for order in printed
    ]


@atomically
def mark_paid(*, order_id: int, actor: User, note: str = "") -> Order:
    """Record the payment. Raises InvalidTransition when the order awaits none."""
    order = lock_order(order_id)
    if not order.awaits_payment:
        raise InvalidTransition(_("This order isn't awaiting payment."), order_status=order.status)
    audit.log(actor, order, audit.diff_record(order, {"payment_status": Order.PaymentStatus.PAID}))
    order.payment_status = Order.PaymentStatus.PAID
    order.updated_at = timezone.now()
    order.save(update_fields=["payment_status", "updated_at"])
    _record_event(order, actor=actor, kind=OrderEvent.Kind.PAYMENT, note=note)
    return order


def _check_lines(lines: Sequence[CartItem]) -> None:
    """Raise for lines that cannot be sold, naming all of them."""
    if not lines:
        raise CartEmpty
    if unavailable := [line for line in lines if not line.product.is_active]:
        raise ProductUnavailable(items=[{"product_id": line.product_id} for line in unavailable])
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


def _check_lines_again(lines: Sequence[CartItem]) -> None:
    """Raise for lines whose products were sold out or deleted since they were read."""
    products = Product.objects.in_bulk([line.product_id for line in lines])
    for line in lines:
        line.product = products.get(line.product_id) or Product(pk=line.product_id, is_active=False)
    _check_lines(lines)


def _build_items(order: Order, lines: Sequence[CartItem]) -> list[OrderItem]:
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


def lock_order(order_id: int, *, owner: User | None = None) -> Order:
    """Return the order with its customer, locked. Raises NotFound, also for another's order."""
    orders = Order.objects.filter(pk=order_id).select_related("user")
    orders = orders.select_for_update(no_key=True, of=("self",))
    order = (orders if owner is None else orders.filter(user=owner)).first()
    if order is None:
        raise NotFound
    return order


def _build_event(
    order: Order,
    *,
    actor: User,
    kind: OrderEvent.Kind = OrderEvent.Kind.STATUS,
    note: str = "",
    is_internal: bool = False,
) -> OrderEvent:
    event = OrderEvent(order=order, kind=kind, note=note, actor=actor, is_internal=is_internal)
    event.status, event.payment_status = order.status, order.payment_status
    if kind in CHANGE_EVENTS:
        event.created_at = order.updated_at
    return event


def _record_event(order: Order, **about: Any) -> OrderEvent:
    event = _build_event(order, **about)
    event.clean_fields(exclude=["order", "actor"])
    insert_rows([event])
    return event


def _invalid_transition(order: Order, to: str) -> InvalidTransition:
    names = {"order": order, "current": order.get_status_display(), "wanted": OrderStatus(to).label}
    message = _("Order %(order)s is “%(current)s”; it can't become “%(wanted)s”.")
    if order.status == to:
        message = _("Order %(order)s is already “%(current)s”.")
    return InvalidTransition(message % names, order_status=order.status)
