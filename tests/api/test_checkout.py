import json
import re

import pytest
from support import factories

from shop.models import CartItem, IdempotencyKey, Order, Product, StockMovement
from shop.services import orders
from shop.services.stock import find_drift

BODY = {"shipping_address": "1 Fern Road\n12345 Ember"}
KEY = {"Idempotency-Key": "a-key"}


@pytest.fixture
def cart(carl, mug, lamp):
    """Carl's cart: 2 lamps and 3 mugs, 137.30 in total."""
    factories.add_to_cart(carl, (lamp, 2), (mug, 3))


def create(app, headers=None, **changes):
    return app.post("/orders/create/", BODY | changes, **(headers or {}))


def stocks():
    return dict(Product.objects.values_list("name", "stock"))


@pytest.mark.usefixtures("cart")
def test_creating_an_order_returns_the_whole_order(carls_app, mug, lamp):
    response = create(carls_app, note=" Ring twice ")
    body, order = response.json(), Order.objects.get()
    lines = {item.product_id: item.pk for item in order.items.all()}
    at = order.created_at.isoformat().replace("+00:00", "Z")
    item = {"product_id": mug.pk, "sku": "MUG-1", "name": "Mug", "quantity": 3}
    other = {"product_id": lamp.pk, "sku": "LAMP-1", "name": "Lamp", "quantity": 2}
    assert response.status_code == 201
    kept = {"returned_quantity": 0, "tax_rate": None}
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", order.order_number)
    assert body == {
        "id": order.pk,
        "order_number": order.order_number,
        "status": "pending",
        "payment_method": "cash_on_delivery",
        "payment_status": "pending",
        "total_amount": "137.30",
        "credited_amount": "0.00",
        "paid_amount": "0.00",
        "refunded_amount": "0.00",
        "amount_due": "137.30",
        "refund_due": "0.00",
        "currency": "EUR",
        "shipment": None,
        "shipping_address": "1 Fern Road\n12345 Ember",
        "note": "Ring twice",
        "items": [
            {"id": lines[mug.pk], **item, "price": "12.50", "subtotal": "37.50", **kept},
            {"id": lines[lamp.pk], **other, "price": "49.90", "subtotal": "99.80", **kept},
        ],
        "history": [{"kind": "status", "status": "pending", "at": at, "note": "", "details": ""}],
        "can_cancel": True,
        "created_at": at,
        "updated_at": at,
    }
    assert body == carls_app.get(f"/orders/{order.pk}/").json()


@pytest.mark.usefixtures("cart")
def test_an_order_empties_the_cart_and_reduces_the_stock(carls_app, carl, dora, mug):
    factories.add_to_cart(dora, (mug, 1))
    assert create(carls_app).status_code == 201
    assert stocks() == {"Mug": 7, "Lamp": 3}
    assert list(CartItem.objects.values_list("user__first_name", flat=True)) == ["Dora"]
    order = Order.objects.get()
    assert order.user == carl
    sales = StockMovement.objects.filter(order=order).order_by("product_id")
    assert list(sales.values_list("kind", "delta", "actor")) == [
        ("sale", -3, carl.pk),
        ("sale", -2, carl.pk),
    ]
    assert list(find_drift()) == []


@pytest.mark.usefixtures("cart")
def test_an_order_keeps_the_names_and_prices_of_its_time(carls_app, mug):
    before = create(carls_app).json()
    Product.objects.filter(pk=mug.pk).update(name="Cup", price="1.00", sku="CUP-1")
    assert carls_app.get(f"/orders/{before['id']}/").json() == before


@pytest.mark.parametrize(
    ("payment", "status"),
    [
        ({}, "pending"),
        ({"payment_method": "cash_on_delivery"}, "pending"),
        ({"payment_method": "bank_transfer"}, "pending"),
        ({"payment_method": "card", "payment_token": "tok_success"}, "paid"),
        ({"payment_token": "tok_success"}, "pending"),
    ],
)
@pytest.mark.usefixtures("cart")
def test_the_payment_status_depends_on_the_method(carls_app, payment, status):
    body = create(carls_app, **payment).json()
    method = payment.get("payment_method", "cash_on_delivery")
    assert (body["payment_method"], body["payment_status"]) == (method, status)


