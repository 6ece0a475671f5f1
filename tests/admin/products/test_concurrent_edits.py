"""Two users edit one product: the second sees what changed meanwhile and loses no input."""

from decimal import Decimal

import pytest
from support import factories
from support.html_forms import form_fields

from shop.models import AuditEntry, Product
from shop.services import products


def page(product):
    return f"/admin/shop/product/{product.pk}/change/"


def open_form(browser, product):
    return form_fields(browser.get(page(product)), "product_form")


@pytest.fixture
def bea(db):
    return factories.create_user("Bea", "Second", **factories.SUPERUSER_FIELDS)


def test_a_field_that_both_edited_is_an_error_for_the_second(adas_browser, bea, mug):
    second = factories.staff_client(bea)
    hers = open_form(second, mug) | {"price": "14.00", "description": "Blue"}
    adas_browser.post(page(mug), open_form(adas_browser, mug) | {"price": "13.00"})
    response = second.post(page(mug), hers)
    form = response.context["adminform"].form
    [error] = form.errors.as_data().pop("price")
    assert (list(form.errors), error.code) == (["price"], "changed")
    assert "Ada Staff changed it to “13.00”" in error.message
    assert Product.objects.values_list("price", "description").get() == (Decimal("13.00"), "")

    assert second.post(page(mug), form_fields(response, "product_form")).status_code == 302
    assert Product.objects.values_list("price", "description").get() == (Decimal("14.00"), "Blue")
    assert AuditEntry.objects.first().changes.split("\n") == [
        "price: 13.00 → 14.00",
        "description: empty → Blue",
    ]


def test_fields_that_only_one_edited_are_kept_and_the_second_gets_notices(adas_browser, bea, mug):
    second = factories.staff_client(bea)
    hers = open_form(second, mug) | {"name": "Cup"}
    theirs = open_form(adas_browser, mug) | {"price": "13.00", "low_stock_threshold": "3"}
    adas_browser.post(page(mug), theirs)
    response = second.post(page(mug), hers, follow=True)
    notices = factories.page_messages(response)[:2]
    assert ["13.00" in notices[0], "“3”" in notices[1]] == [True, True]
    saved = Product.objects.values_list("name", "price", "low_stock_threshold").get()
    assert saved == ("Cup", Decimal("13.00"), 3)


def test_correcting_one_field_keeps_the_other_users_edit(adas_browser, bea, mug):
    second = factories.staff_client(bea)
    hers = open_form(second, mug) | {"name": ""}
    edited = open_form(adas_browser, mug) | {"price": "13.00", "low_stock_threshold": "3"}
    adas_browser.post(page(mug), edited)
    again = form_fields(second.post(page(mug), hers), "product_form")
    assert second.post(page(mug), again | {"name": "Cup"}).status_code == 302
    saved = Product.objects.values_list("name", "price", "low_stock_threshold").get()
    assert saved == ("Cup", Decimal("13.00"), 3)


def test_two_users_who_enter_the_same_value_get_no_error(adas_browser, bea, mug):
    second = factories.staff_client(bea)
    hers = open_form(second, mug) | {"price": "13.00"}
    adas_browser.post(page(mug), open_form(adas_browser, mug) | {"price": "13.00"})
    assert second.post(page(mug), hers).status_code == 302
    assert Product.objects.get().price == Decimal("13.00")


def test_a_save_during_validation_validates_again(adas_browser, mug, monkeypatch):
    """The locked product is compared with the form, and the form is validated once more.

    The other user's write is rolled back with the first attempt here, so the second one succeeds.
    """
    hers = open_form(adas_browser, mug) | {"price": "14.00"}
    real, attempts = products.update_product, []

    def update_after_rival(**values):
        attempts.append(values["changes"])
        if len(attempts) == 1:
            Product.objects.update(price="13.00")
        return real(**values)

    monkeypatch.setattr(products, "update_product", update_after_rival)
    assert adas_browser.post(page(mug), hers).status_code == 302
    assert attempts == [{"price": Decimal("14.00")}] * 2
    assert Product.objects.get().price == Decimal("14.00")
