"""Orders: placed once, then moved along `Order.FLOW`. Nothing else changes an order's status."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from django.db import transaction
from django.utils import timezone

from shop import emails
from shop.models import CartItem, Order, OrderEvent, OrderItem, User
from shop.services.errors import (
    CartEmpty,
    InsufficientStock,
    InvalidTransition,
    NotFound,
    ProductUnavailable,
    TotalChanged,
)
from shop.services.payments import pay, payment_after
from shop.services.stock import Change, return_stock, take_stock
from shop.services.transactions import atomically


@dataclass(frozen=True)
class OrderStory:
    """An order with its lines and its events, oldest first."""

    order: Order
    items: Sequence[OrderItem]
    events: Sequence[OrderEvent]


@atomically
def place_order(
    *,
    user: User,
    shipping_address: str,
    payment_method: str = Order.PaymentMethod.CASH_ON_DELIVERY,
    payment_token: str = "",
    expected_total: Decimal | None = None,
    note: str = "",
) -> OrderStory:
    """Turn the user's cart into an order: stock taken, prices frozen, cart emptied; or nothing at all.

    In this order: lock cart and products, check them, write order, ledger, lines and event, empty the
    cart of what was ordered. The mail leaves after the commit.
    Raises CartEmpty, ProductUnavailable, InsufficientStock (each with its `items`), TotalChanged (with
    `total_amount`), PaymentDeclined; ValidationError for a bad address or note.
    """
    lines = _locked_lines(user)
    _refuse_what_cannot_be_sold(lines)
    total = sum((line.product.price * line.quantity for line in lines), Decimal(0))
    if expected_total is not None and expected_total != total:
        raise TotalChanged(f"The total is {total} now.", total_amount=total)
    order = Order(
        user=user,
        total_amount=total,
        shipping_address=shipping_address,
        payment_method=payment_method,
        payment_status=pay(method=payment_method, token=payment_token),
        note=note,
    )
    order.clean_fields(exclude=["user"])
    order.updated_at = order.created_at
    order.save(force_insert=True)
    take_stock([Change(line.product_id, -line.quantity) for line in lines], order=order, actor=user)
    items = OrderItem.objects.bulk_create(_items(order, lines))
    event = _record_event(order, actor=user)
    CartItem.objects.filter(pk__in=[line.pk for line in lines]).delete()
    transaction.on_commit(partial(emails.order_placed, order, items), robust=True)
    return OrderStory(order, items, [event])


@atomically
def move_order(*, order_id: int, to: str, actor: User, by_staff: bool, note: str = "") -> Order:
    """Move an order along `Order.FLOW`; a cancellation gives its stock back, exactly once.

    Two who press at the same time wait for each other, and the second is told what the order has become.
    Raises NotFound (also for a customer's call on another's order), InvalidTransition (with `status`).
    """
    order = _lock_order(order_id, owner=None if by_staff else actor)
    before = order.status
    if to not in order.steps(by_staff=by_staff):
        raise InvalidTransition(_why_not(order, to), order_status=before)
    order.status = to
    order.payment_status = payment_after(order, to)
    order.updated_at = timezone.now()
    changed = {name: getattr(order, name) for name in ("status", "payment_status", "updated_at")}
    if not Order.objects.filter(pk=order.pk, status=before).update(**changed):
        raise InvalidTransition(order_status=before)  # pragma: no cover - only if the lock above is ever lost
    _record_event(order, actor=actor, note=note)
    if to == Order.Status.CANCELLED:
        back = [Change(item.product_id, item.quantity) for item in order.items.all()]
        return_stock(back, order=order, actor=actor, reason=note[:200])
    transaction.on_commit(partial(emails.order_moved, order, note), robust=True)
    return order


@atomically
def mark_paid(*, order_id: int, actor: User, note: str = "") -> Order:
    """Note that the money has arrived; raises InvalidTransition when there is none to wait for."""
    order = _lock_order(order_id)
    if not order.awaits_payment:
        raise InvalidTransition("This order is not waiting for a payment.", order_status=order.status)
    order.payment_status = Order.PaymentStatus.PAID
    order.updated_at = timezone.now()
    order.save(update_fields=["payment_status", "updated_at"])
    _record_event(order, actor=actor, kind=OrderEvent.Kind.PAYMENT, note=note)
    return order


def _locked_lines(user: User) -> list[CartItem]:
    """The cart with its products, both locked, products by id.

    One statement locks the rows in the order in which it returns them, so carts with the same products
    never wait for each other in a circle, and a second checkout of the same cart waits and finds it empty.
    """
    return list(
        CartItem.objects.filter(user=user)
        .select_related("product")
        .order_by("product_id")
        .select_for_update(no_key=True, of=("self", "product"))
    )


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


def _record_event(
    order: Order,
    *,
    actor: User,
    kind: OrderEvent.Kind = OrderEvent.Kind.STATUS,
    note: str = "",
) -> OrderEvent:
    return OrderEvent.objects.create(
        order=order,
        kind=kind,
        status=order.status,
        payment_status=order.payment_status,
        note=note,
        actor=actor,
        created_at=order.updated_at,
    )


def _why_not(order: Order, to: str) -> str:
    now = order.get_status_display().lower()
    wanted = Order.Status(to).label.lower()
    if order.status == to:
        return f"This order is {now} already."
    return f"This order is {now}; it cannot become {wanted}."
