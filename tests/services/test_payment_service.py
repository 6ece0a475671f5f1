from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from settings.env import PAYMENT_METHODS
from shop.models import Order
from shop.services.errors import PaymentDeclined
from shop.services.payments import (
    TOKENS,
    authorize,
    default_method,
    settled_status,
)

AMOUNT = Decimal("12.50")


@pytest.mark.parametrize("token", ["", *TOKENS])
@pytest.mark.parametrize("method", ["cash_on_delivery", "bank_transfer"])
def test_orders_without_a_card_are_paid_later(method, token):
    assert authorize(method=method, token=token, amount=AMOUNT) is None


def test_card_payments_are_paid_immediately():
    authorization = authorize(method="card", token="tok_success", amount=AMOUNT)
    assert (authorization.amount, authorization.is_captured) == (AMOUNT, True)


def refused_field(**payment):
    with pytest.raises(ValidationError) as refusal:
        authorize(**payment, amount=AMOUNT)
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
        authorize(method="card", token="tok_declined", amount=AMOUNT)


@pytest.mark.parametrize(
    ("total", "credited", "paid", "refunded", "expected"),
    [
        (50, 0, 0, 0, "pending"),
        (50, 0, 20, 0, "pending"),
        (50, 0, 50, 0, "paid"),
        (50, 10, 50, 10, "paid"),
        (50, 10, 50, 0, "refund_due"),
        (50, 0, 60, 0, "refund_due"),
        (50, 50, 50, 0, "refund_due"),
        (50, 50, 50, 20, "refund_due"),
        (50, 50, 50, 50, "refunded"),
        (50, 50, 0, 0, "voided"),
        (0, 0, 0, 0, "voided"),
    ],
)
def test_the_amounts_of_an_order_make_its_payment_status(total, credited, paid, refunded, expected):
    order = Order(
        total_amount=Decimal(total),
        credited_amount=Decimal(credited),
        paid_amount=Decimal(paid),
        refunded_amount=Decimal(refunded),
    )
    assert settled_status(order) == expected
    assert order.amount_due - order.refund_due == total - credited - paid + refunded
