"""`Idempotency-Key` on every POST that changes something, except checkout's own tests."""

import hashlib
import json
import time

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.db import connection
from django.db.models import F
from django.utils import timezone
from django.utils.http import urlsafe_base64_encode
from django_otp.plugins.otp_totp.models import TOTPDevice
from pydantic import BaseModel, Field
from support import factories, totp
from support.api_operations import BODIES, OPERATIONS

from shop import caching
from shop.api import model_endpoints, tokens
from shop.api.idempotency import request_text
from shop.models import CartItem, IdempotencyKey, Order, Product, Session, User
from shop.services import accounts, sessions

KEY = {"Idempotency-Key": "a-key"}
NEW = BODIES["RegisterIn"]
AUTHENTICATED_POSTS = {
    operation.id: operation
    for operation in OPERATIONS
    if operation.method == "post" and operation.is_protected and operation.id != "logout"
}
#: What staff do with delivered orders.
AFTER_DELIVERY = {"set_tracking", "refund_order", "return_items"}


def rows():
    return {name: values for name, values in factories.all_rows().items() if name != "Session"}


@pytest.fixture
def body_of(mug, lamp):
    bodies = {
        "add_to_cart": {"product_id": mug.pk, "quantity": 1},
        "return_items": {"items": [{"product_id": lamp.pk, "put_back": 1}]},
    }
    return lambda operation: bodies.get(operation.id)


@pytest.mark.parametrize("name", sorted(AUTHENTICATED_POSTS))
def test_a_repeated_call_gets_the_same_response(adas_app, ids, ada, body_of, name):
    operation = AUTHENTICATED_POSTS[name]
    if name == "create_order":
        factories.add_to_cart(ada, (Product.objects.get(pk=ids["product_id"]), 1))
    if name in AFTER_DELIVERY:
        Order.objects.update(
            status="delivered", shipped_at=timezone.now(), paid_amount=F("total_amount")
        )

    def send():
        body = body_of(operation) or BODIES[operation.schemas[0]]
        return adas_app.call("post", operation.url(ids), body, **KEY)

    first, before = send(), rows()
    again = send()
    assert 200 <= first.status_code < 300, first.content
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.get("ETag") == first.get("ETag")
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    assert rows() == before


def test_logging_out_twice_ends_the_session_once(carls_app):
    assert carls_app.post("/auth/logout/", **KEY).status_code == 204
    assert factories.problem_code(carls_app.post("/auth/logout/", **KEY)) == (401, "token-invalid")
    assert IdempotencyKey.objects.count() == 0


def test_the_etag_is_replayed(adas_app, mug):
    responses = [adas_app.post(f"/products/{mug.pk}/stock/", {"delta": 1}, **KEY) for _ in "12"]
    assert (
        responses[0]["ETag"] == responses[1]["ETag"] == adas_app.get(f"/products/{mug.pk}/")["ETag"]
    )
    assert Product.objects.get().stock == 11


def test_a_key_belongs_to_one_url_and_body(adas_app, mug, lamp, unchanged):
    adas_app.post(f"/products/{mug.pk}/stock/", {"delta": 1}, **KEY)
    with unchanged():
        for path, body in [
            (f"/products/{lamp.pk}/stock/", {"delta": 1}),
            (f"/products/{mug.pk}/stock/", {"delta": 2}),
            ("/cart/", {"product_id": mug.pk}),
        ]:
            response = adas_app.post(path, body, **KEY)
            assert factories.problem_code(response) == (422, "idempotency-key-reused"), path


def test_a_refusal_stores_no_key(carls_app, mug, unchanged):
    with unchanged():
        response = carls_app.post("/cart/", {"product_id": mug.pk, "quantity": 11}, **KEY)
    assert factories.problem_code(response) == (409, "insufficient-stock")
    assert carls_app.post("/cart/", {"product_id": mug.pk}, **KEY).status_code == 201


def test_without_a_key_nothing_is_stored(carls_app, mug, statements):
    carls_app.post("/cart/", {"product_id": mug.pk})
    with statements(4):
        carls_app.post("/cart/", {"product_id": mug.pk})
    assert (CartItem.objects.get().quantity, IdempotencyKey.objects.count()) == (2, 0)


def test_a_password_is_stored_by_a_keyed_hash_only(carls_app):
    path, body = "/auth/password/change/", BODIES["PasswordChangeIn"]
    assert carls_app.post(path, body, **KEY).status_code == 204
    compact = json.dumps(body, separators=(",", ":"))
    for text in (compact, f"POST /api{path}\n{compact}"):
        plain = hashlib.sha256(text.encode()).hexdigest()
        assert IdempotencyKey.objects.get().fingerprint != plain


def test_a_new_optional_field_keeps_the_meaning_of_stored_keys(rf):
    class Body(BaseModel):
        name: str

    class BodyOfTheNextRelease(Body):
        note: str = ""
        tags: list[str] = Field(default_factory=list)

    request = rf.post("/")
    bodies = [Body(name="A"), *(BodyOfTheNextRelease(name="A", **v) for v in ({}, {"note": ""}))]
    assert len({request_text(request, body) for body in bodies}) == 1
    changed = BodyOfTheNextRelease(name="A", note="x")
    assert request_text(request, changed) != request_text(request, bodies[0])


