"""Undoing an import, except for what changed after it."""

from decimal import Decimal

import pytest
from django.db import connection
from support import factories
from support.import_runs import (
    ada,
    catalogue,
    create_applied,
    create_preview,
    csv_text,
    current_state,
    outcomes,
    undone,
)

from shop.models import AuditEntry, CartItem, ChangeSet, Product, StockMovement
from shop.services.change_sets import statements
from shop.services.change_sets.apply import apply_change_set
from shop.services.change_sets.locking import STALLED_AFTER
from shop.services.change_sets.undo import undo_change_set
from shop.services.errors import ImportNotReady, NotFound
from shop.services.order_moves import move_order
from shop.services.orders import place_order
from shop.services.products import remove_product, update_product
from shop.services.stock import Kind, adjust_stock, find_drift

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ada")]
SPRING = csv_text(
    ("MUG-1", "Cup", "13", 15, 10), ("NEW-1", "Rug", "7", 3, ""), ("LAMP-1", "Lamp", "50", 0, 5)
)


def edit(product, **changes):
    update_product(product_id=product.pk, actor=ada(), changes=changes)


def buy(customer, product, units):
    factories.add_to_cart(customer, (product, units))
    return place_order(user=customer, shipping_address="1 Elm Street").order


def rug():
    return Product.objects.get(sku="NEW-1")


def test_undo_restores_the_catalogue(mug, lamp):
    before = catalogue()
    change_set = create_applied(SPRING)
    assert catalogue() != before
    assert undo_change_set(change_set.pk, actor=ada()) == {
        "removed": 1,
        "restored": 2,
        "not_undone": 0,
    }
    assert catalogue() == before
    assert list(find_drift()) == []
    change_set.refresh_from_db()
    assert (change_set.state, change_set.undone_at is not None) == ("undone", True)
    assert change_set.result == {
        "new": 1,
        "changed": 2,
        "left_out": 0,
        "removed": 1,
        "restored": 2,
        "not_undone": 0,
    }
    assert set(outcomes(change_set).values()) == {("undone", "")}


def test_undo_reverses_stock_in_the_ledger(mug, lamp):
    change_set = undone(create_applied(SPRING))
    movements = StockMovement.objects.filter(change_set=change_set, product=mug).order_by("pk")
    assert list(movements.values_list("kind", "delta", "balance_after")) == [
        ("import", 5, 15),
        ("undone", -5, 10),
    ]
    assert AuditEntry.objects.first().changes == "undone: 1 removed, 2 restored, 0 not undone"


def test_undo_keeps_sales(mug, lamp, carl):
    change_set = create_applied(SPRING)
    buy(carl, Product.objects.get(pk=mug.pk), 4)
    undone(change_set)
    assert catalogue()["MUG-1"]["stock"] == 10 - 4
    assert list(find_drift()) == []


def test_stock_that_was_sold_is_not_undone(mug, lamp, carl):
    change_set = create_applied(SPRING)
    buy(carl, Product.objects.get(pk=mug.pk), 11)
    assert undo_change_set(change_set.pk, actor=ada()) == {
        "removed": 1,
        "restored": 1,
        "not_undone": 1,
    }
    assert outcomes(change_set)["MUG-1"] == (
        "not_undone",
        "Changed since, so not undone: stock.",
    )
    product = catalogue()["MUG-1"]
    assert (product["name"], product["price"], product["stock"]) == ("Mug", Decimal("12.50"), 4)
    assert list(find_drift()) == []


def test_edited_field_is_kept_and_the_others_restored(mug, lamp):
    change_set = create_applied(SPRING)
    edit(mug, name="Beaker", description="Blue.")
    undone(change_set)
    assert outcomes(change_set)["MUG-1"] == (
        "not_undone",
        "Changed since, so not undone: name.",
    )
    product = catalogue()["MUG-1"]
    assert (product["name"], product["description"], product["price"], product["stock"]) == (
        "Beaker",
        "Blue.",
        Decimal("12.50"),
        10,
    )


def ordered(carl):
    buy(carl, rug(), 1)
    return "It was ordered since."


def ordered_and_cancelled(carl):
    order = buy(carl, rug(), 1)
    move_order(order_id=order.pk, to="cancelled", actor=ada(), by_staff=True)
    return "It was ordered since."


def edited(carl):
    edit(rug(), price=Decimal("8.00"))
    return "It was edited since: price."


def pictured(carl):
    Product.objects.filter(sku="NEW-1").update(image="rug.webp")
    return "A file was added to it since."


