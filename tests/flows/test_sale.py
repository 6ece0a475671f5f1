"""One sale from end to end: a real server, a customer's app and a clerk's browser, all over HTTP."""

import re

import httpx
import pytest

from shop.models import Product, StockMovement
from shop.services.stock import find_drift

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def clerk(http, ada):
    """Ada's browser, signed in: fills in a page's form and sends it back with its token."""
    with httpx.Client(
        base_url=http.base_url, follow_redirects=True, trust_env=False, timeout=30
    ) as browser:

        def submit(path, **fields):
            form = browser.get(path)
            assert form.status_code == 200, form.text
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)[1]
            answer = browser.post(path, data={"csrfmiddlewaretoken": token, **fields})
            assert answer.status_code == 200, answer.text
            return answer.text

        submit("/admin/login/", username=ada.email, password="correct-horse-7")
        yield submit


def register(http):
    body = {
        "email": "Carl@Example.com",
        "password": "correct-horse-7",
        "first_name": "Carl",
        "last_name": "B",
    }
    answer = http.post("/api/auth/register/", json=body)
    assert answer.status_code == 201
    return {"Authorization": f"Bearer {answer.json()['access']}"}


def test_from_registration_to_the_door(http, clerk, mug, lamp):
    http.headers.update(register(http))
    items = http.get("/api/products/", params={"search": "mug"}).json()["items"]
    assert [item["name"] for item in items] == ["Mug"]
    for product, quantity in ((mug, 2), (lamp, 1), (mug, 1)):
        cart = http.post("/api/cart/", json={"product_id": product.pk, "quantity": quantity}).json()
    assert (cart["total_quantity"], cart["total_amount"], cart["can_checkout"]) == (
        4,
        "87.40",
        True,
    )

    order = http.post(
        "/api/orders/create/", json={"shipping_address": "1 Street", "expected_total": "87.40"}
    ).json()
    assert http.get("/api/cart/").json()["items"] == []
    assert http.get(f"/api/products/{mug.pk}/").json()["stock"] == 7

    for step in ("confirmed", "shipped", "delivered"):
        page = clerk(f"/admin/shop/order/{order['id']}/move/{step}/", note="")
        assert f"Order {order['order_number']} is {step} now." in page

    seen = http.get(f"/api/orders/{order['id']}/").json()
    assert (seen["status"], seen["payment_status"], seen["can_cancel"]) == (
        "delivered",
        "paid",
        False,
    )
    assert [step["status"] for step in seen["history"]] == [
        "pending",
        "confirmed",
        "shipped",
        "delivered",
    ]
    assert list(Product.objects.order_by("pk").values_list("stock", flat=True)) == [7, 4]
    sold = StockMovement.objects.filter(kind="sale").order_by("product_id")
    assert list(sold.values_list("delta", "balance_after")) == [(-3, 7), (-1, 4)]
    assert list(find_drift()) == []
