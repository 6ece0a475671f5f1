"""Moving orders along `Order.FLOW`. Nothing else changes an order's status."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shop.db.bulk_rows import insert_rows
from shop.db.transactions import atomically
from shop.models import Order, OrderEvent, OrderItem, Payment, User
from shop.models.order_status import ORDER_STATUSES, OrderStatus
from shop.services import audit, order_payments, outbox, payments
from shop.services.errors import InvalidTransition, OrderChanged, ShopError, StockLimitReached
from shop.services.invoices import correct_invoices
from shop.services.order_edit import edit_version
from shop.services.order_payments import MONEY_FIELDS
from shop.services.order_records import (
    lock_order,
    locked_orders,
    record_event,
    record_events,
    save_orders,
)
from shop.services.shipments import NO_SHIPMENT, SHIPMENT_FIELDS, Shipment, assign_shipments
from shop.services.stock import NOTHING, StockChange, return_stock, split_by_stock_limit

NO_SHIPMENTS: Mapping[int, Shipment] = MappingProxyType({})


@dataclass(frozen=True)
class BulkMoveResult:
    """Result of a bulk move: the orders moved, and those refused, each with its error."""

    moved: Sequence[Order]
    refused: Sequence[tuple[Order, ShopError]]


@dataclass(frozen=True)
class Move:
    """A move of one or many orders to a status, as `move_order` describes it."""

    to: str
    actor: User
    note: str
    shipments: Mapping[int, Shipment]
    written_off: Mapping[int, int] = NOTHING
    notify: bool = True


@atomically
def move_order(  # noqa: PLR0913 - all by keyword
    *,
    order_id: int,
    to: str,
    actor: User,
    by_staff: bool,
    note: str = "",
    shipment: Shipment = NO_SHIPMENT,
    written_off: Mapping[int, int] = NOTHING,
    notify: bool = True,
    expected_version: str = "",
) -> Order:
    """Move an order along `Order.FLOW`. A cancellation returns its stock, exactly once.

    `shipment` is stored on the order. `written_off` maps product ids to how many of the returned
    units are written off as damaged. `notify` mails the customer. Concurrent calls wait for each
    other; the loser gets InvalidTransition. `expected_version` is the `edit_version` that was shown
    before; OrderChanged is raised if it is another now.

    Raises NotFound (also for another's order), InvalidTransition, StockLimitReached;
    ValidationError for more units written off than were ordered.
    """
    order = lock_order(order_id, owner=None if by_staff else actor)
    if to not in order.next_statuses(by_staff=by_staff):
        raise _invalid_transition(order, to)
    if expected_version and expected_version != edit_version(order, order.items.all()):
        raise OrderChanged
    move = Move(to, actor, note, {order.pk: shipment}, written_off, notify=notify)
    _advance([order], move)
    return order


@atomically
def move_orders(
    *,
    order_ids: Collection[int],
    to: str,
    actor: User,
    note: str = "",
    shipments: Mapping[int, Shipment] = NO_SHIPMENTS,
    notify: bool = True,
) -> BulkMoveResult:
    """Move many orders for staff. Each is checked by itself; the result names those refused.

    `shipments` are by order id. The number of SQL statements does not depend on the number of
    orders.
    """
    move = Move(to, actor, note, shipments, notify=notify)
    locked = locked_orders(order_ids)
    ready: list[Order] = []
    refused: list[tuple[Order, ShopError]] = []
    for order in locked:
        if to in order.next_statuses(by_staff=True):
            ready.append(order)
        else:
            refused.append((order, _invalid_transition(order, to)))
    try:
        with transaction.atomic():
            _advance(ready, move)
    except StockLimitReached as error:
        ready, over_limit = split_by_stock_limit(locked_orders([order.pk for order in ready]))
        refused += [(order, error) for order in over_limit]
        _advance(ready, move)
    return BulkMoveResult(ready, refused)


def _advance(orders: Sequence[Order], move: Move) -> None:
    """Write status, payment, event, email, stock and credit notes of locked orders."""
    if not orders:
        return
    audit.log_many(
        move.actor, [(order, audit.diff_record(order, {"status": move.to})) for order in orders]
    )
    paid = _collect_payments(orders, move)
    changed = _assign(orders, move)
    save_orders(orders, *changed, *(MONEY_FIELDS if paid else ()))
    if paid:
        insert_rows(paid)
    record_events(orders, actor=move.actor, note=move.note)
    if move.notify and (kind := ORDER_STATUSES[move.to].email):
        outbox.add_order_messages(orders, kind, note=move.note)
    if move.to == OrderStatus.CANCELLED:
        _return_items(orders, move)
        correct_invoices(orders, actor=move.actor)


def _collect_payments(orders: Sequence[Order], move: Move) -> list[Payment]:
    """Add the cash of delivered orders to what is paid, and return the Payments to write."""
    return [
        order_payments.add_payment(order, order.amount_due, actor=move.actor)
        for order in orders
        if payments.is_paid_on_arrival(order, move.to)
    ]


def _assign(orders: Sequence[Order], move: Move) -> list[str]:
    """Set what the move changes, without saving; return the names of the fields."""
    now, changed = timezone.now(), ["status", "updated_at"]
    for order in orders:
        order.status, order.updated_at = move.to, now
    if move.to == OrderStatus.SHIPPED:
        assign_shipments(orders, move.shipments)
        for order in orders:
            order.shipped_at = now
        changed += [*SHIPMENT_FIELDS, "shipped_at"]
    if move.to == OrderStatus.CANCELLED:
        for order in orders:
            order.credited_amount = order.total_amount
            order.payment_status = payments.settled_status(order)
        changed += MONEY_FIELDS
    return changed


def _return_items(orders: Sequence[Order], move: Move) -> None:
    """Return the stock of cancelled orders, once."""
    items = list(OrderItem.objects.filter(order__in=orders).order_by("order_id", "id"))
    ordered = {item.product_id: item.quantity for item in items}
    lost = move.written_off.items()
    if not all(0 <= units <= ordered.get(product, 0) for product, units in lost):
        raise ValidationError(_("More units would be written off than were ordered."))
    returned = [StockChange(item.product_id, item.quantity, item.order_id) for item in items]
    return_stock(returned, actor=move.actor, reason=move.note[:200], written_off=move.written_off)
    lost_items = [(item, move.written_off.get(item.product_id, 0)) for item in items]
    details = "\n".join(
        _("%(name)s: %(units)d written off") % {"name": item.name, "units": units}
        for item, units in lost_items
        if units
    )
    if details:
        [order] = orders
        note = OrderEvent.Kind.NOTE
        record_event(order, actor=move.actor, kind=note, details=details, is_internal=True)


def _invalid_transition(order: Order, to: str) -> InvalidTransition:
    names = {"order": order, "current": order.get_status_display(), "wanted": OrderStatus(to).label}
    message = _("Order %(order)s is “%(current)s”; it can't become “%(wanted)s”.")
    if order.status == to:
        message = _("Order %(order)s is already “%(current)s”.")
    return InvalidTransition(message % names, order_status=order.status)
