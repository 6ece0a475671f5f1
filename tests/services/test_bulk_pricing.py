"""Bulk price changes: rounding, and undoing them restores the cent."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from support import factories

from shop import money
from shop.models import ChangeRow, Product, StockMovement
from shop.services import products
from shop.services.bulk_pricing import (
    ROUNDINGS,
    UNCONFIRMED,
    PriceChange,
    change_prices,
    offered_roundings,
    preview_prices,
)
from shop.services.change_sets.undo import undo_change_set
from shop.services.errors import ProductsChanged
from shop.services.orders import place_order
from shop.services.stock import find_drift


@pytest.mark.parametrize(
    ("rounding", "amount", "rounded"),
    [
        ("0.01", "13.125", "13.13"),
        ("0.05", "13.12", "13.10"),
        ("0.05", "13.125", "13.15"),
        ("0.10", "13.15", "13.20"),
        ("0.10", "0.04", "0.00"),
        ("1", "13.49", "13.00"),
        ("1", "13.50", "14.00"),
        ("10", "13.50", "10.00"),
        (".99", "13.48", "12.99"),
        (".99", "13.49", "13.99"),
        (".99", "0.20", "0.99"),
        (".95", "13.44", "12.95"),
        (".95", "13.45", "13.95"),
        (".90", "99.45", "99.90"),
        (".90", "0.39", "0.90"),
        (".99", "0", "0.00"),
        (".99", "-0.20", "-0.01"),
    ],
)
def test_amounts_are_rounded_to_a_step_and_an_offset(rounding, amount, rounded):
    assert str(ROUNDINGS[rounding].apply_to(Decimal(amount))) == rounded


@pytest.mark.parametrize(("currency", "names"), [("EUR", list(ROUNDINGS)), ("JPY", ["1", "10"])])
def test_a_currency_is_offered_the_roundings_that_fit(settings, currency, names):
    settings.SHOP_CURRENCY = currency
    assert list(offered_roundings()) == names


@pytest.mark.parametrize("name", ROUNDINGS)
@given(amount=st.decimals("0.01", "99999.99", places=2))
def test_a_rounded_amount_is_near_and_stays_so(name, amount):
    rounding = ROUNDINGS[name]
    rounded = rounding.apply_to(amount)
    assert rounded >= 0
    assert not (rounded - rounding.offset) % rounding.step
    assert abs(rounded - amount) <= rounding.step / 2 or rounded == rounding.offset
    assert rounding.apply_to(rounded) == rounded


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (PriceChange(percent=Decimal("5.0")), "Prices +5 %"),
        (PriceChange(percent=Decimal(-5), rounding=".99"), "Prices -5 %, ending in .99"),
        (PriceChange(amount=Decimal(-1), rounding="0.01"), "Prices -1.00 EUR"),
        (PriceChange(new_price=Decimal(9)), "Prices set to 9.00 EUR"),
    ],
)
def test_a_change_set_is_named_after_the_change(change, name):
    assert change.describe() == name


def change_all(actor, change, **options):
    pks = list(Product.objects.values_list("pk", flat=True))
    fingerprint = preview_prices(product_ids=pks, change=change).fingerprint
    return change_prices(
        product_ids=pks, change=change, fingerprint=fingerprint, actor=actor, **options
    )


def prices():
    return dict(Product.objects.values_list("sku", "price"))


@pytest.mark.parametrize(
    "change",
    [
        PriceChange(percent=Decimal("100.5")),
        PriceChange(new_price=Decimal("6.24")),
        PriceChange(percent=Decimal(-100)),
    ],
)
def test_a_large_change_is_refused_until_it_is_confirmed(refused, ada, mug, change):
    with refused(ValidationError) as excinfo:
        change_all(ada, change)
    assert excinfo.value.code == UNCONFIRMED
    change_all(ada, change, is_confirmed=True)
    assert prices() == {"MUG-1": change.apply_to(Decimal("12.50"))}


def test_the_largest_change_comes_first(mug, lamp):
    preview = preview_prices(
        product_ids=[mug.pk, lamp.pk], change=PriceChange(new_price=Decimal(3))
    )
    assert [row.product for row in preview.large] == [lamp, mug]
    assert [row.percent for row in preview.large] == [Decimal("-94.0"), Decimal("-76.0")]


def test_a_price_that_becomes_positive_from_0_is_a_large_change(mug):
    Product.objects.update(price=0)
    preview = preview_prices(product_ids=[mug.pk], change=PriceChange(amount=Decimal("0.01")))
    assert [(row.percent, row.factor) for row in preview.large] == [(None, Decimal("Infinity"))]


def test_a_change_that_changes_nothing_is_refused(refused, ada, mug):
    with refused(ValidationError):
        change_all(ada, PriceChange(new_price=Decimal("12.50")))


def test_a_rule_of_the_model_holds_for_new_prices(refused, ada, mug, monkeypatch):
    def clean(product):
        if product.price == 13:
            raise ValidationError({"price": "Choose another price."})

    monkeypatch.setattr(Product, "clean", clean)
    with refused(ValidationError):
        change_all(ada, PriceChange(new_price=Decimal(13)))


def test_another_rounding_than_the_previewed_one_is_refused(refused, ada, mug):
    shown = preview_prices(product_ids=[mug.pk], change=PriceChange(percent=Decimal(5)))
    with refused(ProductsChanged):
        change_prices(
            product_ids=[mug.pk],
            change=PriceChange(percent=Decimal(5), rounding=".99"),
            fingerprint=shown.fingerprint,
            actor=ada,
        )


changes = st.one_of(
    st.builds(
        PriceChange,
        percent=st.decimals(-100, 900, places=2),
        rounding=st.sampled_from([*ROUNDINGS]),
    ),
    st.builds(
        PriceChange, amount=st.decimals(0, 900, places=2), rounding=st.sampled_from([*ROUNDINGS])
    ),
    st.builds(
        PriceChange, new_price=st.decimals(0, 900, places=2), rounding=st.sampled_from([*ROUNDINGS])
    ),
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    old=st.lists(st.decimals(0, 9999, places=2), min_size=1, max_size=4),
    change=changes,
    edited=st.one_of(st.none(), st.decimals(0, 9999, places=2)),
    sold=st.integers(0, 3),
)
@pytest.mark.django_db
def test_undoing_restores_the_cent(old, change, edited, sold):
    """Whatever was edited since keeps its price and is named; what was sold stays sold."""
    with transaction.atomic():
        check_undo(old, change, edited, sold)
        transaction.set_rollback(True)


def check_undo(old, change, edited, sold):
    ada, carl = factories.create_ada(), factories.create_carl()
    for number, price in enumerate(old):
        factories.create_product(f"Mug {number}", price=str(price), sku=f"MUG-{number}")
    before = prices()
    new = {sku: change.apply_to(price) for sku, price in before.items()}
    if new == before:
        return

    change_set = change_all(ada, change, is_confirmed=True)
    assert prices() == new
    first = Product.objects.get(sku="MUG-0")
    if sold:
        factories.add_to_cart(carl, (first, sold))
        place_order(user=carl, shipping_address="1 Elm Street")
    was_edited = edited is not None and edited != new["MUG-0"]
    if was_edited:
        products.update_product(product_id=first.pk, actor=ada, changes={"price": edited})

    undo_change_set(change_set.pk, actor=ada)
    is_kept = was_edited and new["MUG-0"] != before["MUG-0"]
    assert prices() == before | ({"MUG-0": edited} if was_edited else {})
    not_undone = ChangeRow.objects.filter(change_set=change_set, outcome="not_undone")
    assert list(not_undone.values_list("sku", flat=True)) == (["MUG-0"] if is_kept else [])
    assert Product.objects.get(sku="MUG-0").stock == 10 - sold
    assert StockMovement.objects.filter(kind="sale").count() == bool(sold)
    assert list(find_drift()) == []
    assert all(price == price.quantize(money.CENT) for price in prices().values())
