"""The outbox: a message is a row, written in the transaction that causes it, and sent afterwards.

A background thread sends it right after the commit. What that misses, because the mail server
refused it or the process was killed, is due again later: `manage.py worker` sends it, and so does
every process that has a message of its own to send. A message is sent once, or twice if a process
was killed between the server's reply and the note of it here.

Another kind of message is a member of `OutboxMessage.Channel` and a function in SENDERS.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from threading import Event
from typing import Any

from django.db import close_old_connections, connection, transaction
from django.db.models import DateTimeField
from django.utils import timezone
from django.utils.translation import gettext as _

from shop.db.bulk_rows import insert_rows, update_rows
from shop.db.compiled_queries import CompiledQuery, Placeholder
from shop.db.raw_sql import db_now
from shop.db.transactions import atomically
from shop.documents import emails
from shop.documents.emails import NO_VALUES, DeliveryRefused, Undeliverable
from shop.models import Order, OrderEvent, OutboxMessage, Payment, User
from shop.models.outbox import GATEWAY_CAPTURE, GATEWAY_REFUND, PASSWORD_LINKS
from shop.services import audit, background
from shop.services.errors import MessagePending
from shop.services.order_records import build_event
from shop.services.payments import Authorization, gateway

#: How long a message is tried, and the pauses between attempts: one minute, doubling to an hour.
TRIED_FOR = timedelta(days=2)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
#: The process that has claimed a message sends it within this time, or counts as killed. An
#: attempt takes 80 seconds at most: eight replies of the mail server, each within its time-out.
LEASE = timedelta(minutes=2)
#: The process that writes a message has claimed it, and has this long to begin.
FIRST_ATTEMPT = timedelta(seconds=30)
KEPT_FOR = timedelta(days=90)
BATCH_SIZE = 50
NEVER = Event()


def call_gateway(message: OutboxMessage) -> None:
    """Take or pay back the money that the message is about. Raises what the gateway raises."""
    values = {**message.payload, "amount": Decimal(message.payload["amount"])}
    try:
        if message.kind == GATEWAY_REFUND:
            gateway().refund(**values)
        else:
            del values["key"]
            gateway().capture(**values)
    except OSError as error:  # the mail server may be there nevertheless
        raise DeliveryRefused(_("The payment gateway can't be reached.")) from error


#: Channel -> the function that sends a message; it raises what `emails.send_email` raises.
SENDERS: dict[str, Callable[[OutboxMessage], None]] = {
    OutboxMessage.Channel.EMAIL: emails.send_email,
    OutboxMessage.Channel.GATEWAY: call_gateway,
}
#: Kind -> the permission to send it again; emails take the one to change messages.
PERMISSIONS = {GATEWAY_CAPTURE: "shop.change_order", GATEWAY_REFUND: "shop.refund_order"}
PENDING = OutboxMessage.Status.PENDING

#: Any message that is due. Compiled, because each order asks it.
OVERDUE = CompiledQuery(
    OutboxMessage.objects.order_by()
    .filter(status=PENDING, due_at__lte=Placeholder("now", DateTimeField()))
    .values_list("pk")[:1]
)

logger = logging.getLogger(__name__)
_is_suppressed = ContextVar("messages_suppressed", default=False)


@contextmanager
def suppress_messages() -> Iterator[None]:
    """Write no messages inside the block, such as for the demo's orders."""
    token = _is_suppressed.set(True)
    try:
        yield
    finally:
        _is_suppressed.reset(token)


def add_order_messages(
    orders: Sequence[Order], kind: str, *, note: str = "", values: Mapping[str, str] = NO_VALUES
) -> None:
    """Write a message to each order's customer with one INSERT, in the caller's transaction.

    They are sent after the commit. `values` are further ones of the email's template.
    """
    if _is_suppressed.get():
        return
    payload = {**({"note": note} if note else {}), **values}
    added = [new_message(kind, order.user, order=order, payload=payload) for order in orders]
    insert_rows(added)
    deliver_after_commit(partial(deliver_new, added))


