import pytest
from support import factories
from support.api_bodies import product_body

from shop.models import CartItem, Product

EMPTY = {"items": [], "total_quantity": 0, "total_amount": "0.00", "can_checkout": False}


def line_body(item, *, problem=None):
    price = item.product.price
    return {
        "id": item.pk,
        "product": product_body(item.product),
        "quantity": item.quantity,
        "price": f"{price:.2f}",
        "subtotal": f"{price * item.quantity:.2f}",
        "problem": problem,
    }


def quantities(user):
    return list(user.cart.order_by("id").values_list("product__name", "quantity"))


def fill_cart(user, lines):
    """Add this number of lines, each with a new product."""
    products = Product.objects.bulk_create(
        Product(name=f"P{n}", sku=f"P-{n}", price="1.00") for n in range(lines)
    )
    factories.add_to_cart(user, *((product, 1) for product in products))


def test_a_new_cart_is_empty(carls_app):
    response = carls_app.get("/cart/")
    assert (response.status_code, response.json()) == (200, EMPTY)


def test_the_cart_contains_its_lines_and_totals(carls_app, carl, mug, lamp, dora):
    factories.add_to_cart(dora, (mug, 1))
    factories.add_to_cart(carl, (lamp, 2), (mug, 3))
    assert carls_app.get("/cart/").json() == {
        "items": [line_body(item) for item in carl.cart.order_by("id")],
        "total_quantity": 5,
        "total_amount": "137.30",
        "can_checkout": True,
    }


def test_adding_a_product_creates_a_line_of_one(carls_app, carl, mug):
    response = carls_app.post("/cart/", {"product_id": mug.pk})
    assert (response.status_code, quantities(carl)) == (201, [("Mug", 1)])
    assert response.json() == carls_app.get("/cart/").json()


def test_adding_again_adds_the_quantities(carls_app, carl, mug, doras_app, dora):
    assert carls_app.post("/cart/", {"product_id": mug.pk, "quantity": 4}).status_code == 201
    response = carls_app.post("/cart/", {"product_id": mug.pk, "quantity": 6})
    assert (response.status_code, response.json()["total_quantity"]) == (200, 10)
    assert doras_app.post("/cart/", {"product_id": mug.pk}).status_code == 201
    assert (quantities(carl), quantities(dora)) == ([("Mug", 10)], [("Mug", 1)])


@pytest.mark.parametrize(("in_cart", "more"), [(0, 11), (1, 10), (10, 1), (0, 999)])
def test_no_more_than_is_in_stock_can_be_added(carls_app, carl, mug, unchanged, in_cart, more):
    if in_cart:
        factories.add_to_cart(carl, (mug, in_cart))
    with unchanged():
        response = carls_app.post("/cart/", {"product_id": mug.pk, "quantity": more})
    assert factories.problem_code(response) == (409, "insufficient-stock")
    assert response.json()["available"] == 10


def test_no_more_than_999_of_one_product_can_be_added(carls_app, carl, unchanged):
    bead = factories.create_product("Bead", stock=5000)
    factories.add_to_cart(carl, (bead, 998))
    assert carls_app.post("/cart/", {"product_id": bead.pk}).json()["total_quantity"] == 999
    with unchanged():
        response = carls_app.post("/cart/", {"product_id": bead.pk})
    assert factories.problem_code(response) == (409, "cart-full")


def test_a_cart_holds_a_hundred_lines(carls_app, carl, mug, lamp, unchanged):
    fill_cart(carl, 99)
    assert carls_app.post("/cart/", {"product_id": mug.pk}).status_code == 201
    assert carls_app.post("/cart/", {"product_id": mug.pk}).status_code == 200
    with unchanged():
        response = carls_app.post("/cart/", {"product_id": lamp.pk})
    assert factories.problem_code(response) == (409, "cart-full")


@pytest.mark.parametrize("fixture", ["carls_app", "adas_app"])
def test_inactive_and_unknown_products_cannot_be_added(request, mug, unchanged, fixture):
    app = request.getfixturevalue(fixture)
    Product.objects.filter(pk=mug.pk).update(is_active=False)
    with unchanged():
        for product_id in (mug.pk, 999, 2**63 - 1):
            response = app.post("/cart/", {"product_id": product_id})
            assert factories.problem_code(response) == (404, "not-found")


