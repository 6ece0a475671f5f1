"""A checked import becomes the catalogue, whole or not at all."""

from decimal import Decimal

import pytest
from django.db import connection
from django.db.transaction import TransactionManagementError
from support import factories
from support.import_runs import ada, applied, catalogue, checked, outcomes, rows, text_of

from shop.models import AuditEntry, Product, ProductImport, StockMovement
from shop.models.products import MAX_STOCK
from shop.product_files.imports.apply import apply_import
from shop.product_files.imports.locking import SILENCE
from shop.services import imports
from shop.services.errors import ImportChanged, ImportNotReady, NotFound
from shop.services.products import remove_product, update_product
from shop.services.stock import Kind, adjust_stock, find_drift

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ada")]
SPRING = text_of(
    ("MUG-1", "Cup", "13", 15, 10),
    ("NEW-2", "Rug", "7", 3, ""),
    ("LAMP-1", "Lamp", "49.90", 5, 5),
    ("NEW-1", "Mat", "8", "", ""),
)


def sell(product, units):
    adjust_stock(product_id=product.pk, delta=-units, kind=Kind.DAMAGED, actor=ada())


@pytest.fixture
def unchanged():
    """`refused(...)`: nothing of the shop is different but that the import was touched."""

    def refused(product_import, error, match, **options):
        before = {
            name: table for name, table in factories.all_rows().items() if name != "ProductImport"
        }
        with pytest.raises(error, match=match):
            apply_import(product_import.pk, actor=ada(), **options)
        assert {
            name: table for name, table in factories.all_rows().items() if name != "ProductImport"
        } == before
        state = product_import.state
        product_import.refresh_from_db()
        assert product_import.state == state

    return refused


def test_the_catalogue_is_what_the_preview_said(mug, lamp):
    product_import = checked(SPRING)
    assert apply_import(product_import.pk, actor=ada()) == {"new": 2, "changed": 1, "left": 0}
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
    product_import.refresh_from_db()
    assert (product_import.state, product_import.applied_at is not None) == ("applied", True)


def test_the_ledger_names_the_import(mug, lamp):
    product_import = applied(SPRING)
    rug = Product.objects.get(sku="NEW-2")
    lines = StockMovement.objects.filter(product_import=product_import).order_by("pk")
    assert list(
        lines.values_list("product", "kind", "delta", "balance_after", "actor", "order")
    ) == [
        (rug.pk, "import", 3, 3, ada().pk, None),
        (mug.pk, "import", 5, 15, ada().pk, None),
    ]


def test_only_what_the_file_changes_is_written(mug):
    product_import = checked(text_of(("MUG-1", "", "13", "", "")))
    update_product(product_id=mug.pk, actor=ada(), changes={"name": "Cup"})
    apply_import(product_import.pk, actor=ada())
    found = Product.objects.get(pk=mug.pk)
    assert (found.name, found.price, found.stock) == ("Cup", Decimal("13.00"), 10)
    assert found.updated_at > mug.updated_at


def test_what_was_sold_since_the_export_stays_sold(mug):
    product_import = checked(text_of(("MUG-1", "", "", 15, 10)))
    sell(mug, 3)
    apply_import(product_import.pk, actor=ada())
    assert catalogue()["MUG-1"]["stock"] == 12
    assert list(find_drift()) == []


def test_one_entry_in_the_audit_log_not_one_for_each_product(mug):
    product_import = applied(SPRING)
    entry = AuditEntry.objects.get()
    assert (entry.model_name, entry.record_id, entry.record_label) == (
        "productimport",
        str(product_import.pk),
        "spring.csv",
    )
    assert (entry.actor, entry.changes) == (ada(), "applied: 3 new, 1 changed, 0 left out")


def test_each_row_knows_what_became_of_it(mug, lamp):
    product_import = applied(SPRING)
    assert rows(product_import, "sku", "status", "outcome", "product__sku") == [
        ("MUG-1", "changed", "applied", "MUG-1"),
        ("NEW-2", "new", "applied", "NEW-2"),
        ("LAMP-1", "same", "", "LAMP-1"),
        ("NEW-1", "new", "applied", "NEW-1"),
    ]


def test_a_second_press_finds_it_applied(mug, lamp, unchanged):
    unchanged(applied(SPRING), ImportNotReady, "applied already")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("uploaded", "not been checked"),
        ("checking", "is being checked"),
        ("applying", "being applied already"),
        ("undone", "taken back already"),
        ("failed", "could not be read"),
    ],
)
def test_only_a_checked_import_is_applied(mug, unchanged, state, said):
    product_import = checked(SPRING)
    ProductImport.objects.update(state=state)
    product_import.refresh_from_db()
    unchanged(product_import, ImportNotReady, said)


def test_no_import_is_not_found():
    with pytest.raises(NotFound):
        apply_import(7, actor=ada())


def test_wrong_rows_stop_it_unless_the_good_ones_were_chosen(mug, unchanged):
    product_import = checked(text_of(("MUG-1", "", "13", "", ""), ("BAD-1", "", "", "", "")))
    unchanged(product_import, ImportNotReady, "^1 rows are wrong")
    assert apply_import(product_import.pk, actor=ada(), good_only=True) == {
        "new": 0,
        "changed": 1,
        "left": 0,
    }
    assert catalogue().keys() == {"MUG-1"}


def edited(mug, lamp):
    update_product(product_id=mug.pk, actor=ada(), changes={"price": Decimal("14.00")})
    return "Somebody edited it meanwhile: price."


