"""An order's timeline: its events, payments, messages and invoices, the newest first."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from shop import money
from shop.admin.rendering import message_label, render_label, send_again_label
from shop.documents.invoices import invoice_title
from shop.models import Invoice, Order, OrderEvent, OutboxMessage, Payment
from shop.models.order_status import OrderStatus, Text
from shop.services.outbox import can_send_again, send_again_permission

Kind = OrderEvent.Kind
#: Kinds of events at which a payment is shown.
EVENTS_OF_PAYMENTS: dict[str, tuple[str, ...]] = {
    Payment.Kind.PAYMENT: (Kind.PAYMENT, Kind.STATUS),
    Payment.Kind.REFUND: (Kind.REFUNDED,),
    Payment.Kind.CREDIT: (Kind.RETURNED,),
}
#: A payment is written in the transaction of its event, so their times differ by little.
SAME_TRANSACTION = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class TimelineEntry:
    """One line of the timeline. All but the time and the title may be empty."""

    at: datetime
    title: str
    by: str = ""
    #: HTML of a message's state, or of the mark of what only staff see.
    label: str = ""
    amounts: tuple[str, ...] = ()
    #: What the shop says about it, and what a person wrote.
    details: str = ""
    note: str = ""
    error: str = ""
    #: Link to the page that sends a message again, and its text.
    send_again_url: str = ""
    send_again_label: Text = ""
    #: The page of the invoice.
    url: str = ""


def build_timeline(order: Order, request: HttpRequest) -> list[TimelineEntry]:
    """Return what happened to the order, the newest first, in at most four queries.

    Messages are for those who may view them, each with its button for those who may send it again.
    """
    user = request.user
    payments = list(order.payments.select_related("actor"))
    entries = list(_event_entries(order, payments))
    can_view = user.has_perm("shop.view_invoice")
    invoices = order.invoices.select_related("actor")
    entries += [_invoice_entry(order, invoice, can_view=can_view) for invoice in invoices]
    if user.has_perm("shop.view_outboxmessage"):
        messages = order.messages.order_by("id")
        entries += [_message_entry(message, user) for message in messages]
    # Sorting is stable: of one moment, what was added last is the newest.
    return sorted(entries, key=lambda entry: entry.at)[::-1]


def _event_entries(order: Order, payments: Sequence[Payment]) -> Iterator[TimelineEntry]:
    events = list(order.events.select_related("actor"))
    amounts: dict[int, list[str]] = {}
    for payment in payments:
        event = _event_of(payment, events)
        if event is None:
            yield _payment_entry(order, payment)
        else:
            text = _format_payment(order, payment)
            if event.kind == Kind.STATUS:  # else the title says what the amount is
                text = _("%(amount)s paid") % {"amount": text}
            amounts.setdefault(event.pk, []).append(text)
    for number, event in enumerate(events):
        entry = _event_entry(event, is_first=number == 0)
        shown = tuple(amounts.get(event.pk, ()))
        if event.kind == Kind.REFUNDED and shown:  # its details are the amount
            entry = replace(entry, details="")
        yield replace(entry, amounts=shown)


def _event_of(payment: Payment, events: Iterable[OrderEvent]) -> OrderEvent | None:
    """Return the event that was written with the payment, if any."""
    kinds = EVENTS_OF_PAYMENTS[payment.kind]
    near = [
        (abs(event.created_at - payment.created_at), event.pk, event)
        for event in events
        if event.kind in kinds
    ]
    distance, _pk, event = min(near, default=(SAME_TRANSACTION, 0, None))
    return event if distance < SAME_TRANSACTION else None


def _event_entry(event: OrderEvent, *, is_first: bool) -> TimelineEntry:
    titles = {
        Kind.PAYMENT: _("Payment"),
        Kind.EDITED: _("Order edited"),
        Kind.TRACKING: _("Tracking changed"),
        Kind.RETURNED: _("Items returned"),
    }
    title, note = titles.get(Kind(event.kind), str(event)), event.note
    details = event.details
    if event.kind == Kind.STATUS and is_first and event.status == OrderStatus.PENDING:
        title = _("Order placed")
    if event.kind == Kind.PRINTED:  # its note is the shop's
        title, note = note, ""
    elif event.kind == Kind.NOTE and not note:  # what the shop says, its title first
        title, _line_end, details = details.partition("\n")
    return TimelineEntry(
        at=event.created_at,
        title=title,
        by=str(event.actor or ""),
        label=render_label("neutral", _("Staff only")) if event.is_internal else "",
        details=details,
        note=note,
    )


def _format_payment(order: Order, payment: Payment) -> str:
    """Return the amount that moved, or else was credited; with the gateway's reference."""
    amount = payment.amount or payment.credited_amount
    text = money.format_money(amount, order.currency)
    return f"{text} ({payment.reference})" if payment.reference else text


def _payment_entry(order: Order, payment: Payment) -> TimelineEntry:
    return TimelineEntry(
        at=payment.created_at,
        title=payment.get_kind_display(),
        by=str(payment.actor or ""),
        amounts=(_format_payment(order, payment),),
        note=payment.reason,
    )


def _invoice_entry(order: Order, invoice: Invoice, *, can_view: bool) -> TimelineEntry:
    return TimelineEntry(
        at=invoice.issued_at,
        title=_("%(document)s issued") % {"document": invoice_title(invoice)},
        by=str(invoice.actor or ""),
        amounts=(money.format_money(invoice.amount, order.currency),),
        url=reverse("admin:shop_invoice_change", args=[invoice.pk]) if can_view else "",
    )


def _message_entry(message: OutboxMessage, user: Any) -> TimelineEntry:
    is_email = message.channel == OutboxMessage.Channel.EMAIL
    url = ""
    if can_send_again(message) and user.has_perm(send_again_permission(message)):
        url = reverse("admin:shop_outboxmessage_send_again", args=[message.pk])
    return TimelineEntry(
        at=message.created_at,
        title=_("Email “%(email)s”") % {"email": message.label} if is_email else message.label,
        by=_("to %(recipient)s") % {"recipient": message.recipient} if message.recipient else "",
        label=message_label(message),
        error=message.error,
        send_again_url=url,
        send_again_label=send_again_label(message),
    )
