import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.core import mail
from django.utils import timezone
from django.utils.html import escape
from support import factories

from shop.documents import emails
from shop.documents.emails import Undeliverable
from shop.models import OrderItem, OutboxMessage, User
from shop.models.outbox import EMAILS
from shop.services.orders import place_order


@pytest.fixture
def oneil(carl):
    carl.first_name = "Carl O'Neil & <Sons>"
    carl.save()
    return carl


@pytest.fixture
def order(oneil, mug, lamp):
    factories.add_to_cart(oneil, (mug, 2), (lamp, 1))
    return place_order(user=oneil, shipping_address='1 "Elm" Street\nSpring & Field').order


def html_of(email):
    """Return the HTML of a multipart email."""
    [(html, mimetype)] = email.alternatives
    assert mimetype == "text/html"
    return html


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


def test_the_confirmation_lists_the_order(order, settings):
    settings.SHOP_IMPRINT = "1 Fern Road, Kew"
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
1 Fern Road, Kew
""",
    )


@pytest.mark.parametrize("kind", [kind for kind in EMAILS if kind.startswith("order_")])
@pytest.mark.parametrize("note", ["", "It's <late>."])
def test_every_email_of_an_order_has_name_number_and_note(order, kind, note):
    subject, body = send_email(kind, order=order, payload={"note": note})
    number = order.order_number
    assert number in subject
    assert number in body
    assert body.startswith("Hello Carl O'Neil & <Sons>,\n\n")
    assert body.endswith(f": {note}\n\nTest Shop\n" if note else "\n\nTest Shop\n")
    assert "\n\n\n" not in body
    html = html_of(mail.outbox[-1])
    assert escape("Hello Carl O'Neil & <Sons>,") in html
    assert (escape(note) or number) in html


@pytest.mark.parametrize(
    ("kind", "payload", "label"),
    [
        ("order_cancelled", {"note_by": "customer"}, "You wrote"),
        ("order_cancelled", {}, "Reason"),
        ("order_refunded", {}, "Reason"),
        ("order_edited", {}, "Reason"),
        ("order_shipped", {}, "Message from Test Shop"),
    ],
)
def test_an_email_says_whose_words_the_note_is(order, kind, payload, label):
    _subject, body = send_email(kind, order=order, payload={"note": "Late.\nSorry."} | payload)
    assert f"\n\n{label}: Late.\nSorry.\n\n" in body
    assert f"{label}: Late.<br>Sorry." in html_of(mail.outbox[-1])


@pytest.mark.parametrize("kind", EMAILS)
def test_no_value_is_html_of_its_own(order, oneil, settings, kind):
    evil = "<script>'\"&"
    OrderItem.objects.update(name=evil)
    is_invited = kind == "staff_invitation"
    User.objects.update(
        first_name=evil, **({"password": "!", "role": "admin"} if is_invited else {})
    )
    settings.SHOP_IMPRINT = settings.SHOP_NAME = evil
    order.shipping_address = order.carrier = order.tracking_number = evil
    order.paid_amount = Decimal(500)
    values = dict.fromkeys(("note", "changes", "returned", "amount"), evil)
    send_email(kind, order=order, payload=values)
    html = html_of(mail.outbox[-1])
    assert "<script" not in html
    assert escape(evil) in html


def test_a_subject_is_one_line(order, settings):
    order.order_number = "1\r\nBcc: all@example.com"
    subject, _body = send_email("order_placed", order=order)
    assert subject == "Thank you for your order 1"


@pytest.mark.parametrize(
    ("order_url", "link"),
    [
        ("", None),
        ("https://a.example/o/{number}", "https://a.example/o/{order.order_number}"),
        ("https://a.example/?id={id}", "https://a.example/?id={order.pk}"),
    ],
)
def test_emails_link_to_the_order_only_if_there_is_a_page(order, settings, order_url, link):
    settings.SHOP_ORDER_URL = order_url
    _subject, body = send_email("order_delivered", order=order)
    html = html_of(mail.outbox[-1])
    if link is None:
        assert "http" not in body + html
    else:
        assert link.format(order=order) in body
        assert f'href="{link.format(order=order)}"' in html


@pytest.mark.parametrize("kind", ["order_shipped", "order_tracking"])
def test_an_email_about_a_parcel_follows_it(order, kind):
    order.carrier, order.tracking_number = "DPD", "05 12"
    order.tracking_url = "https://dpd.example/?number=05&lang=en"
    _subject, body = send_email(kind, order=order)
    assert "DPD" in body
    assert "05 12" in body
    assert order.tracking_url in body
    assert 'href="https://dpd.example/?number=05&amp;lang=en"' in html_of(mail.outbox[-1])


@pytest.mark.parametrize(
    ("kind", "changes", "shown"),
    [
        ("order_placed", {"payment_method": "bank_transfer"}, "74.90 CHF"),
        ("order_shipped", {}, "74.90 CHF"),
        ("order_edited", {"paid_amount": Decimal(70)}, "4.90 CHF"),
        ("order_cancelled", {"paid_amount": Decimal(80)}, "5.10 CHF"),
        ("order_returned", {"paid_amount": Decimal(80)}, "5.10 CHF"),
        ("order_refunded", {"paid_amount": Decimal(80)}, "5.10 CHF"),
    ],
)
def test_what_is_owed_is_said_in_the_orders_currency(order, kind, changes, shown):
    for name, value in changes.items():
        setattr(order, name, value)
    order.currency = "CHF"
    _subject, body = send_email(kind, order=order)
    assert shown in body
    assert "EUR" not in body


def test_a_kind_without_html_shows_its_text(order, settings, tmp_path):
    (tmp_path / "emails").mkdir()
    (tmp_path / "emails" / "order_lost.txt").write_text("Lost\nSee https://a.example/ &\n\nBye")
    [engine] = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [*engine["DIRS"], tmp_path]}]
    assert send_email("order_lost", order=order) == ("Lost", "See https://a.example/ &\n\nBye\n")
    html = html_of(mail.outbox[-1])
    assert '<a href="https://a.example/" rel="nofollow">https://a.example/</a> &amp;</p>' in html


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
    assert (subject, body.endswith("\n\nTest Shop\n")) == ("Set a new password", True)
    assert found[2] in html_of(mail.outbox[-1])
    assert default_token_generator.check_token(oneil, found[2])


@pytest.mark.parametrize(
    ("kind", "changes"), [("password_reset", {"is_active": False}), ("order_placed", {})]
)
def test_a_message_without_account_or_order_is_undeliverable(oneil, kind, changes):
    User.objects.update(**changes)
    with pytest.raises(Undeliverable):
        send_email(kind)
    assert mail.outbox == []
