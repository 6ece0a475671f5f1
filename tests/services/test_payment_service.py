import pytest
from django.core.exceptions import ValidationError

from settings.env import PAYMENT_METHODS
from shop.models import Order
from shop.services.errors import PaymentDeclined
from shop.services.payments import (
    TOKENS,
    default_method,
    initial_payment_status,
    next_payment_status,
)


@pytest.mark.parametrize("token", ["", *TOKENS])
@pytest.mark.parametrize("method", ["cash_on_delivery", "bank_transfer"])
def test_orders_without_a_card_are_paid_later(method, token):
    assert initial_payment_status(method=method, token=token) == "pending"


def test_card_payments_are_paid_immediately():
    assert initial_payment_status(method="card", token="tok_success") == "paid"


def refused_field(**payment):
    with pytest.raises(ValidationError) as refusal:
        initial_payment_status(**payment)
    ((field, (error,)),) = refusal.value.error_dict.items()
    return field, error.code


def test_a_card_without_a_token_is_refused():
    assert refused_field(method="card", token="") == ("payment_token", "required")


@pytest.mark.parametrize("method", Order.PaymentMethod.values)
def test_a_method_that_is_not_offered_is_refused(method, settings):
    settings.SHOP_PAYMENT_METHODS = [name for name in PAYMENT_METHODS if name != method]
    refusal = ("payment_method", "not_offered")
    assert refused_field(method=method, token="tok_success") == refusal


def test_the_settings_know_all_payment_methods():
    assert set(PAYMENT_METHODS) == set(Order.PaymentMethod.values)


@pytest.mark.parametrize(
    ("methods", "default"),
    [
        (["bank_transfer", "cash_on_delivery"], "cash_on_delivery"),
        (["card", "bank_transfer"], "card"),
        (["bank_transfer"], "bank_transfer"),
    ],
)
def test_the_default_is_cash_if_it_is_offered(methods, default, settings):
    settings.SHOP_PAYMENT_METHODS = methods
    assert default_method() == default


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
