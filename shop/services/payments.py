"""Simulated payments.

A real gateway would authorise before the order's transaction and capture after it: no network call
while locks are held.
"""

from shop.models import Order
from shop.models.order_status import PaymentStatus
from shop.services.errors import PaymentDeclined

DECLINED = "tok_declined"
TOKENS = ("tok_success", DECLINED)
#: Payment methods of phone orders, where no card token is at hand.
PHONE_METHODS = (Order.PaymentMethod.CASH_ON_DELIVERY, Order.PaymentMethod.BANK_TRANSFER)


def initial_payment_status(*, method: str, token: str) -> PaymentStatus:
    """Return the payment status of a new order. Raises PaymentDeclined."""
    if method != Order.PaymentMethod.CARD:
        return Order.PaymentStatus.PENDING
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
