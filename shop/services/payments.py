"""The one place where money is taken and paid back: by a payment gateway, or as staff say.

Orders paid by card go through the gateway that `SHOP_PAYMENT_GATEWAY` names; the one here only
simulates. `authorize` runs before an order's transaction, so that no lock is held during a network
call. `capture` and `refund` are messages of the outbox: written with the order, sent after the
commit, and tried again. All other methods are what staff say: they mark as paid and as refunded.
"""

import functools
import hashlib
import hmac
import json
import re
import secrets
import time
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Protocol

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.crypto import constant_time_compare
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from shop.models import Order, Payment
from shop.models.order_status import OrderStatus, PaymentStatus
from shop.services.errors import PaymentDeclined, WebhookRefused

SUCCESS, DECLINED = "tok_success", "tok_declined"
TOKENS = (SUCCESS, DECLINED)
#: Seconds that a webhook's signature is valid, against replays.
SIGNATURE_LIFETIME = 300
#: No order costs more: 100 lines of 999 units at the highest price.
MAX_AMOUNT = Decimal(10) ** 13
MAX_REFERENCE_LENGTH = 100
SIGNATURE_HEADER = "Shop-Signature"


@dataclass(frozen=True)
class Authorization:
    """Money that a gateway has reserved, or taken already."""

    reference: str
    amount: Decimal
    is_captured: bool


@dataclass(frozen=True)
class GatewayEvent:
    """What a gateway says has happened to the money of an order."""

    kind: Payment.Kind
    order_number: str
    amount: Decimal
    currency: str
    reference: str


class Gateway(Protocol):
    """A payment provider. Every call may be repeated, and then does nothing new."""

    def authorize(self, *, token: str, amount: Decimal, currency: str) -> Authorization:
        """Reserve the amount. Raises PaymentDeclined."""

    def void(self, authorization: Authorization) -> None:
        """Release what was reserved for an order that was not placed."""

    def capture(self, *, reference: str, amount: Decimal, currency: str) -> None:
        """Take what was reserved. Any error is tried again later."""

    def refund(self, *, reference: str, amount: Decimal, currency: str, key: str) -> None:
        """Pay back part of what was taken; `key` names this refund. Errors are tried again."""

    def parse_event(self, *, body: bytes, signature: str) -> GatewayEvent:
        """Return what a webhook says. Raises WebhookRefused for a wrong signature or body."""


class SimulatedGateway:
    """Accepts the token `tok_success`, takes the money at once and pays back whatever it is told.

    Its webhooks are signed as Stripe signs: `t=<Unix time>,v1=<hex HMAC-SHA256 of "time.body">`.
    https://docs.stripe.com/webhooks#verify-manually
    """

    def authorize(self, *, token: str, amount: Decimal, currency: str) -> Authorization:  # noqa: ARG002
        if token == DECLINED:
            raise PaymentDeclined
        return Authorization(f"simulated-{secrets.token_hex(8)}", amount, is_captured=True)

    def void(self, authorization: Authorization) -> None:
        pass

    def capture(self, *, reference: str, amount: Decimal, currency: str) -> None:
        pass

    def refund(self, *, reference: str, amount: Decimal, currency: str, key: str) -> None:
        pass

    def parse_event(self, *, body: bytes, signature: str) -> GatewayEvent:
        check_signature(body, signature, secret=settings.SHOP_PAYMENT_WEBHOOK_SECRET)
        try:
            event = json.loads(body)
            return GatewayEvent(
                kind={
                    "payment.captured": Payment.Kind.PAYMENT,
                    "payment.refunded": Payment.Kind.REFUND,
                }[event["type"]],
                order_number=str(event["order_number"]),
                amount=_parse_amount(event["amount"]),
                currency=str(event["currency"]),
                reference=_parse_reference(event["id"]),
            )
        except (ValueError, KeyError, TypeError, InvalidOperation) as error:
            raise WebhookRefused(_("This is no event of the payment gateway.")) from error


def _parse_amount(text: str) -> Decimal:
    """Return a positive amount with up to two decimals. Raises ValueError, InvalidOperation."""
    amount = Decimal(text)
    if not (amount.is_finite() and 0 < amount < MAX_AMOUNT and amount == round(amount, 2)):
        raise ValueError(text)
    return amount


def _parse_reference(text: str) -> str:
    """Return a text of 1 to 100 printable characters. Raises ValueError."""
    if not (0 < len(text) <= MAX_REFERENCE_LENGTH and text.isprintable()):
        raise ValueError(text)
    return text


@functools.cache
def _build_gateway(path: str) -> Gateway:
    built: Gateway = import_string(path)()
    return built


def gateway() -> Gateway:
    """Return the gateway that `SHOP_PAYMENT_GATEWAY` names."""
    return _build_gateway(settings.SHOP_PAYMENT_GATEWAY)


def is_simulated() -> bool:
    """Return whether card payments are only simulated."""
    return isinstance(gateway(), SimulatedGateway)


def sign(body: bytes, *, secret: str, at: int) -> str:
    """Return the signature of a webhook's body at a Unix time."""
    digest = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def check_signature(body: bytes, signature: str, *, secret: str) -> None:
    """Raise WebhookRefused unless the body was signed with the secret in the last five minutes."""
    match = re.fullmatch(r"t=(\d{1,12}),v1=[0-9a-f]{64}", signature)
    at = int(match[1]) if match else 0
    is_signed = constant_time_compare(signature, sign(body, secret=secret, at=at))
    if not (secret and is_signed and abs(time.time() - at) <= SIGNATURE_LIFETIME):
        raise WebhookRefused


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


def check_has_token(method: str, token: str) -> None:
    """Raise ValidationError for a card without a token."""
    if method == Order.PaymentMethod.CARD and not token:
        message = _("A card payment needs a token.")
        raise ValidationError({"payment_token": ValidationError(message, code="required")})


def authorize(*, method: str, token: str, amount: Decimal) -> Authorization | None:
    """Reserve the money of a new order at the gateway; None for a method without one.

    Raises ValidationError for a method that isn't offered or a card without a token, and
    PaymentDeclined.
    """
    check_method(method)
    if method != Order.PaymentMethod.CARD:
        return None
    check_has_token(method, token)
    return gateway().authorize(token=token, amount=amount, currency=settings.SHOP_CURRENCY)


def settled_status(order: Order) -> PaymentStatus:
    """Return the payment status that the order's amounts make."""
    if order.refund_due:
        return PaymentStatus.REFUND_DUE
    if order.amount_due:
        return PaymentStatus.PENDING
    if order.current_total:
        return PaymentStatus.PAID
    return PaymentStatus.REFUNDED if order.refunded_amount else PaymentStatus.VOIDED


def is_paid_on_arrival(order: Order, status: str) -> bool:
    """Return whether a move to `status` collects what is due: cash, on delivery."""
    cash = order.payment_method == Order.PaymentMethod.CASH_ON_DELIVERY
    return status == OrderStatus.DELIVERED and cash and order.amount_due > 0
