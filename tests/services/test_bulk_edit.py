"""Edits of many products in a table: validated, guarded cell by cell, and undone as one."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from support import factories
from support.concurrency import on_postgresql, run_concurrently

from shop import exposure
from shop.models import AuditEntry, ChangeSet, Product
from shop.services import crud, products
from shop.services.bulk_edit import CellEdit, CellProblem, edit_products, table_fields
from shop.services.change_sets.undo import undo_change_set
from shop.services.errors import CellsRefused


def cell(product, name, value, *, shown=None):
    """An edit of what the product holds, or of another value that was shown."""
    old = exposure.get_field(Product, name).value_from_object(product) if shown is None else shown
    return CellEdit(product.pk, name, value, lambda current: current == old)


def problems(refusal):
    found = refusal.value.details["problems"]
    return {(problem.product_id, problem.name, problem.kind) for problem in found}


def test_cells_are_saved_as_one_change_set_and_undone(ada, mug, lamp):
    change_set = edit_products(
        edits=[
            cell(mug, "name", " Big mug "),
            cell(mug, "price", Decimal("13.00")),
            cell(lamp, "is_active", value=False),
            cell(lamp, "name", "Lamp"),
        ],
        actor=ada,
    )
    assert (change_set.kind, change_set.actor) == (ChangeSet.Kind.EDIT, ada)
    assert change_set.counts == {"changed": 2}
    rows = dict(change_set.rows.values_list("sku", "after"))
    assert rows == {"MUG-1": {"name": "Big mug", "price": "13.00"}, "LAMP-1": {"is_active": False}}
    entries = AuditEntry.objects.filter(change_set=change_set)
    assert set(entries.values_list("record_id", flat=True)) == {str(mug.pk), str(lamp.pk)}
    values = Product.objects.order_by("pk").values_list("name", "price", "is_active", "stock")
    assert list(values.all()) == [
        ("Big mug", Decimal("13.00"), True, 10),
        ("Lamp", Decimal("49.90"), False, 5),
    ]
    undo_change_set(change_set.pk, actor=ada)
    assert list(values.all()) == [
        ("Mug", Decimal("12.50"), True, 10),
        ("Lamp", Decimal("49.90"), True, 5),
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", ""),
        ("name", "a" * 201),
        ("price", Decimal(-1)),
        ("price", None),
        ("price", Decimal("1.005")),
        ("low_stock_threshold", -1),
        ("tax_rate", Decimal(101)),
        ("description", "a\u202eb"),
    ],
)
def test_a_value_that_breaks_a_rule_saves_nothing(refused, ada, mug, lamp, name, value):
    with refused(CellsRefused) as refusal:
        edit_products(edits=[cell(mug, name, value), cell(lamp, "name", "Light")], actor=ada)
    assert problems(refusal) == {(mug.pk, name, "invalid")}


def test_a_rule_of_the_model_is_told_at_its_field(refused, ada, mug, monkeypatch):
    def clean(product):
        if product.price == 13:
            raise ValidationError({"price": "Choose another.", "stock": "Or sell it."})

    monkeypatch.setattr(Product, "clean", clean)
    with refused(CellsRefused) as refusal:
        edit_products(edits=[cell(mug, "price", Decimal(13))], actor=ada)
    assert problems(refusal) == {(mug.pk, "price", "invalid"), (mug.pk, "stock", "invalid")}


def test_an_error_of_the_whole_record_belongs_to_its_row(refused, ada, mug, monkeypatch):
    def clean(product):
        raise ValidationError("Not today.")

    monkeypatch.setattr(Product, "clean", clean)
    with refused(CellsRefused) as refusal:
        edit_products(edits=[cell(mug, "name", "Cup")], actor=ada)
    assert problems(refusal) == {(mug.pk, "", "invalid")}


def test_a_value_that_another_user_changed_is_a_conflict(refused, ada, mug, lamp):
    bea = factories.create_user("Bea", "Second", **factories.SUPERUSER_FIELDS)
    products.update_product(product_id=mug.pk, actor=bea, changes={"price": Decimal(13)})
    edits = [
        cell(mug, "price", Decimal(14), shown=Decimal("12.50")),
        cell(mug, "name", "Cup"),
        cell(lamp, "price", Decimal(50)),
    ]
    with refused(CellsRefused) as refusal:
        edit_products(edits=edits, actor=ada)
    [problem] = refusal.value.details["problems"]
    assert problem == CellProblem(
        mug.pk, "price", "changed", current=Decimal("13.00"), editor="Bea Second"
    )
    edits[0] = cell(mug, "price", Decimal(14), shown=Decimal(13))
    edit_products(edits=edits, actor=ada)
    assert Product.objects.get(pk=mug.pk).price == 14


def test_the_same_edit_by_two_users_is_no_conflict(ada, mug, lamp):
    edits = [
        cell(mug, "price", Decimal("12.50"), shown=Decimal(9)),
        cell(lamp, "price", Decimal(50)),
    ]
    change_set = edit_products(edits=edits, actor=ada)
    assert change_set.counts == {"changed": 1}


def test_an_edit_of_nothing_is_refused(refused, ada, mug):
    with refused(ValidationError):
        edit_products(edits=[cell(mug, "name", "Mug")], actor=ada)


def test_a_removed_product_and_problems_of_the_caller_are_told_together(refused, ada, mug, lamp):
    gone = CellEdit(lamp.pk + 1, "name", "Ghost", lambda _value: True)
    typo = CellProblem(mug.pk, "price", "invalid", "Enter a number.")
    with refused(CellsRefused) as refusal:
        edit_products(edits=[gone, cell(lamp, "name", "")], actor=ada, problems=[typo])
    assert problems(refusal) == {
        (gone.product_id, "", "removed"),
        (mug.pk, "price", "invalid"),
        (lamp.pk, "name", "invalid"),
    }


def test_the_table_has_the_fields_with_one_value_but_the_sku():
    names = [field.name for field in table_fields()]
    assert {"name", "description", "price", "is_active", "low_stock_threshold", "tax_rate"} <= set(
        names
    )
    assert not {"sku", "image", "stock", "created_at", "search_text"} & set(names)


def test_statements_do_not_grow_with_rows(ada):
    def count(number):
        made = [factories.create_product(f"Mug {n}") for n in range(number)]
        edits = [cell(product, "price", Decimal(number + 20)) for product in made]
        with CaptureQueriesContext(connection) as queries:
            edit_products(edits=edits, actor=ada)
        return len(queries)

    assert count(1) == count(3)


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_edits_of_one_cell_at_the_same_time_one_is_told_of_the_other(ada, mug, lamp):
    """Whichever is first locks the products; the other one compares what it then reads."""

    def edit(price):
        def call():
            edits = [cell(mug, "price", Decimal(price)), cell(lamp, "name", f"Lamp {price}")]
            try:
                return edit_products(edits=edits, actor=ada)
            except CellsRefused as error:
                return {problem.kind for problem in error.details["problems"]}
            finally:
                connection.close()

        return call

    results = run_concurrently(edit(13), edit(14))
    assert [result for result in results if not isinstance(result, ChangeSet)] == [{"changed"}]
    [change_set] = ChangeSet.objects.all()
    saved = Product.objects.get(pk=mug.pk).price
    assert change_set.rows.get(sku="MUG-1").after == {"price": str(saved)}
    assert Product.objects.get(pk=lamp.pk).name == f"Lamp {saved:.0f}"


def test_values_that_are_known_to_be_unique_are_not_looked_up(mug, statements):
    with statements(0):
        crud.validate_fields(mug, ["name", "price"], is_unique=True)
