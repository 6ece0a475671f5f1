"""One name or price is edited in the list, by the requests of `quick-edit.js`."""

from decimal import Decimal

import pytest
from support import factories

from shop.models import AuditEntry, Product
from shop.services import products

LIST = "/admin/shop/product/"


def edit(browser, product, **values):
    return browser.post(f"{LIST}{product.pk}/quick-edit/", values)


@pytest.mark.parametrize(
    ("values", "answer", "change"),
    [
        (
            {"field": "name", "old": "Mug", "value": " Cup "},
            {"value": "Cup", "text": "Cup"},
            "name: Mug → Cup",
        ),
        (
            {"field": "price", "old": "12.50", "value": "1300,5"},
            {"value": "1300.50", "text": "1,300.50 EUR"},
            "price: 12.50 → 1300.50",
        ),
    ],
)
def test_a_name_or_price_is_saved(adas_browser, ada, mug, values, answer, change):
    response = edit(adas_browser, mug, **values)
    assert (response.status_code, response.json()) == (200, answer)
    entry = AuditEntry.objects.get()
    assert (entry.changes, entry.actor) == (change, ada)
    edit(adas_browser, mug, **values)
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"field": "name", "old": "Mug", "value": ""}, 422),
        ({"field": "name", "old": "Mug", "value": "a\0b"}, 422),
        ({"field": "price", "old": "12.50", "value": "-1"}, 422),
        ({"field": "price", "old": "12.50", "value": "cheap"}, 422),
        ({"field": "price"}, 422),
        ({"field": "stock", "old": "10", "value": "11"}, 400),
        ({"field": "is_active", "old": "1", "value": ""}, 400),
        ({}, 400),
    ],
)
def test_an_invalid_value_changes_nothing(adas_browser, mug, values, status):
    before = factories.all_rows()
    response = edit(adas_browser, mug, **values)
    assert response.status_code == status
    assert status == 400 or response.json()["message"]
    assert factories.all_rows() == before


def test_a_conflict_is_told_and_saving_again_keeps_mine(adas_browser, mug):
    bea = factories.create_user("Bea", "Second", **factories.SUPERUSER_FIELDS)
    products.update_product(product_id=mug.pk, actor=bea, changes={"price": Decimal(13)})
    mine = {"field": "price", "value": "14"}
    response = edit(adas_browser, mug, **mine, old="12.50")
    answer = response.json()
    assert (response.status_code, answer["old"]) == (409, "13.00")
    assert "Bea Second" in answer["message"]
    assert Product.objects.get().price == 13
    assert edit(adas_browser, mug, **mine, old=answer["old"]).status_code == 200
    assert Product.objects.get().price == 14


def test_a_product_that_is_gone_is_not_found(adas_browser, mug):
    gone = Product(pk=mug.pk + 1)
    assert edit(adas_browser, gone, field="name", old="Mug", value="Cup").status_code == 404


@pytest.mark.parametrize("codenames", [[], ["view_product"]])
def test_staff_without_the_right_may_not(staff_client_with, mug, codenames):
    before = factories.all_rows()["Product"]
    browser = staff_client_with(*codenames)
    assert edit(browser, mug, field="name", old="Mug", value="Cup").status_code == 403
    assert factories.all_rows()["Product"] == before


def test_only_staff_with_the_right_get_its_script(adas_browser, staff_client_with, mug):
    assert b"quick-edit.js" in adas_browser.get(LIST).content
    assert b"quick-edit.js" not in staff_client_with("view_product").get(LIST).content


def test_getting_it_is_no_edit(adas_browser, mug):
    assert adas_browser.get(f"{LIST}{mug.pk}/quick-edit/").status_code == 405


@pytest.mark.parametrize(("currency", "digits"), [("EUR", "1200.00"), ("JPY", "1200")])
def test_the_list_has_the_digits_of_a_price(settings, adas_browser, mug, currency, digits):
    settings.SHOP_CURRENCY = currency
    Product.objects.update(price="1200.00")
    assert f'data-value="{digits}"'.encode() in adas_browser.get(LIST).content
    response = edit(adas_browser, mug, field="price", old=digits, value="1300")
    assert response.status_code == 200
