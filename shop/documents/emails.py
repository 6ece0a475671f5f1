"""The shop's mails. A template's first line is the subject; services send them after their commit."""

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
_silent = ContextVar("silent", default=False)


@contextmanager
def suppress_emails() -> Iterator[None]:
    """Send nothing within: for orders that are made up, such as the demo's."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def send_order_placed(order: Order, items: Iterable[OrderItem]) -> None:
    """Thank for the order and repeat it."""
    lines = [
        f"{item.quantity} × {item.name}, {money.format_money(item.subtotal)}" for item in items
    ]
    _send(
        "order_placed",
        order.user,
        order=order,
        lines=lines,
        total=money.format_money(order.total_amount),
    )


def send_order_moved(orders: Iterable[Order], note: str) -> None:
    """Tell that orders were shipped, delivered or cancelled, each whatever becomes of the others' mails.

    Other moves are not mailed.
    """
    for order in orders:
        if template := ORDER_STATUSES[order.status].email:
            try:
                _send(template, order.user, order=order, note=note)
            except Exception:
                logger.exception("The mail on order %s was not sent.", order.order_number)


def send_password_reset(user: User, uid: str, token: str) -> None:
    """Send what `password/reset/confirm/` asks for, as a link where the app has an address for it."""
    link = settings.SHOP_RESET_URL.replace("{uid}", uid).replace("{token}", token)
    _send("password_reset", user, link=link, uid=uid, token=token)


def _send(template: str, user: User, **context: Any) -> None:
    if _silent.get():
        return
    context |= {"user": user, "shop": settings.SHOP_NAME}
    mail = render_to_string(f"emails/{template}.txt", context)
    subject, body = mail.split("\n", 1)
    EmailMessage(subject=subject.strip(), body=body.strip() + "\n", to=[user.email]).send()
