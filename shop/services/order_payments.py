"""What an order's customer pays and gets back. Each movement of money is a Payment."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from shop import money
from shop.db.bulk_rows import insert_rows
from shop.db.transactions import atomically
from shop.models import Order, OrderEvent, Payment, User
from shop.models.outbox import ORDER_REFUNDED
from shop.services import audit, outbox
from shop.services.errors import (
    InvalidTransition,
    NotFound,
    NothingToRefund,
    OrderChanged,
    ShopError,
    WebhookRefused,
)
from shop.services.invoices import correct_invoices
from shop.services.order_records import (
    lock_order,
    locked_orders,
    record_event,
    record_events,
    save_orders,
)
from shop.services.payments import GatewayEvent, settled_status

MONEY_FIELDS = ("credited_amount", "paid_amount", "refunded_amount", "payment_status")


@dataclass(frozen=True)
class BulkPaymentResult:
    """The orders marked as paid, and those refused, each with its error."""

    paid: Sequence[Order]
    refused: Sequence[tuple[Order, ShopError]]


def save_money(orders: Sequence[Order], *names: str) -> None:
    """Write the amounts, the payment status and the named columns of orders that change now."""
    now = timezone.now()
    for order in orders:
        order.updated_at = now
    save_orders(orders, *MONEY_FIELDS, *names, "updated_at")


def add_payment(order: Order, amount: Decimal, **values: Any) -> Payment:
    """Add a received amount to the order and return its Payment; the caller saves both."""
    order.paid_amount += amount
    order.payment_status = settled_status(order)
    return Payment(order=order, kind=Payment.Kind.PAYMENT, amount=amount, **values)


@atomically
def mark_paid(
    *, order_id: int, actor: User, note: str = "", expected_due: Decimal | None = None
) -> Order:
    """Record that what is due was paid.

    `expected_due` is the amount that was shown before. Raises NotFound, InvalidTransition if
    nothing is due, OrderChanged if `expected_due` is no longer so.
    """
    if expected_due is not None and lock_order(order_id).amount_due != expected_due:
        raise OrderChanged
    result = mark_orders_paid(order_ids=[order_id], actor=actor, note=note)
    for _order, error in result.refused:
        raise error
    if not result.paid:
        raise NotFound
    return result.paid[0]


@atomically
def mark_orders_paid(
    *, order_ids: Collection[int], actor: User, note: str = ""
) -> BulkPaymentResult:
    """Record that what is due of each order was paid; the result names those that owe nothing."""
    orders = list(locked_orders(order_ids))
    paid = [order for order in orders if order.awaits_payment]
    refused = [(order, _not_awaiting(order)) for order in orders if not order.awaits_payment]
    receive_payments(paid, actor=actor, note=note)
    return BulkPaymentResult(paid, refused)


def receive_payments(orders: Sequence[Order], *, actor: User | None, note: str = "") -> None:
    """Write that what is due of these locked orders was paid, with one event each."""
    if not orders:
        return
    paid = Order.PaymentStatus.PAID
    audit.log_many(
        actor, [(order, audit.diff_record(order, {"payment_status": paid})) for order in orders]
    )
    payments = [add_payment(order, order.amount_due, actor=actor) for order in orders]
    save_money(orders)
    insert_rows(payments)
    record_events(orders, actor=actor, kind=OrderEvent.Kind.PAYMENT, note=note)


@atomically
def refund_order(
    *,
    order_id: int,
    actor: User | None,
    amount: Decimal | None = None,
    reason: str = "",
    notify: bool = False,
    reference: str = "",
    expected_refunded: Decimal | None = None,
) -> Order:
    """Record that an amount was paid back, by default all that is due.

    What goes beyond the refund that is due lowers the price of the order. What the gateway has
    taken is paid back by it, after the commit; the rest by staff. With a `reference` the gateway
    has done so already. `expected_refunded` is the amount refunded that was shown before.

    Raises NotFound; OrderChanged if `expected_refunded` is no longer so; NothingToRefund for more
    than was received, with `refundable`; ValidationError for an amount that is not positive, or
    smaller than the currency's smallest unit.
    """
    order = lock_order(order_id)
    if expected_refunded is not None and order.refunded_amount != expected_refunded:
        raise OrderChanged
    amount = order.refund_due if amount is None else amount
    _check_refund(order, amount)
    before = order.refunded_amount
    by_gateway = amount if reference else min(amount, held_by_gateway(order))
    parts = [(by_gateway, reference or f"refund-{secrets.token_hex(8)}"), (amount - by_gateway, "")]
    refunds = _add_refunds(order, parts, actor=actor, reason=reason)
    save_money([order])
    insert_rows(refunds)
    text = money.format_money(amount, order.currency)
    audit.log(actor, order, {str(_("amount refunded")): (before, order.refunded_amount)})
    record_event(order, actor=actor, kind=OrderEvent.Kind.REFUNDED, details=text, note=reason)
    if by_gateway and not reference:
        outbox.add_gateway_refund(refunds[0])
    if notify:
        outbox.add_order_messages([order], ORDER_REFUNDED, note=reason, values={"amount": text})
    correct_invoices([order], actor=actor)
    return order


def _check_refund(order: Order, amount: Decimal) -> None:
    """Raise NothingToRefund or ValidationError for an amount that can't be paid back."""
    refundable = order.received_amount
    if amount > refundable or not refundable:
        raise NothingToRefund(
            _("At most %(amount)s can be paid back.")
            % {"amount": money.format_money(refundable, order.currency)},
            refundable=refundable,
        )
    try:
        money.validate_smallest_unit(amount, order.currency)
    except ValidationError as error:
        raise ValidationError({"amount": error}) from error
    if amount <= 0:
        raise ValidationError({"amount": ValidationError(_("Enter an amount."), code="min_value")})


