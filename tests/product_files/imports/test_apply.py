"""Applying an import: all of its changes or none."""

from decimal import Decimal

import pytest
from django.db import connection
from django.db.transaction import TransactionManagementError
from support import factories
from support.import_runs import (
    ada,
    catalogue,
    create_applied,
    create_preview,
    csv_text,
    outcomes,
    row_values,
)

from shop.models import AuditEntry, ChangeSet, Product, StockMovement
from shop.models.products import MAX_STOCK
from shop.services.change_sets import statements
from shop.services.change_sets.apply import apply_change_set
from shop.services.change_sets.locking import STALLED_AFTER
from shop.services.errors import ImportNotReady, NotFound, ProductsChanged
from shop.services.products import remove_product, update_product
from shop.services.stock import Kind, adjust_stock, find_drift

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ada")]
SPRING = csv_text(
    ("MUG-1", "Cup", "13", 15, 10),
    ("NEW-2", "Rug", "7", 3, ""),
    ("LAMP-1", "Lamp", "49.90", 5, 5),
    ("NEW-1", "Mat", "8", "", ""),
)


def sell(product, units):
    adjust_stock(product_id=product.pk, delta=-units, kind=Kind.DAMAGED, actor=ada())


@pytest.fixture
def assert_refused():
    """`assert_refused(change_set, error)`: applying raises the error and changes nothing."""

    def check(change_set, error, match=None, **options):
        before = {
            name: table for name, table in factories.all_rows().items() if name != "ChangeSet"
        }
        with pytest.raises(error, match=match):
            apply_change_set(change_set.pk, actor=ada(), **options)
        assert {
            name: table for name, table in factories.all_rows().items() if name != "ChangeSet"
        } == before
        state = change_set.state
        change_set.refresh_from_db()
        assert change_set.state == state

    return check


def test_apply_writes_the_previewed_changes(mug, lamp):
    change_set = create_preview(SPRING)
    assert apply_change_set(change_set.pk, actor=ada()) == {"new": 2, "changed": 1, "left_out": 0}
    shared = {"description": "", "is_active": True, "low_stock_threshold": 5, "image": ""}
    assert catalogue() == {
        "MUG-1": {"sku": "MUG-1", "name": "Cup", "price": Decimal("13.00"), "stock": 15} | shared,
        "LAMP-1": {"sku": "LAMP-1", "name": "Lamp", "price": Decimal("49.90"), "stock": 5} | shared,
        "NEW-2": {"sku": "NEW-2", "name": "Rug", "price": Decimal("7.00"), "stock": 3} | shared,
        "NEW-1": {"sku": "NEW-1", "name": "Mat", "price": Decimal("8.00"), "stock": 0} | shared,
    }
    assert list(Product.objects.order_by("pk").values_list("sku", flat=True))[2:] == [
        "NEW-2",
        "NEW-1",
    ]
    assert list(find_drift()) == []
    change_set.refresh_from_db()
    assert (change_set.state, change_set.applied_at is not None) == ("applied", True)


def test_stock_movements_refer_to_the_import(mug, lamp):
    change_set = create_applied(SPRING)
    rug = Product.objects.get(sku="NEW-2")
    movements = StockMovement.objects.filter(change_set=change_set).order_by("pk")
    assert list(
        movements.values_list("product", "kind", "delta", "balance_after", "actor", "order")
    ) == [
        (rug.pk, "import", 3, 3, ada().pk, None),
        (mug.pk, "import", 5, 15, ada().pk, None),
    ]


def test_only_changed_fields_are_written(mug):
    change_set = create_preview(csv_text(("MUG-1", "", "13", "", "")))
    update_product(product_id=mug.pk, actor=ada(), changes={"name": "Cup"})
    apply_change_set(change_set.pk, actor=ada())
    cup = Product.objects.get(pk=mug.pk)
    assert (cup.name, cup.price, cup.stock) == ("Cup", Decimal("13.00"), 10)
    assert cup.updated_at > mug.updated_at


