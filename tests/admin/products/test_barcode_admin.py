"""A product's barcode in the back office: form, list, search and command palette."""

import pytest
from support import factories

from shop.models import Product

LIST = "/admin/shop/product/"
NEW = {"name": "Vase", "price": "24.00", "low_stock_threshold": "5", "description": "", "sku": ""}
SPELLINGS = ["036000291452", "0036000291452", "0-36000-29145-2", "36000291"]


@pytest.fixture
def jug(db):
    return factories.create_product("Jug", sku="JUG-1", barcode="036000291452")


def add(browser, barcode):
    return browser.post(f"{LIST}add/", NEW | {"barcode": barcode})


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("", None), ("978-3-16-148410-0", "9783161484100"), (" 96385074", "96385074")],
)
def test_the_form_stores_digits_or_null(adas_browser, typed, stored):
    assert add(adas_browser, typed).status_code == 302
    assert Product.objects.get().barcode == stored


@pytest.mark.parametrize("typed", ["4006381333932", "36000291452", "MUG", "036000291452"])
def test_the_form_refuses_what_is_wrong_or_taken(adas_browser, jug, typed):
    before = factories.all_rows()
    form = add(adas_browser, typed).context["adminform"].form
    assert set(form.errors) == {"barcode"}
    assert factories.all_rows() == before


def test_the_error_names_the_product_that_has_the_barcode(adas_browser, jug):
    form = add(adas_browser, "0036000291452").context["adminform"].form
    assert form.errors["barcode"] == ["Jug (JUG-1) has this barcode."]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_list_and_palette_find_any_spelling(adas_browser, jug, mug, spelling):
    found = adas_browser.get(LIST, {"q": spelling}).context["cl"].result_list
    assert [product.pk for product in found] == [jug.pk]
    results = adas_browser.get("/admin/search/", {"s": spelling}).context["results"]
    assert [result.title for result in results] == ["Jug"]