@pytest.mark.parametrize("total", ["137.30", 137.3, "137.3", None])
@pytest.mark.usefixtures("cart")
def test_an_expected_total_that_matches_is_accepted(carls_app, total):
    assert create(carls_app, expected_total=total).json()["total_amount"] == "137.30"


def test_an_empty_cart_cannot_be_ordered(carls_app, unchanged):
    with unchanged():
        assert factories.problem_code(create(carls_app)) == (409, "cart-empty")


@pytest.mark.usefixtures("cart")
def test_products_short_of_stock_cannot_be_ordered(carls_app, mug, lamp, unchanged):
    Product.objects.filter(pk=mug.pk).update(stock=2)
    Product.objects.filter(pk=lamp.pk).update(stock=0)
    with unchanged():
        response = create(carls_app)
    assert factories.problem_code(response) == (409, "insufficient-stock")
    assert response.json()["items"] == [
        {"product_id": mug.pk, "requested": 3, "available": 2},
        {"product_id": lamp.pk, "requested": 2, "available": 0},
    ]


@pytest.mark.usefixtures("cart")
def test_inactive_products_cannot_be_ordered(carls_app, mug, unchanged):
    Product.objects.filter(pk=mug.pk).update(is_active=False, stock=0)
    with unchanged():
        response = create(carls_app)
    assert factories.problem_code(response) == (409, "product-unavailable")
    assert response.json()["items"] == [{"product_id": mug.pk}]


@pytest.mark.parametrize("total", ["137.31", "0.00", 0, 137])
@pytest.mark.usefixtures("cart")
def test_an_expected_total_that_differs_is_refused(carls_app, unchanged, total):
    with unchanged():
        response = create(carls_app, expected_total=total)
    assert factories.problem_code(response) == (409, "total-changed")
    assert response.json()["total_amount"] == "137.30"


@pytest.mark.parametrize("token", [{}, {"payment_token": None}])
@pytest.mark.usefixtures("cart")
def test_a_card_without_a_token_is_refused(carls_app, unchanged, token):
    with unchanged():
        response = create(carls_app, payment_method="card", **token)
    assert factories.problem_code(response) == (422, "invalid")
    (error,) = response.json()["errors"]
    assert (error["field"], error["code"]) == ("payment_token", "required")


@pytest.mark.usefixtures("cart")
def test_a_method_that_is_not_offered_is_refused(carls_app, unchanged, settings):
    settings.SHOP_PAYMENT_METHODS = ["bank_transfer"]
    with unchanged():
        response = create(carls_app, payment_method="card", payment_token="tok_success")
    assert factories.problem_code(response) == (422, "invalid")
    assert [error["field"] for error in response.json()["errors"]] == ["payment_method"]


@pytest.mark.usefixtures("cart")
def test_a_declined_card_is_refused(carls_app, unchanged):
    with unchanged():
        response = create(carls_app, payment_method="card", payment_token="tok_declined")
    assert factories.problem_code(response) == (402, "payment-declined")


@pytest.mark.parametrize("address", ["", "   ", "\n", None, "x" * 1001, "a\u202eb"])
@pytest.mark.usefixtures("cart")
def test_an_order_needs_an_address(carls_app, unchanged, address):
    with unchanged():
        response = create(carls_app, shipping_address=address)
    assert factories.problem_code(response) == (422, "invalid")
    assert [error["field"] for error in response.json()["errors"]] == ["shipping_address"]


@pytest.mark.usefixtures("cart")
def test_an_error_during_checkout_rolls_everything_back(carls_app, unchanged, monkeypatch):
    monkeypatch.setattr(orders, "build_item", lambda *_: 1 / 0)
    with unchanged():
        assert factories.problem_code(create(carls_app, KEY)) == (500, "internal-error")
    monkeypatch.undo()
    assert create(carls_app, KEY).status_code == 201


