"""The outbox: what is written with an order is sent once the mail server takes it."""

import socket
from datetime import timedelta
from threading import Event
from unittest.mock import patch

import pytest
from django.core import mail
from django.utils import timezone
from support import factories
from support.smtp_server import serving_mail

from settings import env
from shop.models import AuditEntry, Order, OutboxMessage
from shop.services import outbox, password_links
from shop.services.errors import MessagePending
from shop.services.orders import place_order

MINUTE = timedelta(minutes=1)


@pytest.fixture
def order(carl, mug):
    factories.add_to_cart(carl, (mug, 1))
    return place_order(user=carl, shipping_address="1 Elm Street").order


@pytest.fixture
def message(order):
    return OutboxMessage.objects.get(order=order)


@pytest.fixture
def mail_server(settings):
    with serving_mail() as server:
        settings.MAILERS = {"default": env.parse_email_url(server.url)}
        yield server


def make_due():
    """Let the time of the next attempt come."""
    OutboxMessage.objects.update(due_at=timezone.now())


def state():
    """Return status, attempts and the whole minutes to the next attempt of the only message."""
    message = OutboxMessage.objects.get()
    wait = message.due_at - timezone.now()
    return message.status, message.attempts, round(wait / MINUTE)


def test_a_new_message_is_left_to_the_process_that_wrote_it(message):
    assert (message.kind, message.recipient) == ("order_placed", "carl@example.com")
    outbox.deliver_due()
    assert (state(), mail.outbox) == (("pending", 1, 2), [])


def test_an_overdue_message_is_sent_once(order):
    make_due()
    outbox.deliver_due()
    outbox.deliver_due()
    assert [email.to for email in mail.outbox] == [["carl@example.com"]]
    message = OutboxMessage.objects.get()
    assert (message.status, message.error) == ("sent", "")
    assert message.sent_at is not None


def test_a_claimed_message_is_not_sent_by_another_process(message):
    stale = OutboxMessage.objects.get()
    assert outbox._claim(message) is True
    assert outbox._claim(stale) is False
    outbox.deliver_due()
    assert (state(), mail.outbox) == (("pending", 2, 2), [])
    make_due()  # the lease has ended: the process was killed
    outbox.deliver_due()
    assert [email.to for email in mail.outbox] == [["carl@example.com"]]


@pytest.mark.usefixtures("order")
def test_a_refused_message_is_tried_again_with_growing_pauses(mail_server):
    mail_server.answer = lambda *_: "451 Greylisted"
    OutboxMessage.objects.update(attempts=0)
    for attempt, minutes in enumerate((1, 2, 4, 8, 16, 32, 60, 60), 1):
        make_due()
        outbox.deliver_due()
        assert state() == ("pending", attempt, minutes)
    assert OutboxMessage.objects.get().error == "451 Greylisted"
    mail_server.answer = lambda *_: "250 Taken"
    make_due()
    outbox.deliver_due()
    assert state()[:2] == ("sent", 9)
    assert sum(mail_server.taken.values()) == 1


def test_after_two_days_a_message_has_failed(message, mail_server):
    assert message.expires_at - message.created_at == pytest.approx(timedelta(days=2), abs=MINUTE)
    mail_server.answer = lambda *_: "451 Later"
    OutboxMessage.objects.update(expires_at=timezone.now() + timedelta(seconds=30))
    make_due()
    outbox.deliver_due()
    assert state()[:2] == ("failed", 2)


@pytest.mark.usefixtures("order")
def test_an_expired_message_is_not_sent():
    OutboxMessage.objects.update(expires_at=timezone.now() - MINUTE)
    make_due()
    outbox.deliver_due()
    assert (state()[0], mail.outbox) == ("failed", [])


@pytest.mark.usefixtures("order")
def test_a_permanent_refusal_is_not_tried_again(mail_server):
    mail_server.answer = lambda *_: "550 No such user"
    make_due()
    outbox.deliver_due()
    message = OutboxMessage.objects.get()
    assert (message.status, message.attempts, message.error) == ("failed", 2, "550 No such user")


@pytest.mark.parametrize(
    ("answer", "attempts"),
    [("451 Not you", [2, 2]), ("550 Not you", [2, 2]), (None, [2, 1])],
)
def test_one_refusal_does_not_keep_the_others_waiting(
    carl, dora, mug, mail_server, answer, attempts
):
    for customer in (carl, dora):
        factories.add_to_cart(customer, (mug, 1))
        place_order(user=customer, shipping_address="1 Elm Street")
    mail_server.answer = lambda recipient, _: "250" if recipient.startswith("dora") else answer
    OutboxMessage.objects.filter(recipient=carl.email).update(due_at=timezone.now() - MINUTE)
    OutboxMessage.objects.filter(recipient=dora.email).update(due_at=timezone.now())
    outbox.deliver_due()
    messages = OutboxMessage.objects.order_by("pk")
    # A server that hangs up is not asked again in this round.
    assert [message.attempts for message in messages] == attempts