def add_gateway_capture(payment: Payment, authorization: Authorization | None) -> None:
    """Let the gateway take reserved money after the commit, unless it has taken it already."""
    if authorization and not authorization.is_captured:
        _add_gateway_message(GATEWAY_CAPTURE, payment, payment.reference)


def add_gateway_refund(refund: Payment) -> None:
    """Let the gateway pay back an amount after the commit."""
    taken = refund.order.payments.filter(kind=Payment.Kind.PAYMENT).exclude(reference="").first()
    _add_gateway_message(GATEWAY_REFUND, refund, taken.reference if taken else "")


def _add_gateway_message(kind: str, payment: Payment, reference: str) -> None:
    if _is_suppressed.get():
        return
    payload = {
        "reference": reference,
        "amount": str(payment.amount),
        "currency": payment.order.currency,
        "key": payment.reference,
    }
    order = payment.order
    message = new_message(kind, order.user, order=order, payload=payload)
    message.channel, message.recipient = OutboxMessage.Channel.GATEWAY, ""
    insert_rows([message])
    deliver_after_commit(partial(deliver_new, [message]))


def deliver_after_commit(deliver: Callable[[], object]) -> None:
    """Send messages once the caller's transaction is committed, on the background thread."""
    enqueue = partial(background.enqueue, deliver, is_slow=True)
    transaction.on_commit(enqueue, robust=True)


def new_message(
    kind: str, user: User, *, lifetime: timedelta = TRIED_FOR, **values: Any
) -> OutboxMessage:
    """Return an unsaved message, which this process has claimed."""
    now = timezone.now()
    return OutboxMessage(
        kind=kind,
        user=user,
        recipient=user.email,
        attempts=1,
        due_at=now + LEASE,
        expires_at=now + lifetime,
        **values,
    )


def can_send_again(message: OutboxMessage) -> bool:
    """Return whether staff can send the message again: no link to an account, no money twice."""
    if message.channel == OutboxMessage.Channel.GATEWAY:
        return message.status == OutboxMessage.Status.FAILED
    return message.status != PENDING and message.kind not in PASSWORD_LINKS


def send_again_permission(message: OutboxMessage) -> str:
    """Return the permission that sending the message again takes, such as `shop.refund_order`."""
    return PERMISSIONS.get(message.kind, "shop.change_outboxmessage")


@atomically
def send_again(*, message_ids: Collection[int], actor: User) -> int:
    """Make sent and failed messages due now, to the customers' present addresses.

    Each order's timeline says so, for staff. Return the number of messages. Raises MessagePending
    if none of them can be sent again.
    """
    selected = OutboxMessage.objects.filter(pk__in=message_ids).select_related("user", "order")
    locked = selected.order_by("pk").select_for_update(no_key=True, of=("self",))
    messages = [message for message in locked if can_send_again(message)]
    if not messages:
        raise MessagePending
    now = timezone.now()
    for message in messages:
        if message.channel == OutboxMessage.Channel.EMAIL:
            message.recipient = message.user.email
        message.status, message.error = PENDING, ""
        message.attempts, message.due_at, message.expires_at = 0, now, now + TRIED_FOR
    names = ("recipient", "status", "error", "attempts", "due_at", "expires_at")
    update_rows(messages, *names)
    # The audit log is never erased, so it has no customer's address.
    changes = [(m.order or m.user, _("sent again: %(message)s") % {"message": m}) for m in messages]
    audit.log_many(actor, changes)
    add_event = partial(build_event, actor=actor, kind=OrderEvent.Kind.NOTE, is_internal=True)
    insert_rows([add_event(m.order, details=_describe_sending(m)) for m in messages if m.order])
    deliver_after_commit(deliver_due)
    return len(messages)


def _describe_sending(message: OutboxMessage) -> str:
    """Return what the timeline says about a message that is sent again."""
    if message.channel == OutboxMessage.Channel.GATEWAY:
        return _("Payment gateway asked again: “%(message)s”") % {"message": message.label}
    text = _("Email “%(email)s” sent again to %(recipient)s")
    return text % {"email": message.label, "recipient": message.recipient}


