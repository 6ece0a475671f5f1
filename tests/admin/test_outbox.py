"""The list of emails, and an email that staff send again."""

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.core import mail
from django.urls import reverse
from support import factories

from shop.models import OrderItem, OutboxMessage
from shop.services.orders import place_order

LIST = reverse("admin:shop_outboxmessage_changelist")


@pytest.fixture
def messages(carl, mug):
    """Three emails about orders of Carl's: one that was sent, one that failed, one that waits."""
    for _ in range(3):
        factories.add_to_cart(carl, (mug, 1))
        place_order(user=carl, shipping_address="1 Elm Street")
    messages = list(OutboxMessage.objects.order_by("pk"))
    for message, status in zip(messages, ("sent", "failed", "pending"), strict=True):
        message.status = status
        message.save()
    return messages


def page(message, path="change/"):
    return f"{LIST}{message.pk}/{path}"


@pytest.mark.parametrize(("index", "shown"), [(0, True), (1, True), (2, False)])
def test_the_button_is_shown_for_what_is_not_waiting(adas_browser, messages, index, shown):
    message = messages[index]
    for url in (page(message), reverse("admin:shop_order_change", args=[message.order_id])):
        assert (page(message, "send/") in adas_browser.get(url).content.decode()) is shown


def test_sending_again(adas_browser, messages, django_capture_on_commit_callbacks):
    _sent, failed, waiting = messages
    assert adas_browser.get(page(failed, "send/")).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        response = adas_browser.post(page(failed, "send/"))
    assert response.url == reverse("admin:shop_order_change", args=[failed.order_id])
    assert [failed.order.order_number in email.subject for email in mail.outbox] == [True]
    statuses = OutboxMessage.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["sent", "sent", "pending"]
    assert adas_browser.post(page(waiting, "send/")).status_code == 200  # the form, with an error
    assert len(mail.outbox) == 1


def test_sending_selected_emails_again(adas_browser, messages, django_capture_on_commit_callbacks):
    selected = {
        "action": "send_selected_again",
        "_selected_action": [message.pk for message in messages],
    }
    shown = adas_browser.post(LIST, selected)
    assert (shown.status_code, len(mail.outbox)) == (200, 0)
    hidden = dict(shown.context["hidden"])
    with django_capture_on_commit_callbacks(execute=True):
        response = adas_browser.post(LIST, selected | {"once": hidden["once"]})
    assert (response.status_code, len(mail.outbox)) == (302, 2)


@pytest.fixture
def refund(messages):
    """A refund that the payment gateway refused."""
    message = messages[1]
    message.channel, message.kind, message.recipient = "gateway", "gateway_refund", ""
    message.payload = {"reference": "", "amount": "1.00", "currency": "EUR", "key": "payment-1"}
    message.save()
    return message


@pytest.mark.parametrize(
    ("codename", "status"), [("refund_order", 302), ("change_outboxmessage", 403)]
)
def test_a_failed_refund_is_tried_again_by_who_may_refund(
    staff_client_with, refund, codename, status
):
    client = staff_client_with("view_outboxmessage", "view_order", codename)
    order_page = reverse("admin:shop_order_change", args=[refund.order_id])
    for url in (page(refund), order_page):
        assert (page(refund, "send/") in client.get(url).content.decode()) is (status == 302)
    assert client.post(page(refund, "send/")).status_code == status
    refund.refresh_from_db()
    assert refund.status == ("pending" if status == 302 else "failed")


def test_a_refund_that_was_made_is_never_made_again(adas_browser, refund):
    OutboxMessage.objects.filter(pk=refund.pk).update(status="sent")
    assert page(refund, "send/") not in adas_browser.get(page(refund)).content.decode()
    assert adas_browser.post(page(refund, "send/")).status_code == 200  # the form, with an error
    refund.refresh_from_db()
    assert refund.status == "sent"


def test_the_bulk_action_leaves_out_the_gateway(adas_browser, refund):
    selected = {"action": "send_selected_again", "_selected_action": [refund.pk], "once": "a"}
    assert adas_browser.post(LIST, selected).status_code == 302
    refund.refresh_from_db()
    assert refund.status == "failed"


def test_viewers_see_emails_and_send_none(staff_client_with, messages):
    client = staff_client_with("view_outboxmessage", "view_order")
    order_page = reverse("admin:shop_order_change", args=[messages[0].order_id])
    for url in (LIST, page(messages[0]), order_page):
        response = client.get(url)
        assert response.status_code == 200
        assert page(messages[0], "send/") not in response.content.decode()
    assert client.post(page(messages[0], "send/")).status_code == 403
    assert mail.outbox == []


def test_staff_read_what_would_be_sent_but_no_link_to_an_account(adas_browser, messages, carl):
    OrderItem.objects.update(name="<script>alert(1)</script>")
    message = messages[0]
    html = adas_browser.get(page(message)).content.decode()
    assert f"Thank you for your order {message.order}" in html
    assert "Hello Carl," in html
    assert "<script>alert" not in html
    message.kind, message.order = "password_reset", None
    message.save()
    html = adas_browser.get(page(message)).content.decode()
    assert "Hello Carl" not in html
    assert f"Code: {default_token_generator.make_token(carl)}" not in html


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_runs_the_same_number_of_statements(adas_browser, messages, statements, number):
    OutboxMessage.objects.filter(pk__in=[m.pk for m in messages[number:]]).delete()
    adas_browser.get(LIST)
    with statements(4):
        assert adas_browser.get(LIST).status_code == 200