@pytest.mark.parametrize("quantity", [1, 9, 10])
def test_a_quantity_can_be_set(carls_app, carls_line, carl, quantity):
    response = carls_app.put(f"/cart/{carls_line.pk}/", {"quantity": quantity})
    assert (response.status_code, quantities(carl)) == (200, [("Mug", quantity)])
    assert response.json() == carls_app.get("/cart/").json()


def test_a_quantity_cannot_be_set_above_the_stock(carls_app, carls_line, unchanged):
    with unchanged():
        response = carls_app.put(f"/cart/{carls_line.pk}/", {"quantity": 11})
    assert factories.problem_code(response) == (409, "insufficient-stock")
    assert response.json()["available"] == 10


@pytest.mark.parametrize("quantity", [0, -1, 1000, 1.5, "2", True, None])
def test_a_quantity_is_a_number_from_1_to_999(carls_app, carls_line, lamp, unchanged, quantity):
    with unchanged():
        responses = [
            carls_app.put(f"/cart/{carls_line.pk}/", {"quantity": quantity}),
            carls_app.post("/cart/", {"product_id": lamp.pk, "quantity": quantity}),
        ]
    for response in responses:
        assert factories.problem_code(response) == (422, "invalid")
        assert [error["field"] for error in response.json()["errors"]] == ["quantity"]


def test_a_line_can_be_removed(carls_app, carls_line, carl, lamp):
    factories.add_to_cart(carl, (lamp, 1))
    response = carls_app.delete(f"/cart/{carls_line.pk}/")
    assert (response.status_code, quantities(carl)) == (200, [("Lamp", 1)])
    assert response.json() == carls_app.get("/cart/").json()


def test_clearing_a_cart_removes_only_the_users_own_lines(carls_app, carl, dora, mug, lamp):
    factories.add_to_cart(carl, (mug, 1), (lamp, 1))
    factories.add_to_cart(dora, (mug, 1))
    for _attempt in range(2):
        response = carls_app.delete("/cart/clear/")
        assert (response.status_code, response.json()) == (200, EMPTY)
    assert quantities(dora) == [("Mug", 1)]


@pytest.mark.parametrize("fixture", ["doras_app", "adas_app"])
def test_a_line_of_another_user_is_not_found(request, carls_line, unchanged, fixture):
    app = request.getfixturevalue(fixture)
    with unchanged():
        for line_id in (carls_line.pk, 999):
            put = app.put(f"/cart/{line_id}/", {"quantity": 1})
            delete = app.delete(f"/cart/{line_id}/")
            assert [factories.problem_code(put), factories.problem_code(delete)] == [
                (404, "not-found")
            ] * 2


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"stock": 2}, "insufficient-stock"),
        ({"stock": 0}, "insufficient-stock"),
        ({"is_active": False}, "unavailable"),
        ({"is_active": False, "stock": 0}, "unavailable"),
    ],
)
def test_the_cart_reports_the_problem_of_each_line(
    carls_app, carls_line, carl, lamp, change, problem
):
    factories.add_to_cart(carl, (lamp, 1))
    Product.objects.filter(pk=carls_line.product_id).update(**change)
    response = carls_app.get("/cart/").json()
    other = CartItem.objects.get(product=lamp)
    assert response["items"] == [line_body(carls_line, problem=problem), line_body(other)]
    assert response["can_checkout"] is False
    assert (response["total_quantity"], response["total_amount"]) == (1, "49.90")


def test_a_line_of_an_inactive_product_can_only_be_removed(carls_app, carls_line, unchanged):
    Product.objects.filter(pk=carls_line.product_id).update(is_active=False)
    with unchanged():
        response = carls_app.put(f"/cart/{carls_line.pk}/", {"quantity": 1})
    assert factories.problem_code(response) == (409, "product-unavailable")
    assert carls_app.delete(f"/cart/{carls_line.pk}/").json() == EMPTY


def test_the_cart_uses_the_current_price(carls_app, carls_line):
    Product.objects.filter(pk=carls_line.product_id).update(price="0.10")
    response = carls_app.get("/cart/").json()
    assert (response["items"][0]["subtotal"], response["total_amount"]) == ("0.30", "0.30")