def received(carl):
    adjust_stock(product_id=rug().pk, delta=2, kind=Kind.RECEIVED, actor=ada())
    return "Its stock changed since."


@pytest.mark.parametrize("change", [ordered, ordered_and_cancelled, edited, pictured, received])
def test_new_product_that_was_used_is_kept(mug, lamp, carl, change):
    change_set = create_applied(SPRING)
    reason = change(carl)
    before = catalogue()["NEW-1"]
    assert undo_change_set(change_set.pk, actor=ada()) == {
        "removed": 0,
        "restored": 2,
        "not_undone": 1,
    }
    assert outcomes(change_set)["NEW-1"] == ("not_undone", reason)
    assert catalogue()["NEW-1"] == before
    assert list(find_drift()) == []


def test_removed_products_are_not_undone(mug, lamp):
    change_set = create_applied(SPRING)
    remove_product(product_id=mug.pk, actor=ada())
    remove_product(product_id=rug().pk, actor=ada())
    assert undo_change_set(change_set.pk, actor=ada()) == {
        "removed": 0,
        "restored": 1,
        "not_undone": 2,
    }
    assert set(outcomes(change_set).values()) == {
        ("not_undone", "The product was removed since."),
        ("undone", ""),
    }


def test_removed_product_leaves_the_carts(mug, lamp, carl):
    change_set = create_applied(SPRING)
    factories.add_to_cart(carl, (rug(), 1), (mug, 1))
    undone(change_set)
    assert list(CartItem.objects.values_list("product", flat=True)) == [mug.pk]


def test_left_out_rows_are_not_undone(mug, lamp):
    change_set = create_preview(SPRING)
    edit(mug, price=Decimal("99.00"))
    before = catalogue()["MUG-1"]
    apply_change_set(change_set.pk, actor=ada(), good_only=True)
    undone(change_set)
    assert catalogue()["MUG-1"] == before
    assert outcomes(change_set)["MUG-1"] == (
        "left_out",
        "It was edited after the preview: price.",
    )


def test_two_imports_are_undone_in_reverse_order(mug, lamp):
    before = catalogue()
    first = create_applied(SPRING)
    between = catalogue()
    second = create_applied(csv_text(("NEW-1", "Carpet", "9", 8, 3), ("MUG-1", "", "14", "", "")))
    undone(second)
    assert catalogue() == between
    undone(first)
    assert catalogue() == before
    assert list(find_drift()) == []


def test_undone_import_is_not_undone_again(mug, lamp):
    change_set = undone(create_applied(SPRING))
    before = factories.all_rows()
    with pytest.raises(ImportNotReady, match="already undone"):
        undo_change_set(change_set.pk, actor=ada())
    assert factories.all_rows() == before


@pytest.mark.parametrize(
    "state", ["uploaded", "checking", "checked", "applying", "undoing", "failed"]
)
def test_only_an_applied_import_is_undone(mug, lamp, state):
    change_set = create_applied(SPRING)
    ChangeSet.objects.update(state=state)
    before = factories.all_rows()
    with pytest.raises(ImportNotReady):
        undo_change_set(change_set.pk, actor=ada())
    assert factories.all_rows() == before


def test_unknown_import_is_not_found():
    with pytest.raises(NotFound):
        undo_change_set(7, actor=ada())


def test_unexpected_error_leaves_it_applied_and_can_be_retried(mug, lamp, monkeypatch):
    before = catalogue()
    change_set = create_applied(SPRING)
    between = catalogue()
    with monkeypatch.context() as broken:
        broken.setattr(statements, "remove_added_products", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            undo_change_set(change_set.pk, actor=ada())
    assert (catalogue(), current_state(change_set)) == (between, "applied")
    undone(change_set)
    assert catalogue() == before


def test_stalled_undo_is_taken_over(mug, lamp):
    before = catalogue()
    change_set = create_applied(SPRING)
    ChangeSet.objects.update(
        state="undoing", heartbeat_at=change_set.applied_at - STALLED_AFTER * 2
    )
    undone(change_set)
    assert catalogue() == before


@pytest.mark.parametrize("count", [1, 3, 3000])
def test_statement_count_does_not_grow(mug, lamp, count, statements):
    new = [(f"NEW-{number}", "Rug", "7", 3, "") for number in range(count)]
    change_set = create_applied(
        csv_text(("MUG-1", "Cup", "13", 15, 10), ("LAMP-1", "", "50", "", ""), *new)
    )
    actor = ada()
    with statements(16 + (connection.vendor == "postgresql")):
        undo_change_set(change_set.pk, actor=actor)
    assert Product.objects.count() == 2
    assert list(find_drift()) == []
