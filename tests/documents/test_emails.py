import pytest
from django.core import mail
from django.core.mail import EmailMessage
from support import factories

from shop.documents import emails
from shop.models import Order
from shop.services.orders import place_order


@pytest.fixture
def oneil(carl):
    carl.first_name = "Carl O'Neil & <Sons>"
    carl.save()
    return carl


@pytest.fixture
def details(oneil, mug, lamp):
    factories.add_to_cart(oneil, (mug, 2), (lamp, 1))
    return place_order(user=oneil, shipping_address='1 "Elm" Street\nSpring & Field')


def sent_email():
    (message,) = mail.outbox
    assert message.to == ["carl@example.com"]
    return message.subject, message.body


def test_the_confirmation_lists_the_order(details):
    emails.send_order_placed(details.order, sorted(details.items, key=lambda item: item.name))
    number = details.order.order_number
    assert sent_email() == (
        f"Thank you for your order {number}",
        f"""Hello Carl O'Neil & <Sons>,

We have received your order {number}:

  1 × Lamp, 49.90 EUR
  2 × Mug, 25.00 EUR

Total: 74.90 EUR
Payment: Cash on delivery

We'll send it to:

1 "Elm" Street
Spring & Field

Test Shop
""",
    )


@pytest.mark.parametrize("status", [status for status in Order.Status if status.facts.email])
@pytest.mark.parametrize("note", ["", "It's <late>."])
def test_a_move_sends_the_email_of_the_new_status(details, status, note):
    details.order.status = status
    emails.send_order_moved([details.order], note)
    number = details.order.order_number
    subject, body = sent_email()
    assert number in subject
    assert number in body
    assert body.startswith("Hello Carl O'Neil & <Sons>,\n\n")
    assert body.endswith(f".\n\n{note}\n\nTest Shop\n" if note else ".\n\nTest Shop\n")


@pytest.mark.parametrize("status", [status for status in Order.Status if not status.facts.email])
def test_other_moves_send_no_email(details, status):
    details.order.status = status
    emails.send_order_moved([details.order], "")
    assert mail.outbox == []


def test_a_failing_email_does_not_stop_the_others(details, monkeypatch, caplog):
    details.order.status = "shipped"
    send, fail = EmailMessage.send, iter([True, False])
    monkeypatch.setattr(EmailMessage, "send", lambda email: 1 / 0 if next(fail) else send(email))
    emails.send_order_moved([details.order, details.order], "")
    assert len(mail.outbox) == 1
    assert details.order.order_number in caplog.text


RESET = """Hello Carl O'Neil & <Sons>,

Someone, hopefully you, requested a new password at Test Shop.

{middle}

This works once, for three days. If you didn't request it, you can ignore this email.

Test Shop
"""


@pytest.mark.parametrize(
    ("reset_url", "middle"),
    [
        ("", "Enter these in the app:\n\n  User: MQ\n  Code: abc-def"),
        (
            "https://app.example.com/reset?u={uid}&t={token}",
            "Set it here: https://app.example.com/reset?u=MQ&t=abc-def",
        ),
    ],
)
def test_the_reset_email_has_a_link_or_a_code(oneil, settings, reset_url, middle):
    settings.SHOP_RESET_URL = reset_url
    emails.send_password_reset(oneil, "MQ", "abc-def")
    assert sent_email() == ("Set a new password", RESET.format(middle=middle))


def test_suppressed_emails_are_not_sent(oneil, details):
    with emails.suppress_emails():
        emails.send_order_placed(details.order, details.items)
        emails.send_password_reset(oneil, "MQ", "abc")
    assert mail.outbox == []
    emails.send_password_reset(oneil, "MQ", "abc")
    assert len(mail.outbox) == 1
