import re

import pytest
from support import factories
from support.api_bodies import error_fields, ledger, product_body

from shop import exposure
from shop.api.products import PRODUCTS
from shop.models import CartItem, Product, StockMovement
from shop.services.orders import place_order

ALL_FIELDS = {
    "name": "Vase",
    "price": "5.00",
    "sku": "VASE-1",
    "description": "Blue.\nOf glass.",
    "stock": 4,
    "is_active": False,
}
READ_ONLY = sorted(
    {*PRODUCTS.names, *Product.STAFF_ONLY, "prize"}
    - {*exposure.api_writable_fields(Product), "stock"}
)
INVALID_VALUES = [
    ("name", ""),
    ("name", "   "),
    ("name", "\u200b"),
    ("name", "\u3164 \u2060"),
    ("name", "x" * 201),
    ("name", None),
    ("price", "-0.01"),
    ("price", "0.005"),
    ("price", "100000000.00"),
    ("price", "much"),
    ("price", "NaN"),
    ("price", None),
    ("price", True),
    ("sku", "Ärmel"),
    ("sku", "a  b"),
    ("sku", "x" * 65),
    ("description", "x" * 20_001),
    ("stock", -1),
    ("stock", 1_000_000_001),
    ("stock", 1.5),
    ("stock", "5"),
    ("stock", True),
    ("stock", None),
    ("is_active", "yes"),
    ("is_active", 1),
]


def test_a_product_needs_only_a_name_and_a_price(adas_app):
    response = adas_app.post("/products/", {"name": "Vase", "price": "5"})
    vase = Product.objects.get()
    assert (response.status_code, response.json()) == (201, product_body(vase))
    assert re.fullmatch("P-[0-9A-Z]{7}", vase.sku)
    assert (vase.stock, vase.is_active, ledger(vase)) == (0, True, [])


def test_a_product_is_created_with_all_writable_fields(adas_app):
    response = adas_app.post("/products/", ALL_FIELDS)
    vase = Product.objects.get()
    assert (response.status_code, response.json()) == (201, product_body(vase))
    assert {name: response.json()[name] for name in ALL_FIELDS} == ALL_FIELDS
    assert ledger(vase) == [("initial", 4, 4, "Ada")]


@pytest.mark.parametrize(
    ("price", "expected"),
    [("0.00", "0.00"), ("99999999.99", "99999999.99"), (5, "5.00"), (5.5, "5.50"), ("5.5", "5.50")],
)
def test_a_price_has_two_decimals(adas_app, price, expected):
    assert adas_app.post("/products/", {"name": "Vase", "price": price}).json()["price"] == expected


@pytest.mark.parametrize("field", ["name", "price"])
def test_a_product_without_name_or_price_is_refused(adas_app, unchanged, field):
    body = {name: value for name, value in ALL_FIELDS.items() if name != field}
    with unchanged():
        response = adas_app.post("/products/", body)
    assert error_fields(response) == [(field, "missing")]


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_invalid_values_are_refused(adas_app, mug, unchanged, method):
    path = "/products/" if method == "post" else f"/products/{mug.pk}/"
    with unchanged():
        for field, value in INVALID_VALUES:
            response = adas_app.call(method, path, {**ALL_FIELDS, field: value})
            assert [name for name, _code in error_fields(response)] == [field], (field, value)


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_read_only_fields_are_refused(adas_app, mug, unchanged, method):
    path = "/products/" if method == "post" else f"/products/{mug.pk}/"
    with unchanged():
        for field in READ_ONLY:
            response = adas_app.call(method, path, {**ALL_FIELDS, field: 1})
            assert error_fields(response) == [(field, "extra_forbidden")]


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_skus_are_unique_regardless_of_case(adas_app, mug, lamp, unchanged, method):
    path = "/products/" if method == "post" else f"/products/{lamp.pk}/"
    with unchanged():
        for sku in (mug.sku, mug.sku.lower(), f" {mug.sku.title()} "):
            response = adas_app.call(method, path, {**ALL_FIELDS, "sku": sku})
            assert error_fields(response) == [("sku", "sku_taken")]


def test_put_keeps_optional_fields_that_are_left_out(adas_app, mug):
    response = adas_app.put(f"/products/{mug.pk}/", {"name": "Cup", "price": "9.00"})
    assert (response.status_code, response.json()) == (200, product_body(mug))
    assert (mug.name, str(mug.price), mug.sku, mug.stock) == ("Cup", "9.00", "MUG-1", 10)


