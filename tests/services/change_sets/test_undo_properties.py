"""Any change of many products, and whatever happens after it: undoing restores the rest."""

from contextlib import suppress
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import factories

from shop.models import ChangeRow, ChangeSet, Product
from shop.services import bulk_pricing, goods, products
from shop.services.change_sets.plan import PlannedChange, apply_changes
from shop.services.change_sets.undo import undo_change_set
from shop.services.orders import place_order
from shop.services.stock import find_drift

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
#: Fields that the changes below set.
FIELDS = ("name", "price", "is_active")
NUMBERS = st.lists(st.integers(0, 9), min_size=4, max_size=4)


def receive(pks, numbers, actor):
    units = dict(zip(pks, numbers, strict=True))
    return goods.receive_goods(units=units, actor=actor, delivery_note="4711")


def count(pks, numbers, actor):
    counts = {pk: goods.Count(counted=n, expected=5) for pk, n in zip(pks, numbers, strict=True)}
    return goods.book_count(counts=counts, actor=actor)


def raise_prices(pks, numbers, actor):
    values = {"product_ids": pks, "change": bulk_pricing.PriceChange(percent=Decimal(numbers[0]))}
    fingerprint = bulk_pricing.preview_prices(**values).fingerprint
    return bulk_pricing.change_prices(**values, fingerprint=fingerprint, actor=actor)


def archive(pks, numbers, actor):
    chosen = [pk for pk, number in zip(pks, numbers, strict=True) if number % 2]
    return products.set_active(product_ids=chosen, is_active=False, actor=actor)


def edit(pks, numbers, actor):
    rows = Product.objects.in_bulk(pks)
    changes = [
        PlannedChange(rows[pk], {"name": f"Mat {number}", "price": Decimal(number)})
        for pk, number in zip(pks, numbers, strict=True)
    ]
    return apply_changes(kind=ChangeSet.Kind.EDIT, name="Edit", changes=changes, actor=actor)


def state(pks):
    rows = Product.objects.filter(pk__in=pks).values("pk", "sku", "stock", *FIELDS)
    return {row["sku"]: row for row in rows}


@pytest.mark.parametrize("make", [receive, count, raise_prices, archive, edit])
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(numbers=NUMBERS, sold=NUMBERS, edited=st.sets(st.integers(0, 3)))
def test_what_was_sold_stays_sold_and_the_rest_is_as_before(ada, carl, make, numbers, sold, edited):
    with transaction.atomic():
        pks = [factories.create_product(f"M{n}", sku=f"M-{n}", stock=5).pk for n in range(4)]
        before = state(pks)
        change_set = None
        with suppress(ValidationError):  # nothing would change
            change_set = make(pks, numbers, ada)
        if change_set:
            check_undo(change_set, pks, before, ada=ada, carl=carl, sold=sold, edited=edited)
        transaction.set_rollback(True)


def check_undo(change_set, pks, before, *, ada, carl, sold, edited):
    """Sell and edit some of the products, undo the change, and compare all of them."""
    made = state(pks)
    lines = [
        (Product.objects.get(pk=row["pk"]), min(units, row["stock"]))
        for row, units in zip(made.values(), sold, strict=True)
        if row["is_active"]
    ]
    units = {product.sku: number for product, number in lines if number}
    if units:
        factories.add_to_cart(carl, *[line for line in lines if line[1]])
        place_order(user=carl, shipping_address="1 Elm Street")
    for number in edited:
        changes = {"price": Decimal("77.00")}
        products.update_product(product_id=pks[number], actor=ada, changes=changes)
    moved = state(pks)

    undo_change_set(change_set.pk, actor=ada)
    rows = {row.sku: row for row in ChangeRow.objects.filter(change_set=change_set)}
    for sku, product in state(pks).items():
        row = rows.get(sku)
        after = row.after if row else {}
        kept = {name for name in FIELDS if name in after and moved[sku][name] != made[sku][name]}
        for name in FIELDS:
            restored = before if name in after and name not in kept else moved
            assert product[name] == restored[sku][name]
        stock = moved[sku]["stock"] - ((row and row.delta) or 0)
        assert product["stock"] == (stock if stock >= 0 else moved[sku]["stock"])
        if row:
            is_whole = not kept and stock >= 0
            assert row.outcome == ("undone" if is_whole else "not_undone")
            assert bool(row.reason) is not is_whole
    assert list(find_drift()) == []
