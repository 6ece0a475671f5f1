"""Rules of product files: unique fields, `clean()`, and several pictures."""

import io
import zipfile

import pytest
from django.db import IntegrityError, models
from PIL import Image
from support import factories
from support.import_runs import (
    ada,
    create_applied,
    create_preview,
    csv_text,
    outcomes,
    problem_fields,
    row_values,
    undone,
)

from shop.models import Product
from shop.product_files.imports import runner
from shop.product_files.imports.preview import store_upload
from shop.services.change_sets.apply import apply_change_set
from shop.services.errors import ProductsChanged
from shop.services.products import update_product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ada")]
HEADERS = ("sku", "name", "price", "supplier_code", "brand", "weight")


def file_text(*rows):
    return csv_text(*rows, headers=HEADERS[: len(rows[0])])


def supplier_codes():
    return dict(Product.objects.values_list("sku", "supplier_code"))


def set_supplier_code(product, supplier_code):
    update_product(product_id=product.pk, actor=ada(), changes={"supplier_code": supplier_code})


def test_a_unique_value_is_refused_if_a_row_or_a_product_has_it(mug, lamp):
    set_supplier_code(mug, "100")
    change_set = create_preview(
        file_text(
            ("LAMP-1", "", "", "100"),
            ("MUG-1", "Cup", "", "100"),
            ("NEW-1", "Rug", "7", "200"),
            ("NEW-2", "Rug", "7", " 200"),
            ("NEW-3", "Rug", "7", ""),
            ("NEW-4", "Rug", "7", ""),
            ("NEW-5", "Rug", "7", "300"),
        )
    )
    assert row_values(change_set, "status") == [
        *[("error",)] * 4,
        *[("new",)] * 3,
    ]
    assert problem_fields(change_set) == {
        2: ["supplier_code", "supplier_code"],
        3: ["supplier_code"],
        4: ["supplier_code"],
        5: ["supplier_code"],
    }
    apply_change_set(change_set.pk, actor=ada(), good_only=True)
    assert supplier_codes() == {
        "MUG-1": "100",
        "LAMP-1": None,
        "NEW-3": None,
        "NEW-4": None,
        "NEW-5": "300",
    }


def test_a_cleared_unique_value_is_null_and_comes_back(mug, lamp):
    set_supplier_code(mug, "100")
    set_supplier_code(lamp, "200")
    change_set = create_applied(
        csv_text(("MUG-1", ""), ("LAMP-1", ""), headers=("sku", "supplier_code")),
        blank_cells="clear",
    )
    assert supplier_codes() == {"MUG-1": None, "LAMP-1": None}
    undone(change_set)
    assert supplier_codes() == {"MUG-1": "100", "LAMP-1": "200"}


@pytest.mark.parametrize("sku", ["LAMP-1", "NEW-1"])
def test_a_value_that_was_taken_after_the_preview_is_a_conflict(mug, lamp, sku):
    change_set = create_preview(file_text((sku, "Rug", "7", "100"), ("NEW-2", "Mat", "7", "200")))
    set_supplier_code(mug, "100")
    before = factories.all_rows()["Product"]
    with pytest.raises(ProductsChanged):
        apply_change_set(change_set.pk, actor=ada())
    assert factories.all_rows()["Product"] == before
    result = apply_change_set(change_set.pk, actor=ada(), good_only=True)
    assert (result["new"], result["left_out"]) == (1, 1)
    assert outcomes(change_set)[sku] == (
        "left_out",
        "Another product has the same value now: supplier code.",
    )


def test_a_race_for_a_value_changes_nothing(mug, monkeypatch):
    change_set = create_preview(file_text(("NEW-1", "Rug", "7", "100")))
    monkeypatch.setattr(
        "shop.services.change_sets.statements.leave_out_new_conflicts", lambda *_: 0
    )
    set_supplier_code(mug, "100")
    before = factories.all_rows()["Product"]
    with pytest.raises(ProductsChanged) as raised:
        apply_change_set(change_set.pk, actor=ada())
    assert isinstance(raised.value.__cause__, IntegrityError)
    assert "SKU" not in str(raised.value)
    assert factories.all_rows()["Product"] == before


def test_an_old_value_that_was_taken_after_the_import_is_not_restored(mug, lamp):
    set_supplier_code(mug, "100")
    change_set = create_applied(file_text(("MUG-1", "Cup", "13.50", "200")))
    set_supplier_code(lamp, "100")
    undone(change_set)
    assert supplier_codes() == {"MUG-1": "200", "LAMP-1": "100"}
    assert (Product.objects.get(pk=mug.pk).name, outcomes(change_set)["MUG-1"]) == (
        "Mug",
        ("not_undone", "Changed since, so not undone: supplier code."),
    )


