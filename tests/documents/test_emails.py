import pytest
from django.core import mail
from django.core.mail import EmailMessage
from support import factories

from shop.documents import emails
from shop.services.orders import place_order


@pytest.fixture
def oneil(carl):
    carl.first_name = "Carl O'Neil & <Sons>"
    carl.save()
    return carl


@pytest.fixture
def story(oneil, mug, lamp):
    factories.add_to_cart(oneil, (mug, 2), (lamp, 1))
    return place_order(user=oneil, shipping_address='1 "Elm" Street\nSpring & Field')


def sent():
    (message,) = mail.outbox
    assert message.to == ["carl@example.com"]
    return message.subject, message.body


def test_an_order_is_repeated(story):
    emails.send_order_placed(story.order, sorted(story.items, key=lambda item: item.name))
    number = story.order.order_number
    assert sent() == (
        f"Thank you for your order {number}",
        f"""Hello Carl O'Neil & <Sons>,

we have received your order {number}:

  1 × Lamp, 49.90 EUR
  2 × Mug, 25.00 EUR

Total: 74.90 EUR
Payment: Cash on delivery

It will go to:

1 "Elm" Street
Spring & Field

Test Shop
""",
    )


@pytest.mark.parametrize(
    ("status", "news"),
    [
        ("shipped", "is on its way"),
        ("delivered", "has been delivered"),
        ("cancelled", "has been cancelled"),
    ],
)
@pytest.mark.parametrize("note", ["", "It's <late>."])
def test_a_move_is_told(story, status, news, note):
    story.order.status = status
    emails.send_order_moved([story.order], note)
    number = story.order.order_number
    middle = f"\n{note}\n\n" if note else "\n"
    assert sent() == (
        f"Your order {number} {news}",
        f"Hello Carl O'Neil & <Sons>,\n\nyour order {number} {news}.\n{middle}Test Shop\n",
    )


@pytest.mark.parametrize("status", ["pending", "confirmed"])
def test_other_moves_are_not_told(story, status):
    story.order.status = status
    emails.send_order_moved([story.order], "")
    assert mail.outbox == []


def test_a_mail_that_fails_does_not_keep_the_others(story, monkeypatch, caplog):
    story.order.status = "shipped"
    send, fails = EmailMessage.send, iter([True, False])
    monkeypatch.setattr(EmailMessage, "send", lambda mail: 1 / 0 if next(fails) else send(mail))
    emails.send_order_moved([story.order, story.order], "")
    assert len(mail.outbox) == 1
    assert story.order.order_number in caplog.text


RESET = """Hello Carl O'Neil & <Sons>,

somebody, we hope you, asked for a new password at Test Shop.

{middle}

They work for three days and only once. If it was not you, there is nothing to do.

Test Shop
"""


@pytest.mark.parametrize(
    ("address", "middle"),
    [
        ("", "Enter these two in the app:\n\n  User: MQ\n  Code: abc-def"),
        (
            "https://app.example.com/reset?u={uid}&t={token}",
            "Set it here: https://app.example.com/reset?u=MQ&t=abc-def",
        ),
    ],
)
def test_a_new_password_is_offered(oneil, settings, address, middle):
    settings.SHOP_RESET_URL = address
    emails.send_password_reset(oneil, "MQ", "abc-def")
    assert sent() == ("Set a new password", RESET.format(middle=middle))


def test_within_a_silence_nothing_is_sent(oneil, story):
    with emails.suppress_emails():
        emails.send_order_placed(story.order, story.items)
        emails.send_password_reset(oneil, "MQ", "abc")
    assert mail.outbox == []
    emails.send_password_reset(oneil, "MQ", "abc")
    assert len(mail.outbox) == 1