def renamed(mug, lamp):
    update_product(product_id=mug.pk, actor=ada(), changes={"sku": "MUG-9"})
    return "The product has another SKU by now."


def removed(mug, lamp):
    remove_product(product_id=mug.pk, actor=ada())
    return "The product was removed meanwhile."


def sold_out(mug, lamp):
    sell(mug, 10)
    return "Its stock changed meanwhile and does not allow this."


@pytest.mark.parametrize("happens", [edited, renamed, removed, sold_out])
def test_what_changed_since_the_preview_is_named_never_overwritten(mug, lamp, unchanged, happens):
    product_import = checked(text_of(("MUG-1", "Cup", "13", 7, 10), ("LAMP-1", "", "50", "", "")))
    why = happens(mug, lamp)
    before = catalogue()
    unchanged(product_import, ImportChanged, f"^Line 2 \\(MUG-1\\): {why} Check the file again")
    assert apply_import(product_import.pk, actor=ada(), good_only=True) == {
        "new": 0,
        "changed": 1,
        "left": 1,
    }
    assert outcomes(product_import) == {"MUG-1": ("left", why), "LAMP-1": ("applied", "")}
    before["LAMP-1"]["price"] = Decimal("50.00")
    assert catalogue() == before
    assert list(find_drift()) == []


def test_a_stock_that_is_set_must_be_what_it_was(mug, lamp, unchanged):
    text = text_of(("MUG-1", 15), ("LAMP-1", 9), headers=("sku", "stock"))
    product_import = checked(text, stock="set")
    sell(mug, 1)
    unchanged(product_import, ImportChanged, "Its stock changed meanwhile")
    apply_import(product_import.pk, actor=ada(), good_only=True)
    assert {sku: product["stock"] for sku, product in catalogue().items()} == {
        "MUG-1": 9,
        "LAMP-1": 9,
    }


def test_a_stock_above_its_bound_by_now_is_left(mug, unchanged):
    product_import = checked(text_of(("MUG-1", "", "", 30, 10)))
    adjust_stock(product_id=mug.pk, delta=MAX_STOCK - 20, kind=Kind.RECEIVED, actor=ada())
    unchanged(product_import, ImportChanged, "Its stock changed meanwhile and does not allow this")


def test_a_sku_that_was_taken_meanwhile_is_left(mug, unchanged):
    product_import = checked(text_of(("NEW-1", "Rug", "7", "", ""), ("NEW-2", "Mat", "8", "", "")))
    factories.create_product("Rival", sku="new-1")
    unchanged(product_import, ImportChanged, "Another product has this SKU by now")
    assert apply_import(product_import.pk, actor=ada(), good_only=True) == {
        "new": 1,
        "changed": 0,
        "left": 1,
    }
    assert [product["name"] for product in catalogue().values()] == ["Mug", "Rival", "Mat"]


def test_a_sku_that_is_taken_at_the_same_moment_is_refused_in_words(mug, unchanged, monkeypatch):
    product_import = checked(text_of(("NEW-1", "Rug", "7", "", "")))
    factories.create_product("Rival", sku="new-1")
    monkeypatch.setattr(imports, "leave_taken_skus", lambda *_, **__: 0)
    unchanged(
        product_import, ImportChanged, "added a product with a SKU of this file at the same moment"
    )


def test_many_that_changed_are_counted_after_the_first(unchanged):
    for number in range(7):
        factories.create_product(f"Mug {number}", sku=f"M-{number}")
    product_import = checked(text_of(*[(f"M-{number}", "", "13", "", "") for number in range(7)]))
    Product.objects.update(price="9")
    unchanged(
        product_import,
        ImportChanged,
        r"Line 6 \(M-4\): Somebody edited it meanwhile: price. And 2 more.",
    )


def test_what_breaks_midway_leaves_nothing_and_may_be_tried_again(
    mug, lamp, unchanged, monkeypatch
):
    product_import = checked(SPRING)
    with monkeypatch.context() as broken:
        broken.setattr(imports, "record_stock", lambda *_, **__: 1 / 0)
        unchanged(product_import, ZeroDivisionError, "division")
    assert apply_import(product_import.pk, actor=ada()) == {"new": 2, "changed": 1, "left": 0}


def test_what_a_killed_worker_began_is_taken_over_when_it_is_silent(mug, lamp):
    product_import = checked(SPRING)
    now = product_import.checked_at
    ProductImport.objects.update(state="applying", heartbeat_at=now)
    with pytest.raises(ImportNotReady, match="being applied"):
        apply_import(product_import.pk, actor=ada())
    ProductImport.objects.update(heartbeat_at=now - SILENCE * 2)
    assert apply_import(product_import.pk, actor=ada()) == {"new": 2, "changed": 1, "left": 0}


@pytest.mark.parametrize("count", [1, 3, 3000])
def test_any_number_of_rows_costs_the_same_number_of_statements(mug, lamp, count, statements):
    new = [(f"NEW-{number}", "Rug", "7", 3, "") for number in range(count)]
    product_import = checked(
        text_of(("MUG-1", "Cup", "13", 15, 10), ("LAMP-1", "", "50", "", ""), *new)
    )
    actor = ada()
    with statements(13 + (connection.vendor == "postgresql")):
        apply_import(product_import.pk, actor=actor)
    assert Product.objects.count() == count + 2
    assert list(find_drift()) == []


@pytest.mark.django_db(transaction=True)
def test_products_balances_and_ledger_are_never_written_apart():
    with pytest.raises(TransactionManagementError):
        imports.record_stock(ProductImport(pk=1), imports.NEW, actor=ada())