@pytest.mark.usefixtures("cart")
def test_repeating_a_key_returns_the_same_response_and_no_second_order(
    carls_app, carl, mug, unchanged
):
    first = create(carls_app, KEY)
    factories.add_to_cart(carl, (mug, 1))
    with unchanged():
        again = create(carls_app, KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")


@pytest.mark.usefixtures("cart")
def test_a_replay_returns_the_original_response(carls_app):
    first = create(carls_app, KEY)
    carls_app.post(f"/orders/{first.json()['id']}/cancel/")
    assert create(carls_app, KEY).content == first.content


@pytest.mark.usefixtures("cart")
def test_an_equivalent_body_counts_as_the_same(carls_app):
    first = create(carls_app, KEY, note="")
    text = json.dumps({"note": " ", "payment_method": "cash_on_delivery"} | BODY, indent=3)
    again = carls_app.post("/orders/create/", text, **KEY)
    assert (again.status_code, again.content) == (201, first.content)


@pytest.mark.parametrize(
    "change",
    [
        {"note": "x"},
        {"payment_method": "card"},
        {"expected_total": "1.00"},
        {"shipping_address": "2"},
    ],
)
@pytest.mark.usefixtures("cart")
def test_the_same_key_with_another_body_is_refused(carls_app, unchanged, change):
    create(carls_app, KEY)
    with unchanged():
        response = create(carls_app, KEY, **change)
    assert factories.problem_code(response) == (422, "idempotency-key-reused")


@pytest.mark.usefixtures("cart")
def test_two_keys_are_two_orders(carls_app, carl, mug):
    create(carls_app, KEY)
    factories.add_to_cart(carl, (mug, 1))
    second = create(carls_app, {"Idempotency-Key": "another"})
    assert (second.status_code, "Idempotent-Replayed" in second) == (201, False)
    assert Order.objects.count() == 2


@pytest.mark.usefixtures("cart")
def test_keys_are_per_user(carls_app, doras_app, dora, mug):
    factories.add_to_cart(dora, (mug, 1))
    responses = [create(app, KEY) for app in (carls_app, doras_app)]
    assert [response.status_code for response in responses] == [201, 201]
    assert ["Idempotent-Replayed" in response for response in responses] == [False, False]
    assert Order.objects.count() == 2


def test_a_key_can_be_used_again_after_a_refusal(carls_app, carl, mug, unchanged):
    with unchanged():
        assert factories.problem_code(create(carls_app, KEY)) == (409, "cart-empty")
    factories.add_to_cart(carl, (mug, 1))
    assert create(carls_app, KEY).status_code == 201


@pytest.mark.usefixtures("cart")
def test_a_declined_card_can_be_replaced_under_the_same_key(carls_app, unchanged):
    card = {"payment_method": "card", "payment_token": "tok_declined"}
    with unchanged():
        assert factories.problem_code(create(carls_app, KEY, **card)) == (402, "payment-declined")
    paid = create(carls_app, KEY, payment_method="card", payment_token="tok_success")
    assert paid.json()["payment_status"] == "paid"


@pytest.mark.parametrize(
    ("key", "status"), [("k" * 255, 201), ("k" * 256, 422), ("é", 201), ("k k", 201)]
)
@pytest.mark.usefixtures("cart")
def test_a_key_is_any_text_of_up_to_255_characters(carls_app, key, status):
    response = create(carls_app, {"Idempotency-Key": key})
    assert response.status_code == status
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == (
        [key] if status == 201 else []
    )
    assert Order.objects.count() == (1 if status == 201 else 0)


@pytest.mark.usefixtures("cart")
def test_the_total_of_the_largest_cart_is_exact(carls_app, carl):
    CartItem.objects.all().delete()
    gold = factories.create_product("Gold", price="99999999.99", stock=999)
    factories.add_to_cart(carl, (gold, 999))
    body = create(carls_app, expected_total="99899999990.01").json()
    assert (body["total_amount"], body["items"][0]["subtotal"]) == ("99899999990.01",) * 2
