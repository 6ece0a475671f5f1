"""The error report: in the file's own columns, and importable once corrected."""

import io

import openpyxl
import pytest
from support.import_runs import catalogue, create_applied, create_preview

from shop.models import ChangeSet
from shop.product_files.imports.error_report import build_error_report
from shop.product_files.imports.preview import open_upload, preview_import, store_upload

pytestmark = pytest.mark.usefixtures("ada")


def reimport_corrected(change_set, *corrections):
    """Replace text in the error report, upload it as a new import and preview it."""
    name, content = build_error_report(change_set)
    text = content.decode("utf-8-sig")
    for wrong, right in corrections:
        assert wrong in text
        text = text.replace(wrong, right)
    again = store_upload(actor=change_set.actor, name=name, content=text.encode())
    preview_import(again)
    return again


def statuses(change_set):
    return list(change_set.rows.order_by("number").values_list("sku", "name", "status"))


def test_report_has_the_files_columns_and_delimiter():
    change_set = create_preview("Artikel;sku;name;price\nx;A;Vase;cheap\ny;B;Jug;3,00\n;C;;\n")
    name, content = build_error_report(change_set)
    assert name == "spring errors.csv"
    lines = content.decode("utf-8-sig").split("\r\n")
    assert lines[0] == "errors;suggestions;Artikel;sku;name;price"
    assert lines[1].endswith(";x;A;Vase;cheap")
    assert (lines[1].startswith("Price: "), len(lines)) == (True, 4)


def test_valid_and_corrected_rows_are_all_rows():
    text = "sku;name;price\nA;Vase;cheap\nB;Jug;3,00\nC;;5,00\n"
    change_set = create_applied(text, good_only=True)
    again = reimport_corrected(change_set, ("cheap", "4,50"), (";C;;", ";C;Bowl;"))
    assert statuses(again) == [("A", "Vase", "new"), ("C", "Bowl", "new")]
    assert again.detected["unknown_headers"] == ["errors", "suggestions"]
    from shop.services.change_sets.apply import apply_change_set  # noqa: PLC0415

    apply_change_set(again.pk, actor=again.actor)
    products = {sku: (row["name"], str(row["price"])) for sku, row in catalogue().items()}
    assert products == {"A": ("Vase", "4.50"), "B": ("Jug", "3.00"), "C": ("Bowl", "5.00")}


def test_report_of_a_report_has_its_columns_once():
    again = reimport_corrected(create_preview("sku,name,price\nA,Vase,cheap\n"))
    assert statuses(again) == [("A", "Vase", "error")]
    assert build_error_report(again)[0] == "spring errors.csv"
    header = build_error_report(again)[1].decode("utf-8-sig").splitlines()[0]
    assert header == "errors,suggestions,sku,name,price"


def test_row_with_too_many_cells_can_be_corrected():
    change_set = create_preview("sku,name,price\nA,Vase, blue,3.00\n")
    again = reimport_corrected(change_set, ("Vase, blue", '"Vase, blue"'))
    assert statuses(again) == [("A", "Vase, blue", "new")]


def test_formulas_are_escaped_and_imported_unchanged():
    again = reimport_corrected(
        create_preview("sku,name,price,description\nA,Vase,cheap,=1+1\nB,Jug,cheap,'=2\n"),
        ("cheap", "3"),
    )
    assert (
        ",'=1+1"
        in build_error_report(create_preview("sku,name,price,description\nA,V,x,=1+1\n"))[
            1
        ].decode()
    )
    assert [row.after["description"] for row in again.rows.order_by("number")] == ["=1+1", "=2"]


SHOPIFY = (
    "Handle,Title,Body (HTML),Published,Option1 Name,Option1 Value,Variant SKU,"
    "Variant Inventory Qty,Variant Price,Image Src\n"
    "tee,Tee,<p>Soft</p>,TRUE,Size,S,,3,20,\n"
    "tee,,,,,M,,4,cheap,\n"
)


def test_shopify_variant_keeps_the_values_of_its_first_row():
    again = reimport_corrected(create_preview(SHOPIFY), ("cheap", "20"))
    assert again.detected["file_format"] == "shopify"
    row = again.rows.get()
    assert (row.sku, row.name, row.status) == ("tee-m", "Tee / M", "new")
    assert (row.after["description"], row.after["is_active"]) == ("Soft", True)


WOOCOMMERCE = (
    "ID,Type,SKU,Name,Published,Description,In stock?,Stock,Regular price,Parent,"
    "Attribute 1 value(s)\n"
    "1,variable,TEE,Tee,1,Soft,1,,,,\n"
    "2,variable,CAP,Cap,1,Warm,1,,,,\n"
    "3,variation,TEE-S,,1,,1,3,20,TEE,S\n"
    "4,variation,TEE-M,,1,,1,3,cheap,id:1,M\n"
)


def test_woocommerce_variation_is_reported_with_its_parent():
    change_set = create_preview(WOOCOMMERCE)
    again = reimport_corrected(change_set, ("cheap", "20"))
    assert again.detected["file_format"] == "woocommerce"
    assert statuses(again) == [("", "", "skipped"), ("TEE-M", "Tee / M", "new")]
    assert again.rows.get(sku="TEE-M").after["description"] == "Soft"


def test_report_of_an_xlsx_file_is_xlsx():
    book = openpyxl.Workbook()
    for row in (["sku", "name", "price"], ["A", "Vase", "cheap"], ["090.750", "=Jug", "dear"]):
        book.active.append(row)
    book.active["B3"].data_type = "s"
    content = io.BytesIO()
    book.save(content)
    change_set = store_upload(
        actor=ChangeSet.actor.field.related_model.objects.get(),
        name="a.xlsx",
        content=content.getvalue(),
    )
    preview_import(change_set)
    name, report = build_error_report(change_set)
    assert name == "a errors.xlsx"
    rows = list(openpyxl.load_workbook(io.BytesIO(report)).active.iter_rows(values_only=True))
    assert [row[2:] for row in rows] == [
        ("sku", "name", "price"),
        ("A", "Vase", "cheap"),
        ("090.750", "'=Jug", "dear"),
    ]
    again = store_upload(actor=change_set.actor, name=name, content=report)
    assert open_upload(again)[0].format == "XLSX"


def test_xlsx_report_keeps_surplus_cells_and_drops_control_characters():
    change_set = create_preview("sku,name,price\nA,Vase, blue,3.00\nB,Ju\x07g,4\n")
    change_set.detected["file_type"] = "XLSX"
    _name, report = build_error_report(change_set)
    rows = list(openpyxl.load_workbook(io.BytesIO(report)).active.iter_rows(values_only=True))
    assert [row[2:] for row in rows] == [
        ("sku", "name", "price", None),
        ("A", "Vase", " blue", "3.00"),
        ("B", "Jug", "4", None),
    ]
