"""Contents of the log, and the personal data that must not be in it."""

import io
import json
import logging

import pytest
from django.test import Client
from support import factories

from shop import json_logging
from shop.services import accounts, orders

ADDRESS = '17 Quiet Row\nHampton "The Elms"\nTW9 3AB'
PASSWORD, WRONG, NEW = "correct-horse-7", "incorrect-horse-8", "another-horse-9"
PROFILE = {"first_name": "Nell", "last_name": "Quietly", "phone": "+44 20 7946 0000"}
EMAIL = "nell.quietly@example.com"


@pytest.fixture
def log_records():
    """A function that returns the records logged so far, formatted as in production."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(json_logging.JsonFormatter())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: [json.loads(line) for line in text.getvalue().splitlines()]
    root.setLevel(before)
    root.removeHandler(handler)


@pytest.fixture
def app(db):
    return factories.ApiClient(Client(raise_request_exception=False))


def raise_with_values(**values):
    """Raise an error whose message contains all arguments."""
    raise RuntimeError(
        f"Could not do {values}: {values.get('shipping_address')} {list(values.values())}"
    )


def test_no_log_line_contains_personal_data(app, mug, log_records, monkeypatch):
    session = app.post("/auth/register/", {"email": EMAIL, "password": PASSWORD, **PROFILE}).json()
    app.post("/auth/login/", {"email": EMAIL, "password": WRONG})
    app.post("/auth/login/", {"email": EMAIL, "password": PASSWORD})
    fresh = app.post("/auth/refresh/", {"refresh": session["refresh"]}).json()
    app.token = fresh["access"]
    app.post("/cart/", {"product_id": mug.pk})
    order = {
        "shipping_address": ADDRESS,
        "note": "Ring at the garden gate",
        "payment_method": "card",
    }
    assert (
        app.post("/orders/create/", {**order, "payment_token": "tok_declined"}).status_code == 402
    )
    monkeypatch.setattr(orders, "place_order", raise_with_values)
    paid = {**order, "payment_token": "tok_success"}
    assert app.post("/orders/create/", paid).status_code == 500
    monkeypatch.setattr(accounts, "login", raise_with_values)
    assert app.post("/auth/login/", {"email": EMAIL, "password": WRONG}).status_code == 500
    monkeypatch.setattr(
        "django.contrib.auth.forms.authenticate", lambda _request, **v: raise_with_values(**v)
    )
    browser = Client(raise_request_exception=False)
    assert browser.post("/admin/login/", {"username": EMAIL, "password": NEW}).status_code == 500
    log = json.dumps(log_records(), ensure_ascii=False)
    assert sum("Could not do" in line.get("error", "") for line in log_records()) == 3
    tokens = [session["access"], session["refresh"], fresh["access"], fresh["refresh"]]
    lines = [*ADDRESS.split("\n"), "The Elms", "Ring at the garden gate"]
    for secret in [PASSWORD, WRONG, NEW, EMAIL, PROFILE["phone"], *tokens, *lines]:
        assert secret not in log, secret


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Authorization: Bearer abc.def", "Authorization: [hidden]"),
        ("sent 'Bearer abc.def' on", "sent '[hidden] on"),
        ("Cookie: sessionid=abc; csrftoken=def\nnext", "Cookie: [hidden]\nnext"),
        ("{'password': 'a b', 'id': 3}", "{'password': [hidden], 'id': 3}"),
        ('{"new_password": "a\\"b", "id": 3}', '{"new_password": [hidden], "id": 3}'),
        ("shipping_address='1 Fern\\nLane', id=3", "shipping_address=[hidden], id=3"),
        ("mail to carl@example.com failed", "mail to [hidden] failed"),
        ("pbkdf2_sha256$1000$salt$hash= is", "[hidden] is"),
        ("postgres://shop:secret@db:5432/shop", "postgres://[hidden]@db:5432/shop"),
        ("failed\nDETAIL:  Row (3, 1 Fern\nLane).", "failed\nDETAIL:[hidden]"),
        ("failed\nDETAIL:  Row (3).\n\nThe above", "failed\nDETAIL:[hidden]\n\nThe above"),
        ("tok eyJhbGciOiJI.eyJpc3Mi.c2ln end", "tok [hidden] end"),
        ("Unauthorized: /api/auth/password/change/", "Unauthorized: /api/auth/password/change/"),
        ("Not Found: /admin/shop/order/12/", "Not Found: /admin/shop/order/12/"),
        *(
            (text * 5000, text * 5000) for text in ("a", "-", "eyJ", "token")
        ),  # no catastrophic backtracking
    ],
)
def test_values_that_look_secret_are_redacted(text, redacted):
    assert json_logging.redact(text) == redacted


def test_a_record_is_one_line(log_records):
    logging.getLogger("shop").warning("one\ntwo\r\u2028%s", '{"level": "INFO"}')
    (line,) = log_records()
    assert line["message"] == 'one\ntwo\r\u2028{"level": "INFO"}'
    assert (line["level"], line["logger"], line.keys() & {"error"}) == ("WARNING", "shop", set())


def test_log_lines_and_the_response_have_the_same_request_id(strangers_app, log_records):
    first, second = (strangers_app.get("/cart/", **{"X-Request-Id": "mine"}) for _ in range(2))
    numbers = [line["request_id"] for line in log_records() if line["logger"] == "django.request"]
    assert numbers == [first["X-Request-Id"], second["X-Request-Id"]]
    assert len({*numbers, "mine", ""}) == 4


def test_a_server_error_contains_only_the_request_id(app, carl, log_records, monkeypatch):
    app.token = factories.api_client(carl).token
    monkeypatch.setattr("shop.services.cart.clear_cart", raise_with_values)
    response = app.delete("/cart/clear/")
    body = response.json()
    assert body.pop("detail")
    assert body == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "code": "internal-error",
        "request_id": response["X-Request-Id"],
    }
    (line,) = [line for line in log_records() if "error" in line]
    assert line["request_id"] == response["X-Request-Id"]
    assert "RuntimeError: Could not do" in line["error"]
