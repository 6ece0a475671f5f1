from types import SimpleNamespace

import pytest
from django.db import (
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
)
from django.test import Client
from django.utils.http import urlsafe_base64_encode
from support import factories
from support.api_operations import OPERATIONS

from settings import env
from settings.env import Rate
from shop import throttling
from shop.api import cart, tokens
from shop.services import accounts

METHODS = {"get", "post", "put", "patch", "delete"}
JSON = "application/json"
NEEDS_NO_DATABASE = {"refresh", "set_image"}


@pytest.fixture
def quiet_app(carls_app):
    """Carl's app, that sees an answer where Django's test client would raise."""
    carls_app.client.raise_request_exception = False
    return carls_app


@pytest.mark.parametrize(
    "path", ["/nothing/", "/products/1/nothing/", "/", "/cart/1/2/", "/openapi.json/"]
)
def test_an_unknown_address_is_not_found(carls_app, path):
    for method in METHODS:
        assert factories.problem_code(carls_app.call(method, path)) == (404, "not-found"), method


def test_a_method_that_is_not_known_is_refused_with_those_that_are(adas_app, ids, unchanged):
    with unchanged():
        for path in {operation.path for operation in OPERATIONS}:
            known = {operation.method for operation in OPERATIONS if operation.path == path}
            for method in [*METHODS - known, "options", "trace"]:
                response = adas_app.call(method, path.removeprefix("/api").format(**ids))
                assert factories.problem_code(response) == (405, "method-not-allowed"), (
                    method,
                    path,
                )
                assert {one.strip().lower() for one in response["Allow"].split(",")} == known, path


def test_an_address_without_its_slash_is_not_redirected(adas_app, ids, unchanged):
    with unchanged():
        for operation in OPERATIONS:
            response = adas_app.call(operation.method, operation.address(ids).rstrip("/"), {})
            assert factories.problem_code(response) == (404, "not-found"), operation.id
            assert "slash" in response.json()["detail"]


def test_a_body_up_to_256_kb_is_read(carls_app, carls_line, unchanged):
    body = b'{"quantity": 1, "x": "%s"}'
    largest = body % (b"x" * (256 * 1024 - len(body) + 2))
    with unchanged():
        read = carls_app.put(f"/cart/{carls_line.pk}/", largest)
        refused = carls_app.put(f"/cart/{carls_line.pk}/", largest + b" ")
    assert (len(largest), factories.problem_code(read)) == (256 * 1024, (422, "invalid"))
    assert factories.problem_code(refused) == (413, "too-large")


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "x",
    ],
)
def test_another_content_type_is_refused(carls_app, mug, unchanged, kind):
    headers = {"Authorization": f"Bearer {carls_app.token}"}
    body = f'{{"product_id": {mug.pk}}}'
    with unchanged():
        response = carls_app.client.post("/api/cart/", body, content_type=kind, headers=headers)
    assert factories.problem_code(response) == (415, "unsupported-media-type")


@pytest.mark.parametrize("kind", [JSON, f"{JSON}; charset=utf-8", "Application/JSON"])
def test_json_may_be_named_in_every_way(carls_app, mug, kind):
    headers = {"Authorization": f"Bearer {carls_app.token}"}
    body = f'{{"product_id": {mug.pk}}}'
    assert (
        carls_app.client.post("/api/cart/", body, content_type=kind, headers=headers).status_code
        == 201
    )


@pytest.fixture
def clock(monkeypatch):
    """A clock for counting calls, 20 seconds before a minute is full."""
    time = SimpleNamespace(now=1_000_000_000)
    monkeypatch.setattr(throttling, "time", SimpleNamespace(time=lambda: time.now))
    return time


def limit(settings, **rates):
    settings.SHOP_RATES = settings.SHOP_RATES | {
        scope: Rate(calls, 60) for scope, calls in rates.items()
    }


@pytest.mark.parametrize("who", ["carls_app", "strangers_app"])
def test_too_many_calls_have_to_wait(request, settings, clock, mug, who):
    settings.SHOP_PUBLIC_CATALOG = True
    limit(settings, api=2)
    app, path = request.getfixturevalue(who), f"/products/{mug.pk}/"
    assert [app.get(path).status_code for _ in range(3)] == [200, 200, 429]
    response = app.get(path)
    assert (factories.problem_code(response), response["Retry-After"]) == (
        (429, "too-many-calls"),
        "20",
    )
    clock.now += 20
    assert app.get(path).status_code == 200


