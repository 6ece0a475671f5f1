import re
from datetime import timedelta

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.core import mail
from django.utils import timezone
from support import factories

from shop.documents import emails
from shop.documents.emails import Undeliverable
from shop.models import Order, OutboxMessage, User
from shop.services.orders import place_order

RESET = """Hello Carl O'Neil & <Sons>,

Someone, hopefully you, requested a new password at Test Shop.

{middle}

This works once, for three days. If you didn't request it, you can ignore this email.

Test Shop
"""


@pytest.fixture
def oneil(carl):
    carl.first_name = "Carl O'Neil & <Sons>"
    carl.save()
    return carl


@pytest.fixture
def order(oneil, mug, lamp):
    factories.add_to_cart(oneil, (mug, 2), (lamp, 1))
    return place_order(user=oneil, shipping_address='1 "Elm" Street\nSpring & Field').order


def send_email(kind, **values):
    """Send a message that is not stored; return the email's subject and body."""
    expires_at = timezone.now() + timedelta(days=1)
    message = OutboxMessage(
        pk=7,
        kind=kind,
        user=User.objects.get(),
        recipient="carl@example.com",
        expires_at=expires_at,
        **values,
    )
    emails.send_email(message)
    email = mail.outbox[-1]
    assert email.to == ["carl@example.com"]
    assert email.extra_headers["Message-ID"].startswith(f"<7.{int(expires_at.timestamp())}@")
    return email.subject, email.body


def test_the_confirmation_lists_the_order(order):
    number = order.order_number
    assert send_email("order_placed", order=order) == (
        f"Thank you for your order {number}",
        f"""Hello Carl O'Neil & <Sons>,

We have received your order {number}:

  2 × Mug, 25.00 EUR
  1 × Lamp, 49.90 EUR

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
def test_the_email_of_a_status_has_the_note(order, status, note):
    subject, body = send_email(status.facts.email, order=order, payload={"note": note})
    number = order.order_number
    assert number in subject
    assert number in body
    assert body.startswith("Hello Carl O'Neil & <Sons>,\n\n")
    assert body.endswith(f".\n\n{note}\n\nTest Shop\n" if note else ".\n\nTest Shop\n")


@pytest.mark.parametrize(
    ("reset_url", "pattern"),
    [
        ("", r"Enter these in the app:\n\n  User: (\S+)\n  Code: (\S+)"),
        (
            "https://app.example.com/reset?u={uid}&t={token}",
            r"Set it here: https://app\.example\.com/reset\?u=(\S+)&t=(\S+)",
        ),
    ],
)
def test_the_reset_email_has_a_link_or_a_code(oneil, settings, reset_url, pattern):
    settings.SHOP_RESET_URL = reset_url
    subject, body = send_email("password_reset")
    found = re.search(pattern, body)
    assert (subject, body) == ("Set a new password", RESET.format(middle=found[0]))
    assert default_token_generator.check_token(oneil, found[2])


@pytest.mark.parametrize(
    ("kind", "changes"), [("password_reset", {"is_active": False}), ("order_placed", {})]
)
def test_a_message_without_account_or_order_is_undeliverable(oneil, kind, changes):
    User.objects.update(**changes)
    with pytest.raises(Undeliverable):
        send_email(kind)
    assert mail.outbox == []
