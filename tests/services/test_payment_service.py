import pytest

from shop.models import Order
from shop.services.errors import PaymentDeclined
from shop.services.payments import TOKENS, initial_payment_status, next_payment_status


@pytest.mark.parametrize("token", ["", *TOKENS])
@pytest.mark.parametrize("method", ["cash_on_delivery", "bank_transfer"])
def test_orders_without_a_card_are_paid_later(method, token):
    assert initial_payment_status(method=method, token=token) == "pending"


@pytest.mark.parametrize("token", ["", "tok_success"])
def test_card_payments_are_paid_immediately(token):
    assert initial_payment_status(method="card", token=token) == "paid"


def test_a_declined_card():
    with pytest.raises(PaymentDeclined):
        initial_payment_status(method="card", token="tok_declined")


@pytest.mark.parametrize(
    ("method", "payment", "to", "expected"),
    [
        ("cash_on_delivery", "pending", "confirmed", "pending"),
        ("cash_on_delivery", "pending", "shipped", "pending"),
        ("cash_on_delivery", "pending", "delivered", "paid"),
        ("cash_on_delivery", "paid", "delivered", "paid"),
        ("cash_on_delivery", "pending", "cancelled", "pending"),
        ("bank_transfer", "pending", "delivered", "pending"),
        ("bank_transfer", "pending", "cancelled", "pending"),
        ("bank_transfer", "paid", "cancelled", "refunded"),
        ("card", "paid", "delivered", "paid"),
        ("card", "paid", "cancelled", "refunded"),
    ],
)
def test_the_payment_status_after_a_move(method, payment, to, expected):
    order = Order(payment_method=method, payment_status=payment)
    assert next_payment_status(order, to) == expected