def test_stock_difference_keeps_sales_after_the_export(mug):
    change_set = create_preview(csv_text(("MUG-1", "", "", 15, 10)))
    sell(mug, 3)
    apply_change_set(change_set.pk, actor=ada())
    assert catalogue()["MUG-1"]["stock"] == 12
    assert list(find_drift()) == []


def test_audit_log_has_one_entry_per_import(mug):
    change_set = create_applied(SPRING)
    entry = AuditEntry.objects.get()
    assert (entry.model_name, entry.record_id, entry.record_label) == (
        "changeset",
        str(change_set.pk),
        "spring.csv",
    )
    assert (entry.actor, entry.changes) == (ada(), "applied: 3 new, 1 changed, 0 left out")


def test_rows_store_their_outcome(mug, lamp):
    change_set = create_applied(SPRING)
    assert row_values(change_set, "sku", "status", "outcome", "product__sku") == [
        ("MUG-1", "changed", "applied", "MUG-1"),
        ("NEW-2", "new", "applied", "NEW-2"),
        ("LAMP-1", "unchanged", "", "LAMP-1"),
        ("NEW-1", "new", "applied", "NEW-1"),
    ]


def test_applied_import_is_not_applied_again(mug, lamp, assert_refused):
    assert_refused(create_applied(SPRING), ImportNotReady, "already applied")


@pytest.mark.parametrize("state", ["uploaded", "checking", "applying", "undone", "failed"])
def test_only_a_checked_import_is_applied(mug, assert_refused, state):
    change_set = create_preview(SPRING)
    ChangeSet.objects.update(state=state)
    change_set.refresh_from_db()
    assert_refused(change_set, ImportNotReady)


def test_unknown_import_is_not_found():
    with pytest.raises(NotFound):
        apply_change_set(7, actor=ada())


def test_rows_with_errors_stop_it_unless_left_out(mug, assert_refused):
    change_set = create_preview(csv_text(("MUG-1", "", "13", "", ""), ("BAD-1", "", "", "", "")))
    assert_refused(change_set, ImportNotReady, "^1 row has errors")
    assert apply_change_set(change_set.pk, actor=ada(), good_only=True) == {
        "new": 0,
        "changed": 1,
        "left_out": 0,
    }
    assert catalogue().keys() == {"MUG-1"}


def edited(mug, lamp):
    update_product(product_id=mug.pk, actor=ada(), changes={"price": Decimal("14.00")})
    return "It was edited after the preview: price."


def renamed(mug, lamp):
    update_product(product_id=mug.pk, actor=ada(), changes={"sku": "MUG-9"})
    return "The product's SKU was changed after the preview."


def removed(mug, lamp):
    remove_product(product_id=mug.pk, actor=ada())
    return "The product was removed after the preview."


def sold_out(mug, lamp):
    sell(mug, 10)
    return "Its stock changed after the preview and would become negative or too large."


@pytest.mark.parametrize("change", [edited, renamed, removed, sold_out])
def test_products_changed_after_the_preview_are_left_out(mug, lamp, assert_refused, change):
    change_set = create_preview(
        csv_text(("MUG-1", "Cup", "13", 7, 10), ("LAMP-1", "", "50", "", ""))
    )
    reason = change(mug, lamp)
    before = catalogue()
    assert_refused(
        change_set, ProductsChanged, f"^Line 2 \\(MUG-1\\): {reason} Check the file again"
    )
    assert apply_change_set(change_set.pk, actor=ada(), good_only=True) == {
        "new": 0,
        "changed": 1,
        "left_out": 1,
    }
    assert outcomes(change_set) == {"MUG-1": ("left_out", reason), "LAMP-1": ("applied", "")}
    before["LAMP-1"]["price"] = Decimal("50.00")
    assert catalogue() == before
    assert list(find_drift()) == []