def record_transaction(function, name, calls):
    def run(*args, **options):
        calls.append((name, connection.in_atomic_block))
        return function(*args, **options)

    return run


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("call", ["change", "reset/confirm"])
def test_passwords_are_counted_checked_and_hashed_before_the_transaction(
    carls_app, carl, monkeypatch, call
):
    calls = []
    for owner, name in (
        (caching, "increment"),
        (User, "check_password"),
        (accounts, "validate_password"),
        (accounts, "hash_password"),
    ):
        monkeypatch.setattr(owner, name, record_transaction(getattr(owner, name), name, calls))
    body = BODIES["PasswordChangeIn"] if call == "change" else reset_body(carl)
    assert carls_app.post(f"/auth/password/{call}/", body, **KEY).status_code == 204
    assert {is_inside for _name, is_inside in calls} == {False}
    assert {"increment", "validate_password", "hash_password"} <= {name for name, _ in calls}
    assert IdempotencyKey.objects.count() == 1


def test_the_endpoint_that_creates_a_generated_models_record_takes_a_key():
    router = model_endpoints.build_router(Product)
    (operation,) = (
        operation
        for view in router.path_operations.values()
        for operation in view.operations
        if operation.methods == ["POST"]
    )
    headers = [m for m in operation.models if m.__ninja_param_source__ == "header"]
    assert [list(model.__ninja_flatten_map__) for model in headers] == [["Idempotency-Key"]]


def test_registering_twice_with_a_key_returns_the_same_session(strangers_app, unchanged):
    first = strangers_app.post("/auth/register/", NEW, **KEY)
    with unchanged():
        again = strangers_app.post("/auth/register/", NEW, **KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json() | {"expires_in": again.json()["expires_in"]}
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    assert IdempotencyKey.objects.get().answer == str(Session.objects.get().pk)


@pytest.mark.parametrize(
    ("key", "change"),
    [("a-key", {"password": "another-horse-9"}), ("a-key", {"phone": "2"}), ("other", {})],
)
def test_registering_with_another_key_or_body_is_refused(strangers_app, unchanged, key, change):
    strangers_app.post("/auth/register/", NEW, **KEY)
    with unchanged():
        response = strangers_app.post("/auth/register/", NEW | change, **{"Idempotency-Key": key})
    assert factories.problem_code(response) == (409, "email-taken")


@pytest.mark.parametrize("call", ["register", "login"])
def test_a_session_that_has_ended_is_not_returned(strangers_app, unchanged, call):
    strangers_app.post("/auth/register/", NEW, **({} if call == "login" else KEY))
    login = {name: NEW[name] for name in ("email", "password")}
    body = NEW if call == "register" else login
    strangers_app.post(f"/auth/{call}/", body, **KEY)
    sessions.end_sessions(User.objects.get(), because="logout")
    with unchanged():
        response = strangers_app.post(f"/auth/{call}/", body, **KEY)
    assert factories.problem_code(response) == (401, "token-invalid")


def test_logging_in_twice_with_a_key_opens_one_session(strangers_app, carl, unchanged):
    body = {"email": carl.email, "password": factories.PASSWORD}
    first = strangers_app.post("/auth/login/", body, **KEY)
    with unchanged():
        again = strangers_app.post("/auth/login/", body, **KEY)
        wrong = strangers_app.post("/auth/login/", body | {"password": "wrong"}, **KEY)
        other = strangers_app.post("/auth/login/", body | {"otp": "1"}, **KEY)
    assert (first.status_code, again.status_code) == (200, 200)
    assert [first.json()[n] == again.json()[n] for n in ("access", "refresh")] == [True, True]
    assert again["Idempotent-Replayed"] == "true"
    assert factories.problem_code(wrong) == (401, "invalid-credentials")
    assert factories.problem_code(other) == (422, "idempotency-key-reused")


def test_a_login_with_a_code_is_replayed_though_the_code_works_once(
    strangers_app, ada, settings, unchanged
):
    settings.SHOP_TWO_FACTOR = "optional"
    totp.create_device(ada)
    body = {"email": ada.email, "password": factories.PASSWORD}
    body["otp"] = totp.code_at(time.time())
    first = strangers_app.post("/auth/login/", body, **KEY)
    used = TOTPDevice.objects.values().get()
    with unchanged():
        again = strangers_app.post("/auth/login/", body, **KEY)
        without = strangers_app.post("/auth/login/", body)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["access"] == again.json()["access"]
    assert factories.problem_code(without) == (401, "otp-required")
    assert used["last_t"] == TOTPDevice.objects.get().last_t


def test_a_replayed_login_signs_the_tokens_of_today(strangers_app, carl):
    body = {"email": carl.email, "password": factories.PASSWORD}
    first = strangers_app.post("/auth/login/", body, **KEY).json()
    strangers_app.post("/auth/refresh/", {"refresh": first["refresh"]})
    again = strangers_app.post("/auth/login/", body, **KEY).json()
    session = Session.objects.get()
    assert again["refresh"] == tokens.sign_token(session, "refresh") != first["refresh"]
    assert session.is_live(timezone.now())


def reset_body(user):
    return {
        "uid": urlsafe_base64_encode(str(user.pk).encode()),
        "token": default_token_generator.make_token(user),
        "new_password": "another-horse-9",
    }


def test_confirming_a_reset_twice_with_a_key_succeeds_twice(strangers_app, carl, unchanged):
    body = reset_body(carl)
    path = "/auth/password/reset/confirm/"
    with unchanged():
        wrong = strangers_app.post(path, body | {"token": "x"}, **KEY)
        unknown = strangers_app.post(path, body | {"uid": "x"}, **KEY)
    assert [factories.problem_code(r) for r in (wrong, unknown)] == [
        (422, "reset-token-invalid")
    ] * 2
    assert strangers_app.post(path, body, **KEY).status_code == 204
    with unchanged():
        assert strangers_app.post(path, body, **KEY)["Idempotent-Replayed"] == "true"
        other = strangers_app.post(path, body | {"new_password": "third-horse-9"}, **KEY)
        assert factories.problem_code(other) == (422, "idempotency-key-reused")
        assert strangers_app.post(path, body).status_code == 422
