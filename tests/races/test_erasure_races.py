"""A customer checks out while staff erase their account: one of both succeeds."""

import re

import httpx
import pytest
from django.conf import settings
from support import factories
from support.concurrency import TIMEOUT_SECONDS, run_concurrently

from shop.models import Order, User
from shop.services.stock import find_drift

pytestmark = pytest.mark.django_db(transaction=True)
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@pytest.fixture
def erase(http, ada):
    """`erase(user)`: open the confirmation page as Ada; the returned function sends its form."""
    session = factories.staff_client(ada).cookies[settings.SESSION_COOKIE_NAME].value
    cookies = {settings.SESSION_COOKIE_NAME: session}
    options = {"base_url": http.base_url, "trust_env": False, "timeout": TIMEOUT_SECONDS}
    with httpx.Client(cookies=cookies, **options) as browser:

        def erase(user):
            page = f"/admin/shop/user/{user.pk}/erase/"
            fields = dict(HIDDEN.findall(browser.get(page).text))
            return lambda: browser.post(page, data=fields)

        yield erase


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "once"}])
def test_a_customer_is_erased_or_has_an_order(buyers, erase, key):
    mat = factories.create_product("Mat", stock=20)
    customers = buyers(10)
    for user, _ in customers:
        factories.add_to_cart(user, (mat, 1))
    erasures = [erase(user) for user, _ in customers]
    orders = [
        app("POST", "/orders/create/", {"shipping_address": "1 Elm"}, **key) for _, app in customers
    ]
    answers = run_concurrently(
        *[call for pair in zip(erasures, orders, strict=True) for call in pair]
    )
    for (user, _), erased, ordered in zip(customers, answers[::2], answers[1::2], strict=True):
        is_erased = User.objects.get(pk=user.pk).email != user.email
        assert (erased.status_code, ordered.status_code) in {(302, 401), (302, 409), (200, 201)}
        assert is_erased is erased.is_redirect
        assert Order.objects.filter(user=user).exists() is not is_erased
    assert list(find_drift()) == []
