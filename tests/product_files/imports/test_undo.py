"""An applied import taken back, as far as nobody has built on it since."""

from decimal import Decimal

import pytest
from django.db import connection
from support import factories
from support.import_runs import (
    ada,
    applied,
    catalogue,
    checked,
    outcomes,
    state_of,
    taken_back,
    text_of,
)

from shop.models import AuditEntry, CartItem, Product, ProductImport, StockMovement
from shop.product_files.imports.apply import apply_import
from shop.product_files.imports.locking import SILENCE
from shop.product_files.imports.undo import undo_import
from shop.services import imports
from shop.services.errors import ImportNotReady, NotFound
from shop.services.orders import move_order, place_order
from shop.services.products import remove_product, update_product
from shop.services.stock import Kind, adjust_stock, find_drift

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ada")]
SPRING = text_of(
    ("MUG-1", "Cup", "13", 15, 10), ("NEW-1", "Rug", "7", 3, ""), ("LAMP-1", "Lamp", "50", 0, 5)
)


def edit(product, **changes):
    update_product(product_id=product.pk, actor=ada(), changes=changes)


def buy(customer, product, units):
    factories.add_to_cart(customer, (product, units))
    return place_order(user=customer, shipping_address="1 Elm Street").order


def rug():
    return Product.objects.get(sku="NEW-1")


def test_the_catalogue_is_as_before(mug, lamp):
    before = catalogue()
    product_import = applied(SPRING)
    assert catalogue() != before
    assert undo_import(product_import.pk, actor=ada()) == {"removed": 1, "restored": 2, "kept": 0}
    assert catalogue() == before
    assert list(find_drift()) == []
    product_import.refresh_from_db()
    assert (product_import.state, product_import.undone_at is not None) == ("undone", True)
    assert product_import.result == {
        "new": 1,
        "changed": 2,
        "left": 0,
        "removed": 1,
        "restored": 2,
        "kept": 0,
    }
    assert set(outcomes(product_import).values()) == {("undone", "")}


def test_stock_goes_back_through_the_ledger(mug, lamp):
    product_import = taken_back(applied(SPRING))
    lines = StockMovement.objects.filter(product_import=product_import, product=mug).order_by("pk")
    assert list(lines.values_list("kind", "delta", "balance_after")) == [
        ("import", 5, 15),
        ("import", -5, 10),
    ]
    assert AuditEntry.objects.first().changes == "taken back: 1 removed, 2 restored, 0 kept"


def test_sold_units_stay_sold(mug, lamp, carl):
    product_import = applied(SPRING)
    buy(carl, Product.objects.get(pk=mug.pk), 4)
    taken_back(product_import)
    assert catalogue()["MUG-1"]["stock"] == 10 - 4
    assert list(find_drift()) == []


def test_stock_that_is_sold_already_cannot_go_back_and_is_named(mug, lamp, carl):
    product_import = applied(SPRING)
    buy(carl, Product.objects.get(pk=mug.pk), 11)
    assert undo_import(product_import.pk, actor=ada()) == {"removed": 1, "restored": 1, "kept": 1}
    assert outcomes(product_import)["MUG-1"] == ("kept", "Changed since, and left as it is: stock.")
    found = catalogue()["MUG-1"]
    assert (found["name"], found["price"], found["stock"]) == ("Mug", Decimal("12.50"), 4)
    assert list(find_drift()) == []