@pytest.mark.parametrize("count", [1, 3])
def test_unique_values_and_rules_cost_a_constant_number_of_statements(
    mug, brand, count, statements
):
    from shop.product_files.imports.preview import preview_import  # noqa: PLC0415 - one test

    rows = [(f"NEW-{n}", "Rug", "7", str(n), "Kiln & Sons", "5") for n in range(count)]
    change_set = create_preview(file_text(*rows))
    with statements(14):
        preview_import(change_set)


def test_the_models_rule_is_checked_in_new_and_changed_rows(mug, lamp):
    factories.create_product("Old", sku="OLD-1", price="13.00")
    change_set = create_preview(
        file_text(
            ("MUG-1", "Cup", "13"),
            ("NEW-1", "Rug", "13.00"),
            ("LAMP-1", "Light", "14"),
            ("OLD-1", "Old", ""),
            ("NEW-2", "Rug", "12"),
        )
    )
    assert problem_fields(change_set) == {2: ["price"], 3: ["price"]}
    assert row_values(change_set, "status") == [
        ("error",),
        ("error",),
        ("changed",),
        ("unchanged",),
        ("new",),
    ]


def test_a_rule_sees_the_database_and_the_row(mug, brand, create_brand, monkeypatch, tags):
    create_brand("Far", is_local=True)
    update_product(product_id=mug.pk, actor=ada(), changes={"brand": brand, "weight": 5})
    seen = {}

    def clean(product):
        seen[product.sku or product.name] = (
            product.pk,
            product.weight,
            str(product.brand or ""),
            getattr(product.brand, "is_local", None),
            product.stock,
            product._state.adding,
        )
        product.colour = "red"

    monkeypatch.setattr(Product, "clean", clean)
    change_set = create_applied(
        csv_text(
            ("MUG-1", "Cup", "14", "", "12", "10", ""),
            ("NEW-1", "Rug", "7", "Far", "4", "", "7"),
            ("", "Mat", "7", "Zeta", "", "", ""),
            headers=("sku", "name", "price", "brand", "stock", "stock at export", "weight"),
        ),
        create_missing=["shop.brand"],
    )
    assert seen == {
        "MUG-1": (mug.pk, 5, "Kiln & Sons", False, 12, False),
        "NEW-1": (None, 7, "Far", True, 4, True),
        "Mat": (None, None, "Zeta", False, 0, True),
    }
    assert set(Product.objects.values_list("colour", flat=True)) == {"red"}
    undone(change_set)
    assert Product.objects.get(sku="MUG-1").colour == ""


def test_a_constraint_is_checked_before_it_is_applied(mug, monkeypatch):
    constraint = models.CheckConstraint(
        condition=~models.Q(name="Rug"), name="no_rugs", violation_error_message="No rugs."
    )
    monkeypatch.setattr(Product._meta, "constraints", [*Product._meta.constraints, constraint])
    change_set = create_preview(file_text(("NEW-1", "Rug", "7"), ("NEW-2", "Mat", "7")))
    assert row_values(change_set, "status") == [("error",), ("new",)]
    assert problem_fields(change_set) == {2: [""]}


def png(colour):
    out = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, "PNG")
    return out.getvalue()


def test_each_picture_column_sets_its_own_field(mug, lamp):
    lamp_before = Product.objects.filter(pk=lamp.pk).values().get()
    table = csv_text(
        ("MUG-1", "Mug", "a.png", "b.png"),
        ("LAMP-1", "Lamp", "", "b.png"),
        headers=("sku", "name", "picture", "back"),
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("table.csv", table)
        archive.writestr("a.png", png("red"))
        archive.writestr("b.png", png("blue"))
    change_set = store_upload(actor=ada(), name="spring.zip", content=packed.getvalue())
    runner.request_step(change_set.pk, runner.PREVIEW, actor=ada())
    runner.request_step(change_set.pk, runner.APPLY, actor=ada())
    cup, light = Product.objects.order_by("pk")
    assert cup.image.name != cup.back.name == light.back.name
    assert (bool(cup.image), bool(light.image)) == (True, False)
    change_set.refresh_from_db()
    assert (change_set.result["pictures"], change_set.warnings) == (3, [])

    undone(change_set)
    assert not any((p.image, p.back) != ("", "") for p in Product.objects.all())
    lamp_after = Product.objects.filter(pk=lamp.pk).values().get()
    assert lamp_after | {"updated_at": 0} == lamp_before | {"updated_at": 0}


def test_other_files_are_not_imported(mug):
    change_set = create_preview(
        csv_text(("MUG-1", "Mug", "manual.pdf"), headers=("sku", "name", "manual"))
    )
    assert change_set.detected["unknown_headers"] == ["manual"]
