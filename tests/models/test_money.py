"""Currencies without decimals, in prices and forms, and a change of the shop's currency."""

from decimal import Decimal

import pytest
from django.core import checks
from django.core.exceptions import ValidationError
from django.core.management import call_command
from support import factories, world

from shop import money
from shop.checks import check_currency
from shop.models import Order, Product
from shop.services.bulk_pricing import PriceChange


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1234.50", "EUR", "1,234.50 EUR"),
        ("1234.00", "JPY", "1,234 JPY"),
        ("-30.00", "KRW", "-30 KRW"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(amount, currency, text):
    assert money.format_money(Decimal(amount), currency) == text


@pytest.mark.parametrize(
    ("currency", "price", "is_valid"),
    [("EUR", "12.50", True), ("JPY", "12.50", False), ("JPY", "1250.00", True)],
)
def test_a_price_has_no_cents_in_a_currency_without(settings, db, currency, price, is_valid):
    settings.SHOP_CURRENCY = currency
    product = Product(name="Mug", sku="M-1", price=Decimal(price))
    if is_valid:
        product.full_clean()
        return
    with pytest.raises(ValidationError) as raised:
        product.full_clean()
    assert [error.code for error in raised.value.error_dict["price"]] == ["no_decimals"]


@pytest.mark.parametrize(("price", "status"), [("12.50", 422), ("12.00", 201), ("12", 201)])
def test_the_api_refuses_cents_of_a_currency_without(settings, adas_app, price, status):
    settings.SHOP_CURRENCY = "JPY"
    response = adas_app.post("/products/", {"name": "Mug", "price": price})
    assert response.status_code == status


@pytest.mark.parametrize(("currency", "new"), [("EUR", "105.53"), ("JPY", "106.00")])
def test_changed_prices_are_rounded_to_the_smallest_unit(settings, currency, new):
    settings.SHOP_CURRENCY = currency
    assert str(PriceChange(percent=Decimal("5.525")).apply_to(Decimal(100))) == new


def test_another_currency_than_that_of_orders_is_a_warning(settings, carl, mug):
    world.create_order(carl, (mug, 1))
    assert check_currency(databases=["default"]) == []
    settings.SHOP_CURRENCY = "CHF"
    assert check_currency(databases=None) == []
    assert [found.id for found in check_currency(databases=["default"])] == ["shop.W003"]
    messages = checks.run_checks(databases=["default"])
    assert "shop.W003" in [message.id for message in messages]


def test_the_check_passes_before_there_are_tables(settings, db, monkeypatch):
    monkeypatch.setattr(Order._meta, "db_table", "shop_no_such_table")
    settings.SHOP_CURRENCY = "CHF"
    assert check_currency(databases=["default"]) == []


def test_a_fresh_project_has_no_warning(db):
    factories.create_product()
    call_command("check", databases=["default"])
