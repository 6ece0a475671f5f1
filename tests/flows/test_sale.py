"""A sale from registration to delivery, by an API client and an admin browser over HTTP."""

import re

import httpx
import pytest

from shop.models import Order, Product, StockMovement
from shop.services.stock import find_drift

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def submit_form(http, ada):
    """Submit the form of an admin page in Ada's browser, with its CSRF token."""
    with httpx.Client(
        base_url=http.base_url, follow_redirects=True, trust_env=False, timeout=30
    ) as browser:

        def submit(path, **fields):
            form = browser.get(path)
            assert form.status_code == 200, form.text
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)[1]
            response = browser.post(path, data={"csrfmiddlewaretoken": token, **fields})
            assert response.status_code == 200, response.text
            return response.text

        submit("/admin/login/", username=ada.email, password="correct-horse-7")
        yield submit


def register(http):
    body = {
        "email": "Carl@Example.com",
        "password": "correct-horse-7",
        "first_name": "Carl",
        "last_name": "B",
    }
    response = http.post("/api/auth/register/", json=body)
    assert response.status_code == 201
    return {"Authorization": f"Bearer {response.json()['access']}"}


def statuses_after_pending():
    """Return the statuses from pending to delivered, in order."""
    statuses, status = [], Order.Status.PENDING
    while Order.FLOW[status]:
        status = Order.FLOW[status][0]
        statuses.append(status.value)
    return statuses


def test_a_sale_from_registration_to_delivery(http, submit_form, mug, lamp):
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

    statuses = statuses_after_pending()
    for status in statuses:
        submit_form(f"/admin/shop/order/{order['id']}/move/{status}/", note="")
        assert http.get(f"/api/orders/{order['id']}/").json()["status"] == status

    order = http.get(f"/api/orders/{order['id']}/").json()
    assert (order["status"], order["payment_status"], order["can_cancel"]) == (
        "delivered",
        "paid",
        False,
    )
    assert [event["status"] for event in order["history"]] == ["pending", *statuses]
    assert list(Product.objects.order_by("pk").values_list("stock", flat=True)) == [7, 4]
    sold = StockMovement.objects.filter(kind="sale").order_by("product_id")
    assert list(sold.values_list("delta", "balance_after")) == [(-3, 7), (-1, 4)]
    assert list(find_drift()) == []