def test_a_field_that_was_edited_since_is_left_and_the_rest_restored(mug, lamp):
    product_import = applied(SPRING)
    edit(mug, name="Beaker", description="Blue.")
    taken_back(product_import)
    assert outcomes(product_import)["MUG-1"] == ("kept", "Changed since, and left as it is: name.")
    found = catalogue()["MUG-1"]
    assert (found["name"], found["description"], found["price"], found["stock"]) == (
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
    return "It has a file by now."


def received(carl):
    adjust_stock(product_id=rug().pk, delta=2, kind=Kind.RECEIVED, actor=ada())
    return "Its stock changed since."


@pytest.mark.parametrize("happens", [ordered, ordered_and_cancelled, edited, pictured, received])
def test_a_new_product_on_which_somebody_built_is_left_and_named(mug, lamp, carl, happens):
    product_import = applied(SPRING)
    why = happens(carl)
    before = catalogue()["NEW-1"]
    assert undo_import(product_import.pk, actor=ada()) == {"removed": 0, "restored": 2, "kept": 1}
    assert outcomes(product_import)["NEW-1"] == ("kept", why)
    assert catalogue()["NEW-1"] == before
    assert list(find_drift()) == []


def test_what_was_removed_since_is_named(mug, lamp):
    product_import = applied(SPRING)
    remove_product(product_id=mug.pk, actor=ada())
    remove_product(product_id=rug().pk, actor=ada())
    assert undo_import(product_import.pk, actor=ada()) == {"removed": 0, "restored": 1, "kept": 2}
    assert set(outcomes(product_import).values()) == {
        ("kept", "It was removed since."),
        ("undone", ""),
    }


def test_a_removed_product_leaves_the_carts(mug, lamp, carl):
    product_import = applied(SPRING)
    factories.add_to_cart(carl, (rug(), 1), (mug, 1))
    taken_back(product_import)
    assert list(CartItem.objects.values_list("product", flat=True)) == [mug.pk]


def test_rows_that_were_left_out_are_not_taken_back(mug, lamp):
    product_import = checked(SPRING)
    edit(mug, price=Decimal("99.00"))
    before = catalogue()["MUG-1"]
    apply_import(product_import.pk, actor=ada(), good_only=True)
    taken_back(product_import)
    assert catalogue()["MUG-1"] == before
    assert outcomes(product_import)["MUG-1"] == ("left", "Somebody edited it meanwhile: price.")


def test_two_imports_are_taken_back_one_after_the_other(mug, lamp):
    before = catalogue()
    first = applied(SPRING)
    between = catalogue()
    second = applied(text_of(("NEW-1", "Carpet", "9", 8, 3), ("MUG-1", "", "14", "", "")))
    taken_back(second)
    assert catalogue() == between
    taken_back(first)
    assert catalogue() == before
    assert list(find_drift()) == []


def test_a_second_press_says_it_is_undone(mug, lamp):
    product_import = taken_back(applied(SPRING))
    before = factories.all_rows()
    with pytest.raises(ImportNotReady, match="taken back already"):
        undo_import(product_import.pk, actor=ada())
    assert factories.all_rows() == before


@pytest.mark.parametrize(
    "state", ["uploaded", "checking", "checked", "applying", "undoing", "failed"]
)
def test_only_an_applied_import_is_taken_back(mug, lamp, state):
    product_import = applied(SPRING)
    ProductImport.objects.update(state=state)
    before = factories.all_rows()
    with pytest.raises(ImportNotReady):
        undo_import(product_import.pk, actor=ada())
    assert factories.all_rows() == before


def test_no_import_is_not_found():
    with pytest.raises(NotFound):
        undo_import(7, actor=ada())


def test_what_breaks_midway_leaves_it_applied_and_may_be_tried_again(mug, lamp, monkeypatch):
    before = catalogue()
    product_import = applied(SPRING)
    between = catalogue()
    with monkeypatch.context() as broken:
        broken.setattr(imports, "remove_products", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            undo_import(product_import.pk, actor=ada())
    assert (catalogue(), state_of(product_import)) == (between, "applied")
    taken_back(product_import)
    assert catalogue() == before


def test_what_a_killed_worker_began_is_taken_over_when_it_is_silent(mug, lamp):
    before = catalogue()
    product_import = applied(SPRING)
    ProductImport.objects.update(
        state="undoing", heartbeat_at=product_import.applied_at - SILENCE * 2
    )
    taken_back(product_import)
    assert catalogue() == before


@pytest.mark.parametrize("count", [1, 3, 3000])
def test_any_number_of_rows_costs_the_same_number_of_statements(mug, lamp, count, statements):
    new = [(f"NEW-{number}", "Rug", "7", 3, "") for number in range(count)]
    product_import = applied(
        text_of(("MUG-1", "Cup", "13", 15, 10), ("LAMP-1", "", "50", "", ""), *new)
    )
    actor = ada()
    with statements(16 + (connection.vendor == "postgresql")):
        undo_import(product_import.pk, actor=actor)
    assert Product.objects.count() == 2
    assert list(find_drift()) == []