def held_by_gateway(order: Order) -> Decimal:
    """Return what the gateway has taken and not paid back: those payments have its reference."""
    held = money.ZERO
    for payment in order.payments.exclude(reference=""):
        is_payment = payment.kind == Payment.Kind.PAYMENT
        held += payment.amount if is_payment else -payment.amount
    return max(held, money.ZERO)


def _add_refunds(
    order: Order, parts: Sequence[tuple[Decimal, str]], **values: Any
) -> list[Payment]:
    """Add a refund to the order and return a Payment for each of its parts that is not zero.

    A part is an amount and its reference. The revenue falls by what was credited and has not
    lowered it yet. The caller saves the order and the Payments.
    """
    amount = sum((part for part, _reference in parts), money.ZERO)
    order.credited_amount += max(amount - order.refund_due, money.ZERO)
    counted = order.payments.aggregate(sum=Sum("credited_amount"))["sum"] or money.ZERO
    order.refunded_amount += amount
    order.payment_status = settled_status(order)
    credited = min(amount, order.credited_amount - counted)
    refunds = []
    for part, reference in parts:
        if part:
            refund = Payment(
                order=order, kind=Payment.Kind.REFUND, amount=part, reference=reference, **values
            )
            refund.credited_amount = min(part, credited)
            credited -= refund.credited_amount
            refunds.append(refund)
    return refunds


@atomically
def record_gateway_event(event: GatewayEvent) -> Order:
    """Record what a gateway says was paid or paid back, once for each reference.

    Raises NotFound for an unknown order, WebhookRefused for another currency than the order's, and
    what `refund_order` raises.
    """
    number = event.order_number.replace("\0", "")  # which PostgreSQL can't look up
    order = Order.objects.filter(order_number=number).first()
    if order is None:
        raise NotFound
    order = lock_order(order.pk)
    if event.currency != order.currency:
        raise WebhookRefused(_("The order has another currency."))
    if order.payments.filter(kind=event.kind, reference=event.reference).exists():
        return order
    if event.kind == Payment.Kind.REFUND:
        return refund_order(
            order_id=order.pk, actor=None, amount=event.amount, reference=event.reference
        )
    payment = add_payment(order, event.amount, reference=event.reference)
    save_money([order])
    insert_rows([payment])
    record_event(order, actor=None, kind=OrderEvent.Kind.PAYMENT)
    return order


def _not_awaiting(order: Order) -> InvalidTransition:
    message = _("Order %(order)s isn't awaiting payment.") % {"order": order}
    return InvalidTransition(message, order_status=order.status)