def test_stock_to_set_must_be_unchanged(mug, lamp, assert_refused):
    text = csv_text(("MUG-1", 15), ("LAMP-1", 9), headers=("sku", "stock"))
    change_set = create_preview(text, stock_mode="set")
    sell(mug, 1)
    assert_refused(change_set, ProductsChanged)
    apply_change_set(change_set.pk, actor=ada(), good_only=True)
    assert {sku: product["stock"] for sku, product in catalogue().items()} == {
        "MUG-1": 9,
        "LAMP-1": 9,
    }


def test_stock_above_its_limit_is_refused(mug, assert_refused):
    change_set = create_preview(csv_text(("MUG-1", "", "", 30, 10)))
    adjust_stock(product_id=mug.pk, delta=MAX_STOCK - 20, kind=Kind.RECEIVED, actor=ada())
    assert_refused(change_set, ProductsChanged)


def test_sku_taken_after_the_preview_is_left_out(mug, assert_refused):
    change_set = create_preview(
        csv_text(("NEW-1", "Rug", "7", "", ""), ("NEW-2", "Mat", "8", "", ""))
    )
    factories.create_product("Rival", sku="new-1")
    assert_refused(change_set, ProductsChanged, "Another product has this SKU now")
    assert apply_change_set(change_set.pk, actor=ada(), good_only=True) == {
        "new": 1,
        "changed": 0,
        "left_out": 1,
    }
    assert [product["name"] for product in catalogue().values()] == ["Mug", "Rival", "Mat"]


def test_sku_taken_at_the_same_time_is_a_shop_error(mug, assert_refused, monkeypatch):
    change_set = create_preview(csv_text(("NEW-1", "Rug", "7", "", "")))
    factories.create_product("Rival", sku="new-1")
    monkeypatch.setattr(statements, "leave_out_new_conflicts", lambda *_, **__: 0)
    assert_refused(change_set, ProductsChanged, "just added a product")


def test_error_quotes_five_conflicts_and_counts_the_rest(assert_refused):
    for number in range(7):
        factories.create_product(f"Mug {number}", sku=f"M-{number}")
    change_set = create_preview(
        csv_text(*[(f"M-{number}", "", "13", "", "") for number in range(7)])
    )
    Product.objects.update(price="9")
    assert_refused(change_set, ProductsChanged, r"Line 6 \(M-4\): .*: price\. And 2 more\.")


def test_unexpected_error_changes_nothing_and_can_be_retried(
    mug, lamp, assert_refused, monkeypatch
):
    change_set = create_preview(SPRING)
    with monkeypatch.context() as broken:
        broken.setattr(statements, "record_stock", lambda *_, **__: 1 / 0)
        assert_refused(change_set, ZeroDivisionError)
    assert apply_change_set(change_set.pk, actor=ada()) == {"new": 2, "changed": 1, "left_out": 0}


def test_stalled_apply_is_taken_over(mug, lamp):
    change_set = create_preview(SPRING)
    now = change_set.checked_at
    ChangeSet.objects.update(state="applying", heartbeat_at=now)
    with pytest.raises(ImportNotReady, match="already being applied"):
        apply_change_set(change_set.pk, actor=ada())
    ChangeSet.objects.update(heartbeat_at=now - STALLED_AFTER * 2)
    assert apply_change_set(change_set.pk, actor=ada()) == {"new": 2, "changed": 1, "left_out": 0}


@pytest.mark.parametrize("count", [1, 3, 3000])
def test_statement_count_does_not_grow(mug, lamp, count, statements):
    new = [(f"NEW-{number}", "Rug", "7", 3, "") for number in range(count)]
    change_set = create_preview(
        csv_text(("MUG-1", "Cup", "13", 15, 10), ("LAMP-1", "", "50", "", ""), *new)
    )
    actor = ada()
    with statements(13 + (connection.vendor == "postgresql")):
        apply_change_set(change_set.pk, actor=actor)
    assert Product.objects.count() == count + 2
    assert list(find_drift()) == []


@pytest.mark.django_db(transaction=True)
def test_stock_is_only_recorded_in_a_transaction():
    with pytest.raises(TransactionManagementError):
        statements.record_stock(ChangeSet(pk=1), statements.NEW, actor=ada())
