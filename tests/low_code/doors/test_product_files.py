"""Relations in product files: out and in by name, with preview, conflicts and undo."""

import csv

import pytest
from django.apps import apps
from django.db import IntegrityError, connection
from support import factories
from support.import_runs import (
    ada,
    create_applied,
    create_preview,
    csv_text,
    outcomes,
    row_messages,
    row_values,
    undone,
)

from shop.models import Product
from shop.product_files.exports.product_export import export_products
from shop.product_files.exports.sample_file import build_sample_file
from shop.product_files.imports.error_report import build_error_report
from shop.product_files.imports.preview import preview_import
from shop.services.change_sets.apply import apply_change_set
from shop.services.change_sets.undo import undo_change_set
from shop.services.errors import ProductsChanged
from shop.services.products import update_product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ada")]
HEADERS = ("sku", "name", "price", "brand", "tags")


def file_text(*rows):
    return csv_text(*rows, headers=HEADERS)


def exported_rows(file_format="csv"):
    chunks = export_products(
        Product.objects.all(), layout="own", file_format=file_format, build_url=str
    )
    text = b"".join(chunks).decode("utf-8-sig")
    return text, list(csv.DictReader(text.splitlines()))


def links(sku):
    """Return the product's brand and tags, by name."""
    product = Product.objects.get(sku=sku)
    return str(product.brand or ""), sorted(map(str, product.tags.all()))


def problems(change_set):
    rows = change_set.rows.exclude(problems=[]).order_by("number")
    return {row.sku: [(p["field"], p["suggestion"]) for p in row.problems] for row in rows}


@pytest.fixture
def branded(mug, brand, tags, create_tag):
    """The mug with a brand and two tags, one of which must be quoted in a cell."""
    salt = create_tag('salt; "fine"')
    update_product(
        product_id=mug.pk, actor=ada(), changes={"brand": brand, "tags": [tags[0], salt]}
    )
    return Product.objects.get(pk=mug.pk)


