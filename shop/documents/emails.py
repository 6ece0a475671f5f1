"""The shop's emails. A template's first line is the subject. Services send after the commit."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from shop import money
from shop.models import Order, OrderItem, User
from shop.models.order_status import ORDER_STATUSES

logger = logging.getLogger(__name__)
_is_suppressed = ContextVar("emails_suppressed", default=False)


@contextmanager
def suppress_emails() -> Iterator[None]:
    """Send no emails inside the block, such as for the demo's orders."""
    token = _is_suppressed.set(True)
    try:
        yield
    finally:
        _is_suppressed.reset(token)


def send_order_placed(order: Order, items: Iterable[OrderItem]) -> None:
    """Confirm the receipt of an order, with its items."""
    lines = [
        f"{item.quantity} × {item.name}, {money.format_money(item.subtotal)}" for item in items
    ]
    _send_email(
        "order_placed",
        order.user,
        order=order,
        lines=lines,
        total=money.format_money(order.total_amount),
    )


def send_order_moved(orders: Iterable[Order], note: str) -> None:
    """Send each order's customer the email of its new status, if ORDER_STATUSES names one.

    A failure is logged and does not stop the others.
    """
    for order in orders:
        if template := ORDER_STATUSES[order.status].email:
            try:
                _send_email(template, order.user, order=order, note=note)
            except Exception:
                logger.exception("The email about order %s was not sent.", order.order_number)


def send_password_reset(user: User, uid: str, token: str) -> None:
    """Send the uid and token of `password/reset/confirm/`, as a link if SHOP_RESET_URL is set."""
    link = settings.SHOP_RESET_URL.replace("{uid}", uid).replace("{token}", token)
    _send_email("password_reset", user, link=link, uid=uid, token=token)


def _send_email(template: str, user: User, **context: Any) -> None:
    if _is_suppressed.get():
        return
    context |= {"user": user, "shop": settings.SHOP_NAME}
    text = render_to_string(f"emails/{template}.txt", context)
    subject, body = text.split("\n", 1)
    EmailMessage(subject=subject.strip(), body=body.strip() + "\n", to=[user.email]).send()
