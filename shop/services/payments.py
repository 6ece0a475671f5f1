"""Payment, simulated: nothing here talks to a bank.

A real gateway would authorise before the order's transaction and capture after it; no call to another
machine belongs between the locks.
"""

from shop.models import Order
from shop.models.order_status import PaymentStatus
from shop.services.errors import PaymentDeclined

DECLINED = "tok_declined"
TOKENS = ("tok_success", DECLINED)
#: What a customer can choose without giving a card's token: over the telephone nobody reads out a card.
WITHOUT_CARD = (Order.PaymentMethod.CASH_ON_DELIVERY, Order.PaymentMethod.BANK_TRANSFER)


def initial_payment_status(*, method: str, token: str) -> PaymentStatus:
    """The payment status that a new order starts with; raises PaymentDeclined."""
    if method != Order.PaymentMethod.CARD:
        return Order.PaymentStatus.PENDING
    if token == DECLINED:
        raise PaymentDeclined
    return Order.PaymentStatus.PAID


def next_payment_status(order: Order, status: str) -> PaymentStatus:
    """The payment status once the order has moved: cash is taken at the door, a paid order refunded."""
    paid = order.payment_status == Order.PaymentStatus.PAID
    if status == Order.Status.CANCELLED and paid:
        return Order.PaymentStatus.REFUNDED
    cash = order.payment_method == Order.PaymentMethod.CASH_ON_DELIVERY
    if status == Order.Status.DELIVERED and cash:
        return Order.PaymentStatus.PAID
    return Order.PaymentStatus(order.payment_status)