def test_each_user_has_calls_of_their_own(carls_app, doras_app, settings, clock):
    limit(settings, api=1)
    apps = [carls_app, doras_app, carls_app, doras_app]
    assert [app.get("/cart/").status_code for app in apps] == [200, 200, 429, 429]
    assert clock.now == 1_000_000_000


@pytest.mark.usefixtures("clock")
def test_a_user_with_two_devices_has_one_rate(carls_app, carl, settings):
    limit(settings, api=1)
    assert [app.get("/cart/").status_code for app in (carls_app, factories.api_client(carl))] == [
        200,
        429,
    ]


SIGN_IN = {"email": "carl@example.com", "password": "wrong"}


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("proxies", "forwarded", "statuses"),
    [
        (0, ["1.1.1.1", "2.2.2.2", "3.3.3.3"], [401, 401, 429]),
        (1, ["1.1.1.1, 9.9.9.9", "2.2.2.2, 9.9.9.9", "3.3.3.3,9.9.9.9"], [401, 401, 429]),
        (1, ["9.9.9.9, 1.1.1.1", "9.9.9.9, 2.2.2.2", "9.9.9.9, 3.3.3.3"], [401, 401, 401]),
        (2, ["1.1.1.1, 9.9.9.9, 8.8.8.8", "9.9.9.9, 7.7.7.7", "9.9.9.9,8.8.8.8"], [401, 401, 429]),
        (2, ["1.1.1.1", "2.2.2.2", "3.3.3.3"], [401, 401, 429]),
        (1, ["a b", "a b", "a b"], [401, 401, 429]),
        (1, ["", "", ""], [401, 401, 429]),
        (1, ["x" * 5000] * 3, [401, 401, 429]),
    ],
)
def test_a_forged_forwarding_does_not_dodge_the_limit(
    strangers_app, settings, proxies, forwarded, statuses
):
    settings.SHOP_TRUSTED_PROXIES = proxies
    limit(settings, login=2)
    bodies = [SIGN_IN | {"email": f"{n}@example.com"} for n in range(3)]
    answers = [
        strangers_app.post("/auth/login/", body, **{"X-Forwarded-For": value})
        for body, value in zip(bodies, forwarded, strict=True)
    ]
    assert [answer.status_code for answer in answers] == statuses


@pytest.mark.usefixtures("clock", "carl")
def test_one_account_cannot_be_guessed_at_from_many_addresses(strangers_app, settings):
    settings.SHOP_TRUSTED_PROXIES = 1
    limit(settings, login=2)
    emails = ["carl@example.com", "CARL@example.com", " Carl@example.com"]
    answers = [
        strangers_app.post(
            "/auth/login/", SIGN_IN | {"email": email}, **{"X-Forwarded-For": f"{n}.1.1.1"}
        )
        for n, email in enumerate(emails)
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 429]


@pytest.mark.usefixtures("clock")
def test_a_correct_password_does_not_get_past_the_limit(strangers_app, carl, settings):
    limit(settings, login=1)
    strangers_app.post("/auth/login/", SIGN_IN)
    response = strangers_app.post(
        "/auth/login/", {"email": carl.email, "password": factories.PASSWORD}
    )
    assert factories.problem_code(response) == (429, "too-many-calls")


COUNTED = {
    "login": lambda n, _: ("login", {"email": f"{n}@example.com", "password": "wrong"}),
    "register": lambda n, _: (
        "register",
        {"email": f"{n}@example.com", "password": "x", "first_name": "A", "last_name": "B"},
    ),
    "password/reset": lambda n, _: ("login", {"email": f"{n}@example.com"}),
    "password/reset/confirm": lambda n, _: (
        "login",
        {"uid": urlsafe_base64_encode(b"%d" % n), "token": "x", "new_password": "x"},
    ),
    "refresh": lambda n, sessions: ("api", {"refresh": tokens.sign_token(sessions[n], "refresh")}),
}


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("call", COUNTED)
@pytest.mark.parametrize("by", ["address", "account"])
def test_who_tries_to_get_in_is_counted_by_address_and_by_account(
    settings, carl, dora, ada, call, by
):
    sessions = [accounts._open_session(user, "") for user in (carl, dora, ada)]
    limit(settings, **{COUNTED[call](0, sessions)[0]: 2})
    statuses = []
    for n in range(3):
        _, body = COUNTED[call](n if by == "address" else 0, sessions)
        browser = Client(REMOTE_ADDR="10.0.0.1" if by == "address" else f"10.0.0.{n}")
        answer = browser.post(f"/api/auth/{call}/", body, content_type=JSON)
        statuses.append(answer.status_code)
    assert 429 not in statuses[:2]
    assert (statuses[2], answer["Retry-After"]) == (429, "20")


