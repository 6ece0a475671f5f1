"""Products are edited in a table: rights, once only, errors and conflicts at their cells."""

import json
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from support import factories

from shop.admin.products import actions
from shop.models import ChangeSet, Product
from shop.services import products

LIST, TABLE = "/admin/shop/product/", "/admin/shop/product/table/"


@pytest.fixture
def bea(db):
    return factories.create_user("Bea", "Second", **factories.SUPERUSER_FIELDS)


def url(*rows, query=""):
    return f"{TABLE}?ids={','.join(str(product.pk) for product in rows)}&list={query}"


def save(browser, page_url, cells, **values):
    """Send changed cells, {product: {field: (old, new)}}, with the form key of the page."""
    key = dict(browser.get(page_url).context["hidden"])["once"]
    sent = {product.pk: row for product, row in cells.items()}
    return browser.post(page_url, {"once": key, "cells": json.dumps(sent), **values}, follow=True)


def cells_of(response):
    """Return (SKU, field) -> cell of the table that is shown."""
    return {
        (row["product"].sku, cell["column"].name): cell
        for row in response.context["table"].rows
        for cell in row["cells"]
    }


def errors_of(response):
    return {key for key, cell in cells_of(response).items() if cell["errors"]}


def values_of():
    return list(Product.objects.order_by("pk").values_list("name", "price", "is_active"))


def test_the_action_leads_to_the_table_and_back_to_the_list(adas_browser, mug, lamp):
    data = {"action": "edit_in_table", "_selected_action": [mug.pk, lamp.pk]}
    response = adas_browser.post(f"{LIST}?is_active__exact=1&o=2", data)
    page = adas_browser.get(response["Location"])
    assert [row["product"] for row in page.context["table"].rows] == [lamp, mug]  # by name
    response = save(adas_browser, response["Location"], {mug: {"name": ["Mug", "Cup"]}})
    assert response.redirect_chain == [(f"{LIST}?is_active__exact=1&o=2", 302)]
    assert [message.level_tag for message in response.context["messages"]] == ["success"]


def test_changed_cells_are_saved_as_one_change_set(adas_browser, ada, mug, lamp):
    cells = {
        mug: {"name": ["Mug", " Cup "], "price": ["12.50", "13,5"]},
        lamp: {"is_active": ["1", ""], "tax_rate": ["", "7"]},
    }
    save(adas_browser, url(mug, lamp), cells)
    assert values_of() == [("Cup", Decimal("13.50"), True), ("Lamp", Decimal("49.90"), False)]
    assert Product.objects.get(pk=lamp.pk).tax_rate == 7
    change_set = ChangeSet.objects.get()
    assert (change_set.kind, change_set.actor, change_set.counts) == ("edit", ada, {"changed": 2})


def test_a_table_sent_twice_is_saved_once(adas_browser, mug):
    page = adas_browser.get(url(mug))
    data = {
        "once": dict(page.context["hidden"])["once"],
        "cells": json.dumps({mug.pk: {"name": ["Mug", "Cup"]}}),
    }
    adas_browser.post(url(mug), data, follow=True)
    Product.objects.update(name="Mug")
    response = adas_browser.post(url(mug), data, follow=True)
    assert [message.level_tag for message in response.context["messages"]] == ["info"]
    assert (values_of()[0][0], ChangeSet.objects.count()) == ("Mug", 1)


def test_errors_are_at_their_cells_and_nothing_is_saved(adas_browser, mug, lamp):
    before = factories.all_rows()
    cells = {
        mug: {"name": ["Mug", ""], "price": ["12.50", "cheap"], "low_stock_threshold": ["5", "-1"]},
        lamp: {"name": ["Lamp", "Light"], "price": ["49.90", "-1"]},
    }
    response = save(adas_browser, url(mug, lamp), cells)
    assert errors_of(response) == {
        ("MUG-1", "name"),
        ("MUG-1", "price"),
        ("MUG-1", "low_stock_threshold"),
        ("LAMP-1", "price"),
    }
    cell = cells_of(response)["LAMP-1", "name"]
    assert (cell["shown"], cell["typed"]) == ("Lamp", "Light")
    assert factories.all_rows() == before


def test_a_conflict_is_told_at_its_cell_and_saving_again_keeps_mine(adas_browser, bea, mug, lamp):
    products.update_product(product_id=mug.pk, actor=bea, changes={"price": Decimal(13)})
    cells = {mug: {"price": ["12.50", "14"], "name": ["Mug", "Cup"]}}
    response = save(adas_browser, url(mug, lamp), cells)
    assert errors_of(response) == {("MUG-1", "price")}
    cell = cells_of(response)["MUG-1", "price"]
    assert (cell["shown"], cell["typed"], cell["theirs"]) == ("13.00", "14", "13.00")
    assert "Bea Second" in cell["errors"][0]
    assert values_of()[0] == ("Mug", Decimal("13.00"), True)

    cells[mug]["price"] = [cell["shown"], "14"]
    save(adas_browser, url(mug, lamp), cells)
    assert values_of()[0] == ("Cup", Decimal("14.00"), True)


