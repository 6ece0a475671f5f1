"""The webhook of a payment gateway: signed, recorded once."""

import json
import time

import pytest
from support.invariants import assert_invariants

from shop.models import Order, Payment
from shop.services.payments import SIGNATURE_LIFETIME, sign

SECRET = "for-tests-only-" * 3


@pytest.fixture(autouse=True)
def _secret(settings):
    settings.SHOP_PAYMENT_WEBHOOK_SECRET = SECRET


@pytest.fixture
def send(client, carls_order):
    """`send(amount="1.00")` sends an event about Carl's order, signed now."""

    def post(*, secret=SECRET, at=None, **changes):
        event = {
            "id": "evt_1",
            "type": "payment.captured",
            "order_number": carls_order.order_number,
            "amount": str(carls_order.total_amount),
            "currency": "EUR",
        }
        body = json.dumps(event | changes).encode()
        signature = sign(body, secret=secret, at=int(time.time()) if at is None else at)
        return client.post(
            "/api/payments/webhook/",
            body,
            content_type="application/json",
            headers={"Shop-Signature": signature},
        )

    return post


def test_a_payment_is_recorded_once(send, carls_order):
    assert [send().status_code for _ in range(3)] == [204] * 3
    order = Order.objects.get()
    assert (order.payment_status, order.paid_amount) == ("paid", carls_order.total_amount)
    assert Payment.objects.get().reference == "evt_1"


def test_a_refund_is_recorded_once(send, carls_order):
    send()
    refunds = [send(id="evt_2", type="payment.refunded", amount="5.00") for _ in range(2)]
    assert [response.status_code for response in refunds] == [204, 204]
    assert str(Order.objects.get().refunded_amount) == "5.00"
    assert_invariants()


def test_another_signature_is_refused(send, unchanged):
    with unchanged():
        answers = [
            send(secret="another"),
            send(at=int(time.time()) - SIGNATURE_LIFETIME - 60),
            send(at=int(time.time()) + SIGNATURE_LIFETIME + 60),
        ]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(400, "webhook-refused")] * 3


def test_without_a_secret_every_event_is_refused(send, settings, unchanged):
    settings.SHOP_PAYMENT_WEBHOOK_SECRET = ""
    with unchanged():
        assert send(secret="").status_code == 400


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"type": "payment.guessed"}, 400),
        ({"amount": "a lot"}, 400),
        ({"amount": "-1.00"}, 400),
        ({"amount": "0.001"}, 400),
        ({"amount": "1e400"}, 400),
        ({"amount": None}, 400),
        ({"currency": "USD"}, 400),
        ({"id": ""}, 400),
        ({"order_number": "0000-0000"}, 404),
        ({"order_number": "\0"}, 404),
        ({"type": "payment.refunded"}, 409),
    ],
)
def test_events_that_cannot_be_recorded(send, unchanged, changes, status):
    with unchanged():
        assert send(**changes).status_code == status


@pytest.mark.django_db
def test_what_is_no_event_is_refused(client, unchanged):
    for body in (b"", b"[]", b"{", b"\xff"):
        signature = sign(body, secret=SECRET, at=int(time.time()))
        with unchanged():
            response = client.post(
                "/api/payments/webhook/",
                body,
                content_type="application/json",
                headers={"Shop-Signature": signature},
            )
        assert response.status_code == 400
