"""Emails, rendered from messages of the outbox as plain text and HTML.

A kind of email is a template `templates/emails/<kind>.txt`, of which the first line is the subject,
and `<kind>.html`; without that one, the HTML shows the text. `models.outbox.EMAILS` lists them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import DNS_NAME, EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from shop import money
from shop.db.compiled_queries import CompiledQuery, Placeholder
from shop.models import Order, OrderItem, OutboxMessage
from shop.models.outbox import PASSWORD_LINKS, STAFF_INVITATION

#: Two or more empty lines, which parts of a template leave that say nothing.
EMPTY_LINES = re.compile(r"\n\s*\n\s*\n")
NO_VALUES: Mapping[str, str] = MappingProxyType({})
#: Replies of an SMTP server from this code on are permanent (RFC 5321, section 4.2.1).
PERMANENT_REPLY = 500


ORDER_ITEMS = CompiledQuery(
    OrderItem.objects.filter(order=Placeholder("order", Order._meta.pk)).order_by("id")
)


class Undeliverable(Exception):
    """The message can never be delivered, so that another attempt makes no sense."""


class DeliveryRefused(Exception):
    """The server refused this message for now; it may accept others, and this one later."""


@dataclass(frozen=True)
class RenderedEmail:
    """An email as it is sent: its subject, and its contents as plain text and as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class EmailLine:
    """A line of an order, for a template."""

    quantity: int
    name: str
    amount: str

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}, {self.amount}"


def render_email(message: OutboxMessage) -> RenderedEmail:
    """Return the email of a message, which need not be saved. Raises Undeliverable."""
    render_context = CONTEXTS.get(message.kind, _order_context)
    context = {
        "shop": settings.SHOP_NAME,
        "imprint": settings.SHOP_IMPRINT,
        **render_context(message),
    }
    subject, text = render_to_string(f"emails/{message.kind}.txt", context).split("\n", 1)
    subject = " ".join(subject.split())  # a header has one line
    text = EMPTY_LINES.sub("\n\n", text).strip() + "\n"
    names = [f"emails/{message.kind}.html", "emails/from_text.html"]
    html = render_to_string(names, {**context, "subject": subject, "text": text})
    return RenderedEmail(subject, text, html)


def preview_email(
    order: Order, kind: str, *, note: str = "", values: Mapping[str, str] = NO_VALUES
) -> RenderedEmail:
    """Return the email of this kind that the order's customer would get now."""
    payload = {"note": note, **values}
    return render_email(OutboxMessage(kind=kind, user=order.user, order=order, payload=payload))


def can_be_shown(message: OutboxMessage) -> bool:
    """Return whether staff may read the message: an email, but no link to somebody's account."""
    return message.channel == OutboxMessage.Channel.EMAIL and message.kind not in CONTEXTS


def send_email(message: OutboxMessage) -> None:
    """Render the message and hand it to the mail server.

    Raises Undeliverable, DeliveryRefused, or OSError if the server can't be reached or used.
    """
    rendered = render_email(message)
    email = EmailMultiAlternatives(
        subject=rendered.subject,
        body=rendered.text,
        to=[message.recipient],
        # The same for each attempt, so that mailboxes recognise a duplicate.
        headers={"Message-ID": f"<{message.pk}.{int(message.expires_at.timestamp())}@{DNS_NAME}>"},
    )
    email.attach_alternative(rendered.html, "text/html")
    try:
        email.send()
    except SMTPRecipientsRefused as error:
        ((code, reply),) = error.recipients.values()
        raise _refusal(code, reply) from error
    except SMTPDataError as error:
        raise _refusal(error.smtp_code, error.smtp_error) from error
    except SMTPSenderRefused as error:  # never the message's fault
        raise DeliveryRefused(_reply_text(error.smtp_code, error.smtp_error)) from error


def _refusal(code: int, reply: bytes | str) -> Exception:
    is_permanent = code >= PERMANENT_REPLY
    return (Undeliverable if is_permanent else DeliveryRefused)(_reply_text(code, reply))


def _reply_text(code: int, reply: bytes | str) -> str:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return f"{code} {text}"


def _order_context(message: OutboxMessage) -> dict[str, Any]:
    """Return the context of an email about an order.

    `order` and `user` are the records themselves, so that a template may use any of their fields,
    such as `order.note`. `lines` are its items. `total`, `amount_due` and `refund_due` are texts
    with the currency, the last two empty for nothing. `order_link` is empty without SHOP_ORDER_URL.
    What the message itself carries, such as a `note`, is added; `note_by` is "customer" for a note
    of the customer's own.
    """
    order = message.order
    if order is None:
        raise Undeliverable(_("The order was deleted."))

    def format_money(amount: Decimal) -> str:
        return money.format_money(amount, order.currency)

    link = settings.SHOP_ORDER_URL.replace("{number}", order.order_number)
    payload: dict[str, Any] = message.payload
    return {
        "user": message.user,
        "order": order,
        "lines": [
            EmailLine(item.quantity, item.name, format_money(item.subtotal))
            for item in ORDER_ITEMS(order=order.pk)
        ],
        "total": format_money(order.total_amount),
        "amount_due": format_money(order.amount_due) if order.amount_due else "",
        "refund_due": format_money(order.refund_due) if order.refund_due else "",
        "order_link": link.replace("{id}", str(order.pk)),
        **payload,
    }


def _password_link_context(message: OutboxMessage) -> dict[str, Any]:
    """Return uid and token of `password/reset/confirm/`, and the link to a page, if there is one.

    That page is the message's own, or SHOP_RESET_URL. The token is made when the email is sent, so
    that none is stored.
    """
    user = message.user
    if not user.is_active:
        raise Undeliverable(_("The account was closed."))
    if message.kind == STAFF_INVITATION and not user.is_invited:
        raise Undeliverable(_("The invitation was accepted."))
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    page = message.payload.get("page") or settings.SHOP_RESET_URL
    link = page.replace("{uid}", uid).replace("{token}", token)
    return {**message.payload, "user": user, "link": link, "uid": uid, "token": token}


#: Kind -> the function that returns its template's context; all others are about an order.
CONTEXTS: dict[str, Callable[[OutboxMessage], dict[str, Any]]] = dict.fromkeys(
    PASSWORD_LINKS, _password_link_context
)