@pytest.mark.usefixtures("clock")
def test_a_reset_is_counted_however_its_account_is_written(settings, strangers_app):
    limit(settings, login=2)
    settings.SHOP_TRUSTED_PROXIES = 1
    answers = [
        strangers_app.post(
            "/auth/password/reset/confirm/",
            {"uid": urlsafe_base64_encode(uid), "token": "x", "new_password": "x"},
            **{"X-Forwarded-For": f"{n}.1.1.1"},
        )
        for n, uid in enumerate((b"7", b"07", b" 7"))
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 429]


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, InternalError])
def test_while_the_database_is_away_every_call_says_so(adas_app, ids, monkeypatch, error):
    def away(*_, **__):
        raise error("connection to server at 10.0.0.1 failed: SECRET")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", away)
        calls = [op for op in OPERATIONS if op.id not in NEEDS_NO_DATABASE]
        answers = {op.id: op.call(adas_app, ids) for op in calls}
    for call, response in answers.items():
        assert factories.problem_code(response) == (503, "unavailable"), call
        assert (response["Retry-After"], b"SECRET" in response.content) == ("1", False), call


def test_health_needs_no_token(strangers_app):
    response = strangers_app.get("/health/")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (IntegrityError("UNIQUE SECRET"), (409, "conflict")),
        (DataError("SECRET out of range"), (422, "invalid")),
        (RuntimeError("SECRET"), (500, "internal-error")),
        (KeyError("SECRET"), (500, "internal-error")),
        (RecursionError("SECRET"), (500, "internal-error")),
    ],
)
def test_a_fault_inside_is_told_without_its_details(
    carls_app, monkeypatch, unchanged, error, expected
):
    def fail(**_):
        raise error

    monkeypatch.setattr(cart.cart, "clear_cart", fail)
    with unchanged():
        response = carls_app.delete("/cart/clear/")
    assert factories.problem_code(response) == expected
    assert not any(
        word in response.content for word in (b"SECRET", b"Traceback", b".py", b"Error:")
    )


def test_a_fault_outside_the_endpoints_is_a_problem_too(quiet_app, monkeypatch):
    monkeypatch.setattr(throttling, "check_rate", None)
    monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_response", None)
    response = quiet_app.get("/cart/")
    assert factories.problem_code(response) == (500, "internal-error")


def test_answers_are_not_kept_by_anyone(carls_app, strangers_app, mug):
    assert carls_app.get(f"/products/{mug.pk}/")["Cache-Control"] == "private, no-cache"
    for response in (
        carls_app.get("/cart/"),
        strangers_app.get("/cart/"),
        carls_app.get("/nothing/"),
    ):
        assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("origin", "allowed"), [("https://app.example.com", True), ("https://evil.test", False)]
)
def test_only_our_apps_may_call_from_a_browser(origin, allowed):
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    response = Client().options("/api/cart/", headers=headers)
    assert (response.get("Access-Control-Allow-Origin") == origin) is allowed


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("x", "text/plain", 415),
        (" " * 300_000, "application/json", 413),
        ("{", "application/json", 400),
    ],
)
def test_a_browser_may_read_every_refusal(strangers_app, body, content_type, status):
    headers = {"Origin": "https://app.example.com"}
    response = strangers_app.client.post("/api/auth/login/", body, content_type, headers=headers)
    assert response.status_code == status
    assert response["Access-Control-Allow-Origin"] == headers["Origin"]


def test_a_cache_that_is_away_is_told(carls_app, settings):
    settings.CACHES = {"default": env.cache("redis://127.0.0.1:1/0")}
    assert factories.problem_code(carls_app.get("/cart/")) == (503, "unavailable")