def test_a_rule_of_the_model_at_another_field_is_told_at_the_row(adas_browser, mug, monkeypatch):
    def clean(product):
        raise ValidationError({"stock": "Sell it first."})

    monkeypatch.setattr(Product, "clean", clean)
    response = save(adas_browser, url(mug), {mug: {"name": ["Mug", "Cup"]}})
    assert [row["errors"] for row in response.context["table"].rows] == [["Sell it first."]]
    assert values_of()[0][0] == "Mug"


def test_a_removed_product_is_told(adas_browser, mug, lamp):
    page_url = url(mug, lamp)
    key = dict(adas_browser.get(page_url).context["hidden"])["once"]
    products.remove_product(product_id=lamp.pk, actor=factories.User.objects.get())
    cells = {mug.pk: {"name": ["Mug", "Cup"]}, lamp.pk: {"name": ["Lamp", "Light"]}}
    response = adas_browser.post(page_url, {"once": key, "cells": json.dumps(cells)})
    assert len(response.context["table"].lost) == 1
    assert values_of() == [("Mug", Decimal("12.50"), True)]


@pytest.mark.parametrize(
    "cells",
    [
        "",
        "x",
        "[]",
        '{"1": {"name": "Cup"}}',
        '{"x": {"name": ["Mug", "Cup"]}}',
        '{"0": {"name": ["Mug", "Cup"]}}',
        '{"9223372036854775808": {"name": ["Mug", "Cup"]}}',
        '{"1": {"stock": ["10", "11"]}}',
        '{"1": {"sku": ["MUG-1", "CUP-1"]}}',
        '{"1": {"name": ["Mug", "\\ud800"]}}',
        '{"1": {"name": ["Mug", "a\\u0000b"]}}',
        "{}",
    ],
)
def test_what_no_page_sends_changes_nothing(adas_browser, mug, cells):
    before = factories.all_rows()
    response = adas_browser.post(url(mug), {"cells": cells})
    assert response.status_code == 200
    assert response.context["form"].errors
    assert factories.all_rows() == before


@pytest.mark.parametrize("query", ["", "?ids=", "?ids=x,-1,1e3", f"?ids={'9' * 30}"])
def test_a_table_of_nothing_leads_to_the_list(adas_browser, mug, query):
    assert adas_browser.get(f"{TABLE}{query}")["Location"] == LIST


@pytest.mark.parametrize(("codenames", "status"), [([], 403), (["view_product"], 403)])
def test_staff_without_the_right_may_not(staff_client_with, mug, codenames, status):
    before = factories.all_rows()["Product"]
    browser = staff_client_with(*codenames)
    cells = json.dumps({mug.pk: {"name": ["Mug", "Cup"]}})
    assert browser.get(url(mug)).status_code == status
    assert browser.post(url(mug), {"cells": cells}).status_code == status
    assert factories.all_rows()["Product"] == before


def test_staff_with_the_right_may(staff_client_with, mug):
    browser = staff_client_with("view_product", "change_product")
    save(browser, url(mug), {mug: {"name": ["Mug", "Cup"]}})
    assert values_of()[0][0] == "Cup"


def test_too_many_products_are_refused(adas_browser, mug, lamp, monkeypatch):
    monkeypatch.setitem(actions.MAX_SELECTED, "edit_in_table", 1)
    data = {"action": "edit_in_table", "_selected_action": [mug.pk, lamp.pk]}
    response = adas_browser.post(LIST, data, follow=True)
    assert [message.level_tag for message in response.context["messages"]] == ["error"]


@pytest.mark.parametrize("count", [1, 3])
def test_statements_do_not_grow_with_rows(adas_browser, statements, count):
    made = [factories.create_product(f"Mug {number}") for number in range(count)]
    page_url = url(*made)
    page = adas_browser.get(page_url)  # which fills caches
    with statements(4):
        adas_browser.get(page_url)

    typos = {product.pk: {"price": ["1.00", "cheap"]} for product in made}
    key = dict(page.context["hidden"])["once"]
    with statements(5):
        adas_browser.post(page_url, {"once": key, "cells": json.dumps(typos)})
    cells = {product.pk: {"price": ["1.00", "5"]} for product in made}
    with statements(7):  # conflicts
        adas_browser.post(page_url, {"once": key, "cells": json.dumps(cells)})
    cells = {product.pk: {"price": ["12.50", "5"]} for product in made}
    with statements(14):
        adas_browser.post(page_url, {"once": key, "cells": json.dumps(cells)})
    assert set(Product.objects.values_list("price", flat=True)) == {Decimal(5)}
