"""New fields and relations of products are edited in the table."""

import datetime
import json
from decimal import Decimal

import pytest
from django.utils import timezone
from low_code.doors.admin.pages import PRODUCTS
from support import factories

from shop.admin.products import table_columns
from shop.models import ChangeSet, Product
from shop.services.change_sets.undo import undo_change_set

TABLE = f"{PRODUCTS}table/"


def open_table(browser, *products):
    return browser.get(f"{TABLE}?ids={','.join(str(product.pk) for product in products)}")


def save(browser, cells):
    sent = {product.pk: row for product, row in cells.items()}
    return browser.post(TABLE, {"cells": json.dumps(sent)})


def shown(response):
    """Return field -> the text that the first row shows."""
    return {
        cell["column"].name: cell["shown"] for cell in response.context["table"].rows[0]["cells"]
    }


def errors(response):
    return {
        (row["product"].name, cell["column"].name)
        for row in response.context["table"].rows
        for cell in row["cells"]
        if cell["errors"]
    }


def test_fields_of_each_kind_are_columns(adas_browser, mug):
    columns = {c.name: c.control for c in open_table(adas_browser, mug).context["table"].columns}
    expected = {
        "colour": "text",
        "season": "select",
        "weight": "number",
        "is_fragile": "checkbox",
        "released_on": "date",
        "drawn_at": "datetime-local",
        "tare": "number",
        "site": "text",
        "facts": "long",
        "cost": "number",
        "supplier_code": "text",
        "brand": "select",
    }
    assert expected.items() <= columns.items()
    assert not {"tags", "back", "manual", "image", "views", "sku", "stock"} & columns.keys()


def test_each_kind_of_field_is_saved_and_undone(adas_browser, ada, mug, create_brand):
    nova = create_brand("Nova")
    before = Product.objects.values().get()
    new = {
        "colour": "Blue",
        "season": "aw",
        "weight": "250",
        "is_fragile": "",
        "released_on": "2027-01-02",
        "drawn_at": "2027-01-02T03:04:05",
        "tare": "2,5",
        "site": "",
        "facts": '{"oven": 1}',
        "cost": "4",
        "supplier_code": "",
        "brand": str(nova.pk),
    }
    old = shown(open_table(adas_browser, mug))
    response = save(adas_browser, {mug: {name: [old[name], text] for name, text in new.items()}})
    assert response.status_code == 302, errors(response)
    mug.refresh_from_db()
    assert (mug.colour, mug.season, mug.weight, mug.is_fragile) == ("Blue", "aw", 250, False)
    assert (mug.released_on, mug.tare, mug.cost) == (
        datetime.date(2027, 1, 2),
        Decimal("2.500"),
        Decimal(4),
    )
    assert timezone.localtime(mug.drawn_at).isoformat().startswith(new["drawn_at"])
    assert (mug.site, mug.facts, mug.supplier_code, mug.brand) == ("", {"oven": 1}, None, nova)
    undo_change_set(ChangeSet.objects.get().pk, actor=ada)
    after = Product.objects.values().get()
    assert {name for name in before if before[name] != after[name]} <= {"updated_at"}


def test_values_that_a_field_refuses_are_told_at_their_cells(adas_browser, mug, lamp, jug):
    before = factories.all_rows()["Product"]
    response = save(
        adas_browser,
        {
            mug: {"season": ["ss", "xx"], "weight": ["300", "5001"], "price": ["12.50", "13"]},
            lamp: {"brand": [str(lamp.brand_id), "0"], "supplier_code": ["", "4006381333931"]},
            jug: {"facts": ["{}", "{"], "released_on": ["", "soon"], "colour": ["", "x" * 13]},
        },
    )
    assert errors(response) == {
        ("Mug", "season"),
        ("Mug", "weight"),
        ("Mug", "price"),  # by the rule in clean()
        ("Lamp", "brand"),
        ("Lamp", "supplier_code"),  # the mug's
        ("Jug", "facts"),
        ("Jug", "released_on"),
        ("Jug", "colour"),
    }
    assert factories.all_rows()["Product"] == before


def test_two_cells_with_one_unique_value_are_both_refused(adas_browser, lamp, jug):
    row = {"supplier_code": ["", "12345670"]}
    response = save(adas_browser, {lamp: row, jug: row})
    assert errors(response) == {("Lamp", "supplier_code"), ("Jug", "supplier_code")}
    assert not Product.objects.filter(supplier_code="12345670").exists()


def test_a_conflict_of_a_relation_names_the_record(adas_browser, mug, create_brand):
    nova, lux = create_brand("Nova"), create_brand("Lux")
    old = shown(open_table(adas_browser, mug))
    Product.objects.update(brand=nova)
    response = save(adas_browser, {mug: {"brand": [old["brand"], str(lux.pk)]}})
    [cell] = [
        cell
        for cell in response.context["table"].rows[0]["cells"]
        if cell["column"].name == "brand"
    ]
    assert (cell["shown"], cell["theirs"]) == (str(nova.pk), "Nova")
    assert Product.objects.get().brand == nova


def test_a_relation_to_too_many_records_is_left_out(adas_browser, mug, lamp, monkeypatch):
    monkeypatch.setattr(table_columns, "MAX_CHOICES", 1)
    table = open_table(adas_browser, mug).context["table"]
    assert "brand" not in {column.name for column in table.columns}
    assert table.left_out == ["Brand"]


@pytest.mark.parametrize("count", [1, 3])
def test_statements_do_not_grow_with_rows(adas_browser, mug, lamp, jug, statements, count):
    chosen = [mug, lamp, jug][:count]
    open_table(adas_browser, *chosen)  # which fills caches
    with statements(5):
        open_table(adas_browser, *chosen)
    cells = {
        product: {"brand": [str(product.brand_id or ""), str(mug.brand_id)], "colour": ["?", "x"]}
        for product in chosen
    }
    with statements(8):
        response = save(adas_browser, cells)
    assert errors(response) == {(product.name, "colour") for product in chosen}
