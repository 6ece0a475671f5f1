"""A payment gateway that reserves first, and is called after the commit to take and pay back."""

from decimal import Decimal

import pytest
from support import factories
from support.invariants import assert_invariants

from shop.models import Order, OutboxMessage, Payment
from shop.services import orders, outbox, payments
from shop.services.errors import PaymentDeclined
from shop.services.order_edit import OrderChanges, edit_order
from shop.services.order_moves import move_order
from shop.services.order_payments import mark_paid, refund_order
from shop.services.payments import SUCCESS, Authorization

CARD = {
    "payment_method": "card",
    "payment_token": "tok_success",
    "shipping_address": "1 Elm Street",
}


class RecordingGateway:
    """Notes its calls; fails while `is_down`."""

    def __init__(self):
        self.calls, self.is_down = [], False

    def authorize(self, *, token, amount, currency):
        if token == "tok_declined":
            raise PaymentDeclined
        self.calls.append(("authorize", amount, currency))
        return Authorization(f"pay_{token}", amount, is_captured=False)

    def void(self, authorization):
        self.calls.append(("void", authorization.reference))

    def capture(self, **values):
        self._call("capture", values)

    def refund(self, **values):
        self._call("refund", values)

    def _call(self, name, values):
        if self.is_down:
            raise ConnectionError("unreachable")
        self.calls.append((name, values))


@pytest.fixture
def gateway(monkeypatch):
    gateway = RecordingGateway()
    for module in (payments, outbox, "shop.api.orders"):
        target = module if isinstance(module, str) else module.__name__
        monkeypatch.setattr(f"{target}.gateway", lambda: gateway)
    return gateway


@pytest.fixture
def buy(carl, carls_app, mug, django_capture_on_commit_callbacks):
    """`buy(token)` orders two mugs by card over the API."""

    def buy(token=SUCCESS, **headers):
        factories.add_to_cart(carl, (mug, 2))
        with django_capture_on_commit_callbacks(execute=True):
            return carls_app.post("/orders/create/", CARD | {"payment_token": token}, **headers)

    return buy


def test_money_is_reserved_before_the_order_and_taken_after_it(gateway, buy):
    assert buy().json()["payment_status"] == "paid"
    taken = {"reference": "pay_tok_success", "amount": Decimal("25.00"), "currency": "EUR"}
    assert gateway.calls == [("authorize", Decimal("25.00"), "EUR"), ("capture", taken)]
    assert Payment.objects.get().reference == "pay_tok_success"
    assert_invariants()


def test_a_declined_card_orders_nothing(gateway, buy, carl):
    assert factories.problem_code(buy("tok_declined")) == (402, "payment-declined")
    assert (Order.objects.count(), carl.cart.get().quantity, gateway.calls) == (0, 2, [])


def test_what_was_reserved_for_a_failed_order_is_released(gateway, buy, monkeypatch):
    monkeypatch.setattr(orders, "build_item", lambda *_: 1 / 0)
    assert buy().status_code == 500
    assert gateway.calls[-1] == ("void", "pay_tok_success")
    assert not Order.objects.exists()


def test_a_repeated_request_reserves_nothing(gateway, buy, carls_app):
    key = {"Idempotency-Key": "k"}
    first = buy(**key)
    again = carls_app.post("/orders/create/", CARD, **key)
    assert (again.status_code, again.content) == (201, first.content)
    assert [name for name, *_ in gateway.calls] == ["authorize", "capture"]


def test_a_gateway_that_is_down_takes_the_money_later(gateway, buy):
    gateway.is_down = True
    assert buy().status_code == 201
    message = OutboxMessage.objects.get(kind="gateway_capture")
    assert (message.status, message.channel) == ("pending", "gateway")
    gateway.is_down = False
    OutboxMessage.objects.update(due_at=message.created_at)
    outbox.deliver_due()
    message.refresh_from_db()
    assert (message.status, gateway.calls[-1][0]) == ("sent", "capture")


def test_a_refund_goes_to_the_card(gateway, buy, ada, carl, django_capture_on_commit_callbacks):
    order = Order.objects.get(pk=buy().json()["id"])
    move_order(order_id=order.pk, to="cancelled", actor=carl, by_staff=False)
    with django_capture_on_commit_callbacks(execute=True):
        refund_order(order_id=order.pk, actor=ada)
    refund = Payment.objects.get(kind="refund")
    assert gateway.calls[-1] == (
        "refund",
        {
            "reference": "pay_tok_success",
            "amount": Decimal("25.00"),
            "currency": "EUR",
            "key": refund.reference,
        },
    )
    assert Order.objects.get().payment_status == "refunded"
    assert_invariants()


def test_cash_is_paid_back_by_hand(gateway, ada, carl, mug):
    factories.add_to_cart(carl, (mug, 1))
    order = orders.place_order(user=carl, shipping_address="1 Elm Street").order
    for to in Order.Status.path_to("delivered"):
        move_order(order_id=order.pk, to=to, actor=ada, by_staff=True)
    refund_order(order_id=order.pk, actor=ada, amount=Decimal("2.50"), reason="A chip")
    assert gateway.calls == []
    assert not OutboxMessage.objects.filter(channel="gateway").exists()


def test_the_card_gets_back_what_it_paid(
    gateway, buy, ada, mug, django_capture_on_commit_callbacks
):
    order = Order.objects.get(pk=buy().json()["id"])
    edit_order(order_id=order.pk, actor=ada, changes=OrderChanges(quantities={mug.pk: 4}))
    mark_paid(order_id=order.pk, actor=ada)
    move_order(order_id=order.pk, to="cancelled", actor=ada, by_staff=True)
    with django_capture_on_commit_callbacks(execute=True):
        refund_order(order_id=order.pk, actor=ada)
    refunds = Payment.objects.filter(kind="refund").values_list("amount", flat=True)
    assert list(refunds) == [Decimal("25.00"), Decimal("25.00")]
    assert [values["amount"] for name, values in gateway.calls[2:]] == [Decimal("25.00")]
    assert Order.objects.get().payment_status == "refunded"
    assert_invariants()
