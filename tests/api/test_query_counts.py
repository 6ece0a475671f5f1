import pytest
from django.contrib.auth.models import Permission
from support import factories

from shop import exposure
from shop.models import Order, Product, User
from shop.services.orders import place_order

NEXT = Order.FLOW[Order.Status.PENDING][0]
BODY = {"shipping_address": "1 Fern Road"}
#: A many-to-many field of an order or its customer is one more statement in an answer.
OF_ORDERS, OF_USERS = (
    len([f for f in exposure.many_to_many_fields(m) if f.name not in exposure.staff_only_fields(m)])
    for m in (Order, User)
)


@pytest.fixture
def products(mug, lamp):
    return [mug, lamp, factories.create_product("Vase", price="5.00", stock=9)]


def create_order(user, products):
    factories.add_to_cart(user, *((product, 1) for product in products))
    return place_order(user=user, shipping_address="1 Fern Road").order


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize(
    ("fixture", "query", "count"),
    [
        ("carls_app", "", 2),
        ("adas_app", "", 2),
        ("carls_app", "?ordering=updated_at", 2),
        ("carls_app", "?search=a&in_stock=true", 2),
        ("adas_app", "?search=-&page_size=1", 2),
        ("adas_app", "?in_stock=true&page_size=1", 2),
    ],
)
def test_listing_products(request, statements, products, number, fixture, query, count):
    app = request.getfixturevalue(fixture)
    Product.objects.exclude(pk__in=[product.pk for product in products[:number]]).update(
        is_active=False
    )
    with statements(count):
        assert app.get(f"/products/{query}").status_code == 200


@pytest.mark.parametrize("query", ["", "&in_stock=true", "&search=a"])
@pytest.mark.usefixtures("products", "one_hit_is_counted")
def test_listing_products_with_a_cached_count(statements, carls_app, query):
    with statements(4 if query else 3):
        carls_app.get(f"/products/?page_size=1{query}")
    with statements(2):
        assert carls_app.get(f"/products/?page_size=1{query}").json()["count"] >= 2


def test_listing_products_without_a_token(statements, strangers_app, products, settings):
    settings.SHOP_PUBLIC_CATALOG = True
    with statements(1):
        assert len(strangers_app.get("/products/").json()["items"]) == len(products)


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize(("fixture", "count"), [("carls_app", 3), ("adas_app", 4)])
def test_listing_orders(request, statements, carl, products, number, fixture, count):
    app = request.getfixturevalue(fixture)
    for _ in range(number):
        create_order(carl, products[:number])
    with statements(count + OF_ORDERS + (OF_USERS if fixture == "adas_app" else 0)):
        assert app.get("/orders/").json()["count"] == number


@pytest.mark.parametrize("number", [1, 3])
def test_getting_an_order(statements, carls_app, carl, products, number):
    order = create_order(carl, products[:number])
    with statements(4 + OF_ORDERS):
        assert len(carls_app.get(f"/orders/{order.pk}/").json()["items"]) == number


@pytest.mark.parametrize("number", [1, 3])
def test_getting_the_cart(statements, carls_app, carl, products, number):
    factories.add_to_cart(carl, *((product, 1) for product in products[:number]))
    with statements(2):
        assert len(carls_app.get("/cart/").json()["items"]) == number


def test_getting_a_product(statements, carls_app, mug):
    with statements(2):
        tag = carls_app.get(f"/products/{mug.pk}/")["ETag"]
    with statements(2):
        assert carls_app.get(f"/products/{mug.pk}/", **{"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(("codename", "status"), [("view_product", 200), ("view_order", 404)])
def test_getting_a_product_as_staff_who_are_no_superuser(statements, ada, mug, codename, status):
    ada.is_superuser = False
    ada.save()
    adas_app = factories.api_client(ada)
    ada.user_permissions.add(Permission.objects.get(codename=codename))
    Product.objects.update(is_active=False)
    with statements(4):
        assert adas_app.get(f"/products/{mug.pk}/").status_code == status


def test_getting_the_profile(statements, carls_app):
    with statements(1 + OF_USERS):
        assert carls_app.get("/auth/profile/").status_code == 200


@pytest.mark.parametrize("number", [1, 3])
def test_adding_to_a_cart(statements, carls_app, carl, products, number):
    factories.add_to_cart(carl, *((product, 1) for product in products[1:number]))
    for status in (201, 200):
        with statements(4):
            assert carls_app.post("/cart/", {"product_id": products[0].pk}).status_code == status


@pytest.mark.parametrize(
    ("method", "body", "count"), [("put", {"quantity": 2}, 4), ("delete", None, 3)]
)
def test_changing_a_line(statements, carls_app, carls_line, method, body, count):
    with statements(count):
        assert carls_app.call(method, f"/cart/{carls_line.pk}/", body).status_code == 200


@pytest.mark.parametrize("number", [1, 3])
def test_clearing_a_cart(statements, carls_app, carl, products, number):
    factories.add_to_cart(carl, *((product, 1) for product in products[:number]))
    with statements(3):
        assert carls_app.delete("/cart/clear/").status_code == 200


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize(("headers", "count"), [({}, 9), ({"Idempotency-Key": "k"}, 11)])
def test_ordering(statements, carls_app, carl, products, number, headers, count):
    factories.add_to_cart(carl, *((product, 1) for product in products[:number]))
    with statements(count + OF_ORDERS):
        assert carls_app.post("/orders/create/", BODY, **headers).status_code == 201
    assert Order.objects.get().items.count() == number


def test_ordering_again_with_the_same_key(statements, carls_app, carl, products):
    factories.add_to_cart(carl, (products[0], 1))
    carls_app.post("/orders/create/", BODY, **{"Idempotency-Key": "k"})
    with statements(3):
        assert (
            carls_app.post("/orders/create/", BODY, **{"Idempotency-Key": "k"}).status_code == 201
        )


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize(("status", "count"), [(NEXT, 8), ("cancelled", 13)])
def test_changing_the_status_of_an_order(
    statements, adas_app, carl, products, number, status, count
):
    order = create_order(carl, products[:number])
    with statements(count + OF_ORDERS + OF_USERS):
        assert adas_app.post(f"/orders/{order.pk}/status/", {"status": status}).status_code == 200


@pytest.mark.parametrize(
    ("method", "body", "count"),
    [
        ("put", {"name": "Cup", "price": "1.00"}, 8),
        ("patch", {"name": "Cup"}, 8),
        ("patch", {"stock": 3}, 12),
    ],
)
def test_changing_a_product(statements, adas_app, mug, method, body, count):
    with statements(count):
        assert adas_app.call(method, f"/products/{mug.pk}/", body).status_code == 200


def test_adjusting_the_stock(statements, adas_app, mug):
    with statements(7):
        assert adas_app.post(f"/products/{mug.pk}/stock/", {"delta": 1}).status_code == 200


@pytest.mark.parametrize(("stock", "count"), [(0, 7), (5, 9)])
def test_creating_a_product(statements, adas_app, stock, count):
    body = {"name": "Vase", "price": "5.00", "stock": stock}
    with statements(count):
        assert adas_app.post("/products/", body).status_code == 201