@pytest.mark.parametrize(
    "change", [{name: value} for name, value in ALL_FIELDS.items()] + [{}, ALL_FIELDS]
)
def test_patch_changes_only_the_fields_that_are_sent(adas_app, mug, lamp, change):
    expected, other = product_body(mug) | change, product_body(lamp)
    response = adas_app.patch(f"/products/{mug.pk}/", change)
    assert response.status_code == 200
    assert (
        response.json()
        == {**expected, "updated_at": response.json()["updated_at"]}
        == product_body(mug)
    )
    assert product_body(lamp) == other


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_stock_in_the_body_is_a_stocktake(adas_app, mug, method):
    body = {"name": "Mug", "price": "12.50", "stock": 7}
    assert adas_app.call(method, f"/products/{mug.pk}/", body).json()["stock"] == 7
    assert ledger(mug) == [("initial", 10, 10, None), ("counted", -3, 7, "Ada")]


def test_a_product_may_change_the_case_of_its_own_sku(adas_app, mug):
    assert adas_app.patch(f"/products/{mug.pk}/", {"sku": "mug-1"}).json()["sku"] == "mug-1"


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("header", ["{tag}", '"other", {tag}', "*"])
def test_a_change_is_accepted_if_the_etag_matches(adas_app, mug, method, header):
    tag = adas_app.get(f"/products/{mug.pk}/")["ETag"]
    body = {"name": "Cup", "price": "9.00"}
    response = adas_app.call(
        method, f"/products/{mug.pk}/", body, **{"If-Match": header.format(tag=tag)}
    )
    assert (response.status_code, response.json()["name"]) == (200, "Cup")
    assert response["ETag"] == adas_app.get(f"/products/{mug.pk}/")["ETag"] != tag


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("header", ['"other"', '"*"', "other", '"a", "b"'])
def test_a_change_is_refused_if_the_etag_does_not_match(adas_app, mug, unchanged, method, header):
    body = {"name": "Cup", "price": "9.00", "stock": 1}
    with unchanged():
        response = adas_app.call(method, f"/products/{mug.pk}/", body, **{"If-Match": header})
    assert factories.problem_code(response) == (412, "precondition-failed")


def test_of_two_changes_with_the_same_etag_only_the_first_succeeds(adas_app, mug, unchanged):
    tag = adas_app.get(f"/products/{mug.pk}/")["ETag"]
    first = adas_app.patch(f"/products/{mug.pk}/", {"name": "Cup"}, **{"If-Match": tag})
    with unchanged():
        second = adas_app.patch(f"/products/{mug.pk}/", {"name": "Jug"}, **{"If-Match": tag})
    assert first.status_code == 200
    assert factories.problem_code(second) == (412, "precondition-failed")


@pytest.mark.parametrize("is_ordered", [False, True])
def test_a_product_is_removed_only_if_the_etag_matches(
    adas_app, carl, dora, mug, unchanged, is_ordered
):
    factories.add_to_cart(carl, (mug, 1))
    if is_ordered:
        place_order(user=carl, shipping_address="1 Fern Road")
    factories.add_to_cart(dora, (mug, 1))
    path = f"/products/{mug.pk}/"
    tag = adas_app.get(path)["ETag"]
    assert adas_app.patch(path, {"name": "Cup"}).status_code == 200
    with unchanged():
        refused = adas_app.delete(path, **{"If-Match": tag})
    assert factories.problem_code(refused) == (412, "precondition-failed")
    newer = adas_app.get(path)["ETag"]
    assert adas_app.delete(path, **{"If-Match": newer}).status_code == 204
    assert Product.objects.filter(is_active=True).count() == 0


def test_a_product_that_was_never_ordered_is_deleted(adas_app, mug, lamp, carl, unchanged):
    factories.add_to_cart(carl, (mug, 1), (lamp, 1))
    response = adas_app.delete(f"/products/{mug.pk}/")
    assert (response.status_code, response.content) == (204, b"")
    assert list(Product.objects.all()) == [lamp]
    assert list(CartItem.objects.values_list("product", flat=True)) == [lamp.pk]
    assert not StockMovement.objects.exclude(product=lamp).exists()
    with unchanged():
        assert factories.problem_code(adas_app.delete(f"/products/{mug.pk}/")) == (404, "not-found")


def test_a_product_that_was_ordered_is_archived(adas_app, carls_app, carl, mug, dora):
    factories.add_to_cart(carl, (mug, 2))
    order = place_order(user=carl, shipping_address="1 Fern Road").order
    factories.add_to_cart(dora, (mug, 1))
    before = ledger(mug)
    assert adas_app.delete(f"/products/{mug.pk}/").status_code == 204
    mug.refresh_from_db()
    assert (mug.is_active, mug.stock, ledger(mug), CartItem.objects.count()) == (
        False,
        8,
        before,
        0,
    )
    assert factories.problem_code(carls_app.get(f"/products/{mug.pk}/")) == (404, "not-found")
    assert carls_app.get("/products/").json()["items"] == []
    (line,) = carls_app.get(f"/orders/{order.pk}/").json()["items"]
    assert (line["product_id"], line["name"], line["sku"]) == (mug.pk, "Mug", "MUG-1")
