"""Changes of many products that a page has previewed: all of them or none, with their history."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from support import factories

from shop.models import AuditEntry, ChangeSet, Product, StockMovement
from shop.services.change_sets.plan import PlannedChange, apply_changes
from shop.services.change_sets.undo import undo_change_set
from shop.services.errors import ImportNotReady, ProductsChanged
from shop.services.products import update_product
from shop.services.stock import adjust_stock, find_drift

Kind = ChangeSet.Kind


def change(actor, *changes, kind=Kind.EDIT):
    return apply_changes(kind=kind, name="Spring", changes=changes, actor=actor)


def values(product):
    return Product.objects.values("name", "price", "stock", "is_active").get(pk=product.pk)


def test_changes_are_applied_listed_and_undone(ada, mug, lamp):
    before = values(mug), values(lamp)
    changed = change(
        ada,
        PlannedChange(mug, {"name": "Cup", "price": Decimal("9.99")}, delta=3),
        PlannedChange(lamp, {"is_active": False}),
    )
    assert values(mug) == {"name": "Cup", "price": Decimal("9.99"), "stock": 13, "is_active": True}
    assert values(lamp)["is_active"] is False
    rows = changed.rows.values_list("sku", "before", "after", "delta", "outcome")
    assert list(rows) == [
        (
            "MUG-1",
            {"name": "Mug", "price": "12.50", "stock": 10},
            {"name": "Cup", "price": "9.99", "stock": 13},
            3,
            "applied",
        ),
        ("LAMP-1", {"is_active": True}, {"is_active": False}, None, "applied"),
    ]
    assert undo_change_set(changed.pk, actor=ada)["restored"] == 2
    assert (values(mug), values(lamp)) == before
    movements = StockMovement.objects.filter(change_set=changed).order_by("pk")
    assert list(movements.values_list("kind", "delta", "reason")) == [
        ("correction", 3, "Spring"),
        ("undone", -3, "Spring"),
    ]
    assert list(find_drift()) == []


def test_each_products_history_names_the_change_set(ada, mug, lamp):
    changed = change(ada, *(PlannedChange(p, {"price": Decimal(1)}) for p in (mug, lamp)))
    undo_change_set(changed.pk, actor=ada)
    for product in (mug, lamp):
        entries = AuditEntry.objects.filter(model_name="product", record_id=product.pk)
        assert list(entries.values_list("change_set", flat=True)) == [changed.pk] * 2
    of_set = AuditEntry.objects.filter(model_name="changeset", record_id=changed.pk)
    assert list(of_set.values_list("action", "change_set")) == [("changed", None), ("added", None)]


def test_a_product_that_stays_as_it_is_is_left_out(ada, mug, lamp):
    changed = change(
        ada, PlannedChange(mug, {"name": "Mug"}), PlannedChange(lamp, {"name": "Light"})
    )
    assert list(changed.rows.values_list("sku", flat=True)) == ["LAMP-1"]


def test_nothing_to_change_is_refused(ada, mug, refused):
    with refused(ValidationError) as raised:
        change(ada, PlannedChange(mug, {"name": "Mug"}))
    assert raised.value.code == "unchanged"


def edited(product, ada):
    update_product(product_id=product.pk, actor=ada, changes={"price": Decimal("7.00")})


def sold_out(product, ada):
    adjust_stock(product_id=product.pk, delta=-9, kind=StockMovement.Kind.DAMAGED, actor=ada)


def renumbered(product, ada):
    Product.objects.filter(pk=product.pk).update(sku="OTHER")


@pytest.mark.parametrize("happening", [edited, sold_out, renumbered])
def test_what_changed_since_the_preview_is_told_and_nothing_done(
    ada, mug, lamp, refused, happening
):
    changes = [
        PlannedChange(lamp, {"name": "Light"}),
        PlannedChange(mug, {"price": Decimal(1)}, delta=-3),
    ]
    happening(mug, ada)
    with refused(ProductsChanged, match="MUG-1"):
        change(ada, *changes)


def test_it_is_undone_once(ada, mug, refused):
    changed = change(ada, PlannedChange(mug, delta=2), kind=Kind.RECEIPT)
    undo_change_set(changed.pk, actor=ada)
    with refused(ImportNotReady):
        undo_change_set(changed.pk, actor=ada)


@pytest.mark.parametrize("count", [1, 5])
def test_statements_do_not_grow_with_products(ada, django_assert_num_queries, count):
    products = [factories.create_product(f"Mat {n}", stock=5) for n in range(count)]
    changes = [PlannedChange(p, {"price": Decimal(1)}, delta=1) for p in products]
    with django_assert_num_queries(11):
        change(ada, *changes)
