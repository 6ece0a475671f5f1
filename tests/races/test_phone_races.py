import html
import re

import httpx
import pytest
from django.conf import settings
from support import factories
from support.concurrency import TIMEOUT_SECONDS, run_concurrently, tally

from shop.models import IdempotencyKey, Order, Product, User
from shop.services.stock import find_drift

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/admin/shop/order/add/"
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@pytest.fixture
def press(http, ada):
    """`press(product, quantity, …)`: fill in and check a phone order as Ada.

    The returned function presses "Place order".
    """
    session = factories.staff_client(ada).cookies[settings.SESSION_COOKIE_NAME].value
    cookies = {settings.SESSION_COOKIE_NAME: session}
    options = {"base_url": http.base_url, "trust_env": False, "timeout": TIMEOUT_SECONDS}
    with httpx.Client(cookies=cookies, **options) as browser:

        def press(product, quantity, **customer):
            fields = {"lines-TOTAL_FORMS": 1, "lines-INITIAL_FORMS": 0, "step": "check"}
            fields |= {"lines-0-product": product.pk, "lines-0-quantity": quantity}
            fields |= {"shipping_address": "1 Elm Street", "payment_method": "cash_on_delivery"}
            fields["csrfmiddlewaretoken"] = dict(HIDDEN.findall(browser.get(PAGE).text))[
                "csrfmiddlewaretoken"
            ]
            page = browser.post(PAGE, data={**fields, **customer}).text
            checked = {name: html.unescape(value) for name, value in HIDDEN.findall(page)}
            assert "expected_total" in checked, page
            return lambda: browser.post(PAGE, data={**checked, "step": "place"})

        yield press


def test_the_last_units_are_sold_by_phone_or_by_the_app(buyers, press):
    mat = factories.create_product("Mat", stock=5)
    customers = buyers(5)
    for user, _ in customers:
        factories.add_to_cart(user, (mat, 1))
    checkouts = [
        app("POST", "/orders/create/", {"shipping_address": "1 Elm Street"}) for _, app in customers
    ]
    by_phone, *by_app = run_concurrently(press(mat, 3, customer=customers[0][0].pk), *checkouts)
    expected = {201: 2, (409, "insufficient-stock"): 3} if by_phone.is_redirect else {201: 5}
    assert tally(by_app) == expected
    assert by_phone.status_code == (302 if by_phone.is_redirect else 200)
    assert Order.objects.count() == (3 if by_phone.is_redirect else 5)
    assert Product.objects.get().stock == 0
    assert list(find_drift()) == []


def test_concurrent_submits_create_one_order_and_one_customer(press):
    mat = factories.create_product("Mat", stock=3)
    nora = {"email": "nora@example.com", "first_name": "Nora", "last_name": "New"}
    answers = run_concurrently(*[press(mat, 3, **nora)] * 8)
    page = f"/admin/shop/order/{Order.objects.get().pk}/change/"
    assert [(answer.status_code, answer.headers.get("Location")) for answer in answers] == [
        (302, page)
    ] * 8
    assert (User.objects.filter(role="customer").count(), IdempotencyKey.objects.count()) == (1, 1)
    assert Product.objects.get().stock == 0
    assert list(find_drift()) == []
