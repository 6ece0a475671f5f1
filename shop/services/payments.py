"""Simulated payments.

A real gateway would authorise before the order's transaction and capture after it: no network call
while locks are held.
"""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from shop.models import Order
from shop.models.order_status import PaymentStatus
from shop.services.errors import PaymentDeclined

SUCCESS, DECLINED = "tok_success", "tok_declined"
TOKENS = (SUCCESS, DECLINED)


def offered_methods(*, by_phone: bool = False) -> list[Order.PaymentMethod]:
    """Return the methods of `SHOP_PAYMENT_METHODS`; by phone without card, which takes a token."""
    methods = [Order.PaymentMethod(name) for name in settings.SHOP_PAYMENT_METHODS]
    return [m for m in methods if not (by_phone and m == Order.PaymentMethod.CARD)]


def default_method() -> Order.PaymentMethod:
    """Return the payment method of an order that names none."""
    cash, methods = Order.PaymentMethod.CASH_ON_DELIVERY, offered_methods()
    return cash if cash in methods else methods[0]


def check_method(method: str, *, by_phone: bool = False) -> None:
    """Raise ValidationError if the shop doesn't offer this payment method."""
    if method not in offered_methods(by_phone=by_phone):
        message = _("This payment method isn't offered.")
        raise ValidationError({"payment_method": ValidationError(message, code="not_offered")})


def initial_payment_status(*, method: str, token: str) -> PaymentStatus:
    """Return the payment status of a new order.

    Raises ValidationError for a method that isn't offered or a card without a token, and
    PaymentDeclined.
    """
    check_method(method)
    if method != Order.PaymentMethod.CARD:
        return Order.PaymentStatus.PENDING
    if not token:
        message = _("A card payment needs a token.")
        raise ValidationError({"payment_token": ValidationError(message, code="required")})
    if token == DECLINED:
        raise PaymentDeclined
    return Order.PaymentStatus.PAID


def next_payment_status(order: Order, status: str) -> PaymentStatus:
    """Return the payment status after a move to `status`.

    Cash is collected on delivery; cancelling a paid order refunds it.
    """
    paid = order.payment_status == Order.PaymentStatus.PAID
    if status == Order.Status.CANCELLED and paid:
        return Order.PaymentStatus.REFUNDED
    cash = order.payment_method == Order.PaymentMethod.CASH_ON_DELIVERY
    if status == Order.Status.DELIVERED and cash:
        return Order.PaymentStatus.PAID
    return Order.PaymentStatus(order.payment_status)
