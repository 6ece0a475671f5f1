"""A text that nobody can see counts as empty, whichever way it comes in."""

import pytest
from django.test import Client
from support import factories, import_client
from support.api_bodies import product_body

from shop.models import Order, OrderEvent, Product, User
from shop.services.orders import place_order

BLANK = ["\u200b", "\u2060\ufeff", "\u00ad", "\u3164", "\u2800 \uffa0"]
every_blank = pytest.mark.parametrize("blank", BLANK, ids=ascii)
PERSON = {"email": "eve@example.com", "first_name": "Eve", "last_name": "Adams"}


@pytest.fixture
def adas_browser(ada):
    return factories.staff_client(ada)


@pytest.fixture
def order(carl, mug):
    factories.add_to_cart(carl, (mug, 2))
    return place_order(user=carl, shipping_address="1 Street").order


def api_doors(mug):
    """Method, path, a valid body and the field that must not be empty."""
    register = {**PERSON, "password": "correct-horse-9"}
    return [
        ("post", "/auth/register/", register, "first_name"),
        ("post", "/auth/register/", register, "last_name"),
        ("put", "/auth/profile/", {"first_name": "Carl", "last_name": "Buyer"}, "first_name"),
        ("patch", "/auth/profile/", {}, "last_name"),
        ("post", "/orders/create/", {}, "shipping_address"),
        ("post", "/products/", {"price": "5.00"}, "name"),
        ("put", f"/products/{mug.pk}/", {"price": "5.00"}, "name"),
        ("patch", f"/products/{mug.pk}/", {}, "name"),
    ]


@every_blank
def test_the_api_refuses_it_as_a_name_or_an_address(carls_app, adas_app, carl, mug, blank):
    factories.add_to_cart(carl, (mug, 1))
    before = factories.all_rows()
    for method, path, body, field in api_doors(mug):
        app = adas_app if "products" in path else carls_app
        response = app.call(method, path, {**body, field: blank})
        assert factories.problem_code(response) == (422, "invalid"), (path, field)
        assert [error["field"] for error in response.json()["errors"]] == [field]
    assert factories.all_rows() == before


@every_blank
def test_the_api_stores_an_optional_one_as_empty(carls_app, adas_app, carl, mug, blank):
    factories.add_to_cart(carl, (mug, 1))
    body = {"shipping_address": "1 Street", "note": blank}
    assert carls_app.post("/orders/create/", body).json()["note"] == ""
    assert carls_app.patch("/auth/profile/", {"phone": blank}).json()["phone"] == ""
    path = f"/products/{mug.pk}/stock/"
    assert adas_app.post(path, {"delta": 1, "reason": blank}).status_code == 200
    assert mug.movements.first().reason == ""


@every_blank
def test_the_admins_forms_refuse_it(adas_browser, mug, order, blank):
    before = factories.all_rows()
    product = {"name": blank, "price": "5.00", "low_stock_threshold": "5", "first_stock": "1"}
    user = {**PERSON, "first_name": blank}
    forms = [
        ("/admin/shop/product/add/", product, "name"),
        ("/admin/shop/user/add/", user, "first_name"),
    ]
    for path, data, field in forms:
        form = adas_browser.post(path, data).context["adminform"].form
        assert list(form.errors) == [field]
    note = adas_browser.post(f"/admin/shop/order/{order.pk}/note/", {"note": blank})
    assert list(note.context["form"].errors) == ["note"]
    assert factories.all_rows() == before


@every_blank
def test_a_reason_in_the_admin_is_stored_as_empty(adas_browser, mug, order, blank):
    adas_browser.post(
        f"/admin/shop/product/{mug.pk}/stock/", {"delta": "1", "kind": "received", "reason": blank}
    )
    assert mug.movements.values_list("delta", "reason").first() == (1, "")
    adas_browser.post(f"/admin/shop/order/{order.pk}/move/cancelled/", {"note": blank})
    assert OrderEvent.objects.values_list("status", "note").last() == ("cancelled", "")


@every_blank
def test_an_import_row_with_such_a_name_is_an_error(adas_browser, mug, blank):
    before = factories.all_rows()["Product"]
    import_client.upload(adas_browser, f"sku,name,price\nNEW-1,{blank},5.00\nMUG-1,{blank},12.50\n")
    rows = import_client.latest_import().rows.order_by("number")
    assert list(rows.values_list("sku", "status")) == [("NEW-1", "error"), ("MUG-1", "unchanged")]
    assert factories.all_rows()["Product"] == before


@every_blank
def test_it_is_no_searched_word(adas_app, adas_browser, order, mug, lamp, blank):
    found = adas_app.get(f"/products/?search=mug%20{blank}").json()
    assert found["items"] == [product_body(Product.objects.get(pk=mug.pk))]
    assert adas_app.get(f"/products/?search={blank}").json()["count"] == 2
    assert adas_app.get(f"/orders/?search={blank}").json()["count"] == Order.objects.count() == 1
    for term, count in [(blank, 2), (f"lamp {blank}", 1)]:
        changelist = adas_browser.get("/admin/shop/product/", {"q": term}).context["cl"]
        assert changelist.result_count == count
    assert adas_browser.get("/admin/search/", {"s": f"{blank}"}).content == b""


def test_a_password_of_another_keyboard_is_the_same(ada, adas_app):
    """Precomposed and decomposed letters are the same at every door, old or new."""
    composed, decomposed = "Zoë-rides-é-9", "Zoe\u0308-rides-e\u0301-9"
    changed = adas_app.post(
        "/auth/password/change/",
        {"current_password": factories.PASSWORD, "new_password": decomposed},
    )
    assert changed.status_code == 204
    for password in (composed, decomposed):
        login = adas_app.post("/auth/login/", {"email": ada.email, "password": password})
        assert login.status_code == 200
        browser = Client()
        browser.post("/admin/login/", {"username": ada.email, "password": password})
        assert browser.session["_auth_user_id"] == str(ada.pk)
    register = {**PERSON, "password": composed}
    assert adas_app.post("/auth/register/", register).status_code == 201
    login = adas_app.post("/auth/login/", {"email": PERSON["email"], "password": decomposed})
    assert login.status_code == 200
    assert User.objects.get(email=PERSON["email"]).check_password(decomposed)