def deliver_due(stopped: Event = NEVER) -> None:
    """Send the messages that are due, until the server can't be reached or `stopped` is set."""
    while _deliver_batch(stopped):
        pass


def run_worker(stopped: Event, *, interval: float = 1.0) -> None:
    """Send what is due, and look again every `interval` seconds, until `stopped` is set."""
    while not stopped.is_set():
        try:
            close_old_connections()
            deliver_due(stopped)
        except Exception:
            logger.exception("The outbox could not be read.")
        stopped.wait(interval)
    connection.close()


def purge_messages() -> int:
    """Delete messages older than 90 days; return the count."""
    return OutboxMessage.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()[0]


def deliver_new(messages: Iterable[OutboxMessage]) -> None:
    """Send messages that this process has just written, then some of those that are overdue."""
    for message in messages:
        is_claimed = timezone.now() < message.created_at + FIRST_ATTEMPT
        if (is_claimed or _claim(message)) and not _deliver(message):
            return
    if OVERDUE(now=timezone.now()):
        _deliver_batch(NEVER)


def _deliver_batch(stopped: Event) -> bool:
    """Send the messages that are longest due; return whether there may be more to send."""
    due = OutboxMessage.objects.filter(status=PENDING, due_at__lte=timezone.now())
    batch = list(due.select_related("user", "order").order_by("due_at")[:BATCH_SIZE])
    for message in batch:
        if stopped.is_set() or (_claim(message) and not _deliver(message)):
            return False
    return bool(batch)


def _claim(message: OutboxMessage) -> bool:
    """Take the message for the length of LEASE, unless another process has taken it."""
    unclaimed = OutboxMessage.objects.filter(
        pk=message.pk, status=PENDING, attempts=message.attempts
    )
    message.attempts, message.due_at = message.attempts + 1, timezone.now() + LEASE
    return bool(unclaimed.update(attempts=message.attempts, due_at=message.due_at))


def _deliver(message: OutboxMessage) -> bool:
    """Send a claimed message and store the result. Return whether the server can be reached."""
    if message.expires_at < timezone.now():
        error = message.error or _("It could not be sent in time.")
        _store_failure(message, error)
        return True
    try:
        SENDERS[message.channel](message)
    except Undeliverable as error:
        _store_failure(message, str(error))
        logger.warning("Message %s can't be delivered: %s", message.pk, error)
    except Exception as error:  # noqa: BLE001 - any other may pass, so the message is kept
        _store_retry(message, error)
        return isinstance(error, DeliveryRefused) or not isinstance(error, OSError)
    else:
        _store_success(message)
    return True


def _store_success(message: OutboxMessage) -> None:
    """Store that the message was sent, by a plain statement: each order waits for little of it.

    Without waiting for the disk: if the database's machine fails, the message is sent again.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute(
            "UPDATE shop_outboxmessage SET status = 'sent', error = '', sent_at = %s WHERE id = %s",
            [db_now(), message.pk],
        )


def _store_retry(message: OutboxMessage, error: Exception) -> None:
    """Plan the next attempt, or give up after the last one."""
    logger.warning("Message %s was not sent.", message.pk, exc_info=error)
    text = str(error) or type(error).__name__
    if isinstance(error, OSError):
        text = _("The mail server can't be reached.")
    pause = min(FIRST_PAUSE * 2 ** min(message.attempts - 1, 10), LONGEST_PAUSE)
    due_at = timezone.now() + pause
    _store_failure(message, text, due_at=due_at if due_at <= message.expires_at else None)


def _store_failure(message: OutboxMessage, error: str, *, due_at: datetime | None = None) -> None:
    """Store why an attempt failed and when the next one is, if any, unless its lease has ended."""
    rows = OutboxMessage.objects.filter(pk=message.pk, status=PENDING, attempts=message.attempts)
    status = PENDING if due_at else OutboxMessage.Status.FAILED
    rows.update(status=status, error=error[:1000], due_at=due_at or message.due_at)