def test_export_names_what_products_refer_to(branded, lamp):
    _text, rows = exported_rows()
    assert [(row["brand"], row["tags"]) for row in rows] == [
        ("Kiln & Sons", 'gift; "salt; ""fine"""'),
        ("", ""),
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_export_reads_products_once_and_each_related_model_once(
    branded, brand, tags, count, statements
):
    for number in range(count):
        product = factories.create_product(f"Cup {number}", brand=brand)
        product.tags.set(tags)
    with statements(3):  # products, brands, tags
        exported_rows()


def test_an_exported_file_changes_nothing(branded, lamp):
    text, _rows = exported_rows()
    assert set(row_values(create_preview(text), "status")) == {("unchanged",)}


def test_the_sample_file_is_valid(branded):
    [row] = csv.DictReader(build_sample_file().decode("utf-8-sig").splitlines())
    assert (row["brand"], row["tags"]) == ("Kiln & Sons", "gift; mug")
    assert row_values(create_preview(build_sample_file()), "status") == [("new",)]


def test_rows_are_applied_and_undone(branded, lamp, tags):
    text = file_text(
        ("MUG-1", "", "", "", "mug; gift ;mug"),
        ("LAMP-1", "", "", "kiln  & SONS", "MUG"),
        ("NEW-1", "Rug", "7", "Kiln & Sons", '"salt; ""fine""";gift'),
        ("NEW-2", "Mat", "8", "", ""),
    )
    before = factories.all_rows()
    change_set = create_preview(text)
    assert row_values(change_set, "status") == [("changed",), ("changed",), ("new",), ("new",)]
    stored = {"ImportFile", "ChangeSet", "ChangeRow"}
    after = factories.all_rows()
    assert {name for name in after if after[name] != before[name]} == stored
    apply_change_set(change_set.pk, actor=ada())
    assert {sku: links(sku) for sku in ("MUG-1", "LAMP-1", "NEW-1", "NEW-2")} == {
        "MUG-1": ("Kiln & Sons", ["gift", "mug"]),
        "LAMP-1": ("Kiln & Sons", ["mug"]),
        "NEW-1": ("Kiln & Sons", ["gift", 'salt; "fine"']),
        "NEW-2": ("", []),
    }
    assert set(row_values(create_preview(text), "status")) == {("unchanged",)}
    undone(change_set)
    assert links("MUG-1") == ("Kiln & Sons", ["gift", 'salt; "fine"'])
    assert links("LAMP-1") == ("", [])
    assert not Product.objects.filter(sku__startswith="NEW").exists()
    assert set(outcomes(change_set).values()) == {("undone", "")}


def test_order_and_doubles_of_names_make_no_change(branded):
    row = ("MUG-1", "", "", "KILN & SONS", '"salt; ""fine"""; gift; Gift')
    assert row_values(create_preview(file_text(row)), "status") == [("unchanged",)]


def test_blank_cells_clear_if_asked_to(branded):
    text = file_text(("MUG-1", "Mug", "12.50", "", ""))
    assert row_values(create_preview(text), "status") == [("unchanged",)]
    change_set = create_applied(text, blank_cells="clear")
    assert links("MUG-1") == ("", [])
    undone(change_set)
    assert links("MUG-1") == ("Kiln & Sons", ["gift", 'salt; "fine"'])


def test_unknown_names_are_errors_with_the_nearest_name(branded, brand):
    change_set = create_preview(
        file_text(
            ("A", "Cup", "7", "Kiln & Son", ""),
            ("B", "Cup", "7", str(brand.pk), ""),
            ("C", "Cup", "7", "Kiln & Sons", "gift; gfit; xyz"),
        )
    )
    assert row_values(change_set, "status") == [("error",)] * 3
    assert problems(change_set) == {
        "A": [("brand", "Did you mean “Kiln & Sons”?")],
        "B": [("brand", "")],
        "C": [("tags", "Did you mean “gift”?")],
    }
    assert row_messages(change_set)[2] == ["Brand: “Kiln & Son” doesn't exist."]
    assert row_messages(change_set)[4] == ["Tags: “gfit”, “xyz” don't exist."]
    _name, content = build_error_report(change_set)
    reported = list(csv.reader(content.decode("utf-8-sig").splitlines()))
    assert reported[1][1] == "Did you mean “Kiln & Sons”?"


def test_a_name_that_differs_in_case_must_be_the_only_one(create_brand):
    create_brand("POTTER")
    create_brand("potter")
    rows = [(str(n), "Cup", "7", name, "") for n, name in enumerate(("POTTER", "potter", "Potter"))]
    assert row_values(create_preview(file_text(*rows)), "status") == [
        ("new",),
        ("new",),
        ("error",),
    ]


def test_an_edit_after_the_preview_is_a_conflict(branded, lamp, tags):
    change_set = create_preview(
        file_text(("MUG-1", "", "", "", "mug"), ("LAMP-1", "", "", "Kiln & Sons", "mug"))
    )
    update_product(product_id=branded.pk, actor=ada(), changes={"tags": tags})
    with pytest.raises(ProductsChanged):
        apply_change_set(change_set.pk, actor=ada())
    assert (links("MUG-1")[1], links("LAMP-1")) == (["gift", "mug"], ("", []))

    result = apply_change_set(change_set.pk, actor=ada(), good_only=True)
    assert result == {"new": 0, "changed": 1, "left_out": 1}
    assert (links("MUG-1")[1], links("LAMP-1")) == (["gift", "mug"], ("Kiln & Sons", ["mug"]))
    assert outcomes(change_set)["MUG-1"] == (
        "left_out",
        "It was edited after the preview: tags.",
    )
    undone(change_set)
    assert (links("MUG-1")[1], links("LAMP-1")) == (["gift", "mug"], ("", []))


def test_an_edit_after_the_import_is_kept(branded, lamp, tags, create_brand):
    change_set = create_applied(
        file_text(
            ("MUG-1", "Cup", "", "", "mug"),
            ("LAMP-1", "Light", "", "Kiln & Sons", "mug"),
            ("NEW-1", "Rug", "7", "", "mug"),
            ("NEW-2", "Mat", "7", "", "mug"),
        )
    )
    update_product(product_id=branded.pk, actor=ada(), changes={"tags": tags})
    update_product(product_id=lamp.pk, actor=ada(), changes={"brand": create_brand("Acme")})
    rug = Product.objects.get(sku="NEW-1")
    update_product(product_id=rug.pk, actor=ada(), changes={"tags": []})
    undone(change_set)
    assert (links("MUG-1"), links("LAMP-1")) == (
        ("Kiln & Sons", ["gift", "mug"]),
        ("Acme", []),
    )
    assert (Product.objects.get(pk=branded.pk).name, links("NEW-1")) == ("Mug", ("", []))
    assert outcomes(change_set) == {
        "MUG-1": ("not_undone", "Changed since, so not undone: tags."),
        "LAMP-1": ("not_undone", "Changed since, so not undone: brand."),
        "NEW-1": ("not_undone", "It was edited since: tags."),
        "NEW-2": ("undone", ""),
    }


@pytest.mark.parametrize("removed", ["brand", "tag"])
def test_what_was_removed_after_the_preview_is_a_conflict(
    lamp, create_brand, create_tag, unchanged, removed
):
    acme, old = create_brand("Acme"), create_tag("old")
    create_brand("Zeta")
    change_set = create_preview(
        file_text(
            ("LAMP-1", "", "", "Acme", "old"),
            ("NEW-1", "Rug", "7", "Acme", "old"),
            ("NEW-2", "Mat", "7", "Zeta", ""),
        )
    )
    (acme if removed == "brand" else old).delete()
    with pytest.raises(ProductsChanged):
        apply_change_set(change_set.pk, actor=ada())
    assert (Product.objects.count(), links("LAMP-1")) == (1, ("", []))
    result = apply_change_set(change_set.pk, actor=ada(), good_only=True)
    assert result == {"new": 1, "changed": 0, "left_out": 2}
    assert (links("LAMP-1"), links("NEW-2")) == (("", []), ("Zeta", []))


def test_what_was_removed_after_the_import_is_not_restored(branded, create_brand, tags):
    create_brand("Acme")
    change_set = create_applied(file_text(("MUG-1", "Cup", "", "Acme", "mug")))
    apps.get_model("shop", "Brand").objects.get(name="Kiln & Sons").delete()
    tags[0].delete()
    undone(change_set)
    assert links("MUG-1") == ("Acme", ['salt; "fine"'])
    assert Product.objects.get(pk=branded.pk).name == "Mug"
    assert outcomes(change_set)["MUG-1"][0] == "not_undone"


def test_a_constraint_that_fails_at_last_is_no_matter_of_skus(branded, monkeypatch, unchanged):
    change_set = create_preview(file_text(("NEW-1", "Rug", "7", "Kiln & Sons", "")))

    def fail(*_):
        raise IntegrityError("FOREIGN KEY constraint failed")

    monkeypatch.setattr("shop.services.change_sets.statements.add_products", fail)
    with pytest.raises(ProductsChanged) as raised:
        apply_change_set(change_set.pk, actor=ada())
    assert "SKU" not in str(raised.value)
    assert not Product.objects.filter(sku="NEW-1").exists()


@pytest.mark.parametrize("count", [1, 3, 3000])
def test_statement_counts_do_not_grow(branded, lamp, count, statements):
    rows = [(f"NEW-{n}", "Rug", "7", "Kiln & Sons", "mug; gift") for n in range(count)]
    text = file_text(("MUG-1", "", "", "", "mug"), ("LAMP-1", "", "", "Kiln & Sons", "mug"), *rows)
    change_set, actor = create_preview(text), ada()
    is_postgresql = connection.vendor == "postgresql"
    with statements(16 + is_postgresql):
        apply_change_set(change_set.pk, actor=actor)
    assert Product.tags.through.objects.count() == 2 + 2 * count
    with statements(20 + is_postgresql):
        undo_change_set(change_set.pk, actor=actor)
    assert Product.tags.through.objects.count() == 2


@pytest.mark.parametrize("count", [1, 3])
def test_previewing_reads_each_related_model_once(branded, count, statements):
    rows = [(f"NEW-{n}", "Rug", "7", "Kiln & Sons", "mug") for n in range(count)]
    change_set = create_preview(file_text(*rows))
    with statements(14):
        preview_import(change_set)