@pytest.fixture(params=["closed port", "hanging server"])
def unreachable(request, settings):
    """A mail server that nobody can reach, or that takes mails and never answers."""
    with serving_mail() as server, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        hanging = request.param == "hanging server"
        server.answer = lambda *_: server.stopped.wait() and None
        url = server.url if hanging else f"smtp://127.0.0.1:{closed.getsockname()[1]}"
        settings.MAILERS = {"default": env.parse_email_url(url)}
        settings.MAILERS["default"]["OPTIONS"]["timeout"] = 0.1
        yield


@pytest.mark.usefixtures("unreachable")
def test_a_server_that_cannot_be_reached_is_asked_once_a_round(carl, mug):
    for _ in range(2):
        factories.add_to_cart(carl, (mug, 1))
        place_order(user=carl, shipping_address="1 Elm Street")
    make_due()
    outbox.deliver_due()
    messages = OutboxMessage.objects.values_list("status", "attempts")
    assert sorted(messages) == [("pending", 1), ("pending", 2)]


@pytest.mark.usefixtures("order")
def test_a_bug_in_a_message_does_not_lose_it(monkeypatch):
    def fail(_message):
        raise ZeroDivisionError

    monkeypatch.setitem(outbox.SENDERS, "email", fail)
    make_due()
    outbox.deliver_due()
    assert (state(), OutboxMessage.objects.get().error) == (
        ("pending", 2, 2),
        "ZeroDivisionError",
    )


def test_sending_again(ada, carl, order, message):
    with pytest.raises(MessagePending):
        outbox.send_again(message_ids=[message.pk], actor=ada)
    assert AuditEntry.objects.count() == 0
    carl.email = "new@example.com"
    carl.save()
    OutboxMessage.objects.update(
        status="failed", attempts=9, error="550", expires_at=order.created_at
    )
    assert outbox.send_again(message_ids=[message.pk], actor=ada) == 1
    event = message.order.events.last()
    assert (event.kind, event.is_internal, event.actor) == ("note", True, ada)
    assert message.label in event.details
    assert state() == ("pending", 0, 0)
    outbox.deliver_due()
    assert [email.to for email in mail.outbox] == [["new@example.com"]]
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.model_name, entry.record_id) == (ada, "order", str(order.pk))
    assert carl.email not in f"{entry.record_label} {entry.changes}"


def test_a_reset_is_not_sent_again(ada, carl):
    password_links.send_reset_message(email=carl.email)
    with pytest.raises(MessagePending):
        outbox.send_again(message_ids=[OutboxMessage.objects.get().pk], actor=ada)
    assert len(mail.outbox) == 1


def test_a_late_failure_does_not_undo_a_success(message):
    first, second = (OutboxMessage.objects.get() for _ in range(2))
    outbox._claim(first)
    second.attempts = first.attempts
    outbox._claim(second)  # the first attempt outlived its lease
    outbox._store_success(first)
    outbox._store_retry(second, TimeoutError())
    assert state()[0] == "sent"


def test_a_stopped_worker_sends_no_more(carl, mug):
    for _ in range(3):
        factories.add_to_cart(carl, (mug, 1))
        place_order(user=carl, shipping_address="1 Elm Street")
    make_due()
    stopped = Event()
    with patch.dict(outbox.SENDERS, {"email": lambda _message: stopped.set()}):
        outbox.deliver_due(stopped)
    assert OutboxMessage.objects.filter(status="sent").count() == 1


def test_moves_of_many_orders_write_one_message_each(ada, carl, mug, statements):
    orders = []
    for _ in range(3):
        factories.add_to_cart(carl, (mug, 1))
        orders.append(place_order(user=carl, shipping_address="1 Elm Street").order)
    with statements(1):
        outbox.add_order_messages(orders, "order_shipped", note="Soon")
    written = OutboxMessage.objects.filter(kind="order_shipped")
    assert [(m.order, m.payload) for m in written.order_by("pk")] == [
        (order, {"note": "Soon"}) for order in orders
    ]


def test_suppressed_messages_are_not_written(carl, mug):
    factories.add_to_cart(carl, (mug, 1))
    with outbox.suppress_messages():
        place_order(user=carl, shipping_address="1 Elm Street")
    assert (Order.objects.count(), OutboxMessage.objects.count()) == (1, 0)


def test_at_most_three_resets_an_hour(carl, dora):
    for email in ["Carl@example.com"] * 4 + ["nobody@example.com", dora.email]:
        password_links.send_reset_message(email=email)
    assert [email.to[0] for email in mail.outbox] == [carl.email] * 3 + [dora.email]
    OutboxMessage.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    password_links.send_reset_message(email=carl.email)
    assert len(mail.outbox) == 5


def test_a_reset_expires_with_its_link(carl, settings):
    settings.PASSWORD_RESET_TIMEOUT = 600
    password_links.send_reset_message(email=carl.email)
    message = OutboxMessage.objects.get()
    lifetime = message.expires_at - message.created_at
    assert lifetime == pytest.approx(timedelta(minutes=10), abs=MINUTE)
    assert set(message.payload) == set()  # the token is not stored
