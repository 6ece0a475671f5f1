"""Concurrent calls with one `Idempotency-Key`, and the first use of a refreshed session."""

import pytest
from support import factories
from support.concurrency import run_concurrently, tally

from shop.api import tokens
from shop.models import IdempotencyKey, Product, Session, User
from shop.services.sessions import open_session

pytestmark = pytest.mark.django_db(transaction=True)
KEY = {"Idempotency-Key": "a-key"}
CALLS = 8


def bearer(user):
    return {"Authorization": f"Bearer {tokens.sign_token(open_session(user, ''), 'access')}"}


def count_replays(answers):
    return sum("Idempotent-Replayed" in answer.headers for answer in answers)


def test_concurrent_stock_changes_with_a_key_are_one(http, ada, mug):
    path, headers = f"/api/products/{mug.pk}/stock/", bearer(ada) | KEY
    answers = run_concurrently(
        *[lambda: http.post(path, json={"delta": 3}, headers=headers)] * CALLS
    )
    assert (tally(answers), count_replays(answers)) == ({200: CALLS}, CALLS - 1)
    assert len({(answer.content, answer.headers["ETag"]) for answer in answers}) == 1
    assert (Product.objects.get().stock, IdempotencyKey.objects.count()) == (13, 1)


def test_concurrent_registrations_with_a_key_are_one(http):
    body = {
        "email": "dora@example.com",
        "password": "correct-horse-7",
        "first_name": "Dora",
        "last_name": "Stranger",
    }
    answers = run_concurrently(
        *[lambda: http.post("/api/auth/register/", json=body, headers=KEY)] * CALLS
    )
    assert (tally(answers), count_replays(answers)) == ({201: CALLS}, CALLS - 1)
    assert len({answer.json()["refresh"] for answer in answers}) == 1
    assert (User.objects.count(), Session.objects.count()) == (1, 1)


def test_concurrent_logins_with_a_key_open_one_session(http, carl):
    body = {"email": carl.email, "password": factories.PASSWORD}
    answers = run_concurrently(
        *[lambda: http.post("/api/auth/login/", json=body, headers=KEY)] * CALLS
    )
    assert (tally(answers), count_replays(answers)) == ({200: CALLS}, CALLS - 1)
    assert Session.objects.count() == 1


def test_concurrent_first_calls_after_a_refresh_all_pass(http, carl):
    token = tokens.sign_token(open_session(carl, ""), "refresh")
    access = http.post("/api/auth/refresh/", json={"refresh": token}).json()["access"]
    headers = {"Authorization": f"Bearer {access}"}
    answers = run_concurrently(*[lambda: http.get("/api/cart/", headers=headers)] * CALLS)
    assert tally(answers) == {200: CALLS}
    assert Session.objects.get().successor_used is True


def test_a_chunked_body_is_refused(http, carl, mug):
    body = b'{"product_id": %d}' % mug.pk
    answer = http.post("/api/cart/", content=iter([body]), headers=bearer(carl))
    assert (answer.status_code, answer.json()["code"]) == (411, "length-required")


def test_head_has_the_length_of_get(http, carl):
    headers = bearer(carl) | {"Accept-Encoding": "identity"}
    for path in ("/api/cart/", "/api/health/", "/api/nothing/", "/api/orders/create/"):
        head, get = http.head(path, headers=headers), http.get(path, headers=headers)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers["Content-Length"] == str(len(get.content))
