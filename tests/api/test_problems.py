import json
from types import SimpleNamespace

import pytest
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
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

from settings.env import Rate
from shop import throttling
from shop.api import cart, tokens
from shop.api.problems import HANDLERS
from shop.services import sessions

METHODS = {"get", "post", "put", "patch", "delete"}
JSON = "application/json"
WITHOUT_DATABASE = {"refresh", *(op.id for op in OPERATIONS if op.takes_a_file)}


@pytest.fixture
def quiet_app(carls_app):
    """Carl's API client, which returns a response where Django's would raise."""
    carls_app.client.raise_request_exception = False
    return carls_app


@pytest.mark.parametrize(
    "path", ["/nothing/", "/products/1/nothing/", "/", "/cart/1/2/", "/openapi.json/"]
)
def test_an_unknown_url_is_not_found(carls_app, path):
    for method in METHODS:
        assert factories.problem_code(carls_app.call(method, path)) == (404, "not-found"), method


def test_a_wrong_method_is_refused_with_the_allowed_ones(adas_app, ids, unchanged):
    with unchanged():
        for path in {operation.path for operation in OPERATIONS}:
            allowed = {operation.method for operation in OPERATIONS if operation.path == path}
            for method in [*METHODS - allowed, "options", "trace"]:
                response = adas_app.call(method, path.removeprefix("/api").format(**ids))
                assert factories.problem_code(response) == (405, "method-not-allowed"), (
                    method,
                    path,
                )
                expected = allowed | ({"head"} if "get" in allowed else set())
                assert response["Allow"] == ", ".join(sorted(expected)).upper(), path


def test_a_url_without_the_final_slash_is_not_redirected(adas_app, ids, unchanged):
    with unchanged():
        for operation in OPERATIONS:
            response = adas_app.call(operation.method, operation.url(ids).rstrip("/"), {})
            assert factories.problem_code(response) == (404, "not-found"), operation.id
            assert "slash" in response.json()["detail"]


def test_a_body_of_up_to_256_kb_is_accepted(carls_app, carls_line, unchanged):
    body = b'{"quantity": 1, "x": "%s"}'
    largest = body % (b"x" * (256 * 1024 - len(body) + 2))
    with unchanged():
        accepted = carls_app.put(f"/cart/{carls_line.pk}/", largest)
        refused = carls_app.put(f"/cart/{carls_line.pk}/", largest + b" ")
    assert (len(largest), factories.problem_code(accepted)) == (256 * 1024, (422, "invalid"))
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
def test_the_json_content_type_has_several_spellings(carls_app, mug, kind):
    headers = {"Authorization": f"Bearer {carls_app.token}"}
    body = f'{{"product_id": {mug.pk}}}'
    assert (
        carls_app.client.post("/api/cart/", body, content_type=kind, headers=headers).status_code
        == 201
    )


@pytest.fixture
def clock(monkeypatch):
    """The clock of the rate limits, 20 seconds before the end of a minute."""
    time = SimpleNamespace(now=1_000_000_000)
    monkeypatch.setattr(throttling, "time", SimpleNamespace(time=lambda: time.now))
    return time


def set_rates(settings, **rates):
    settings.SHOP_RATES = settings.SHOP_RATES | {
        scope: Rate(calls, 60) for scope, calls in rates.items()
    }


@pytest.mark.parametrize("fixture", ["carls_app", "strangers_app"])
def test_calls_over_the_rate_limit_are_refused(request, settings, clock, mug, fixture):
    settings.SHOP_PUBLIC_CATALOG = True
    set_rates(settings, api=2)
    app, path = request.getfixturevalue(fixture), f"/products/{mug.pk}/"
    assert [app.get(path).status_code for _ in range(3)] == [200, 200, 429]
    response = app.get(path)
    assert (factories.problem_code(response), response["Retry-After"]) == (
        (429, "too-many-calls"),
        "20",
    )
    clock.now += 20
    assert app.get(path).status_code == 200


def test_each_user_has_a_rate_limit_of_their_own(carls_app, doras_app, settings, clock):
    set_rates(settings, api=1)
    apps = [carls_app, doras_app, carls_app, doras_app]
    assert [app.get("/cart/").status_code for app in apps] == [200, 200, 429, 429]
    assert clock.now == 1_000_000_000


@pytest.mark.usefixtures("clock")
def test_two_devices_of_a_user_share_the_rate_limit(carls_app, carl, settings):
    set_rates(settings, api=1)
    assert [app.get("/cart/").status_code for app in (carls_app, factories.api_client(carl))] == [
        200,
        429,
    ]


WRONG_LOGIN = {"email": "carl@example.com", "password": "wrong"}


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
def test_a_forged_x_forwarded_for_does_not_evade_the_limit(
    strangers_app, settings, proxies, forwarded, statuses
):
    settings.SHOP_TRUSTED_PROXIES = proxies
    set_rates(settings, login=2)
    bodies = [WRONG_LOGIN | {"email": f"{n}@example.com"} for n in range(3)]
    responses = [
        strangers_app.post("/auth/login/", body, **{"X-Forwarded-For": value})
        for body, value in zip(bodies, forwarded, strict=True)
    ]
    assert [response.status_code for response in responses] == statuses


@pytest.mark.usefixtures("clock")
def test_a_correct_password_is_refused_over_the_limit(strangers_app, carl, settings):
    set_rates(settings, login=1)
    strangers_app.post("/auth/login/", WRONG_LOGIN)
    response = strangers_app.post(
        "/auth/login/", {"email": carl.email, "password": factories.PASSWORD}
    )
    assert factories.problem_code(response) == (429, "too-many-calls")


#: Per call: its rate, and the body of the nth attempt.
ATTEMPTS = {
    "login": lambda n, _sessions: ("login", {"email": f"{n}@example.com", "password": "wrong"}),
    "register": lambda n, _sessions: (
        "register",
        {
            "email": f"{n}@example.com",
            "password": factories.PASSWORD,
            "first_name": "A",
            "last_name": "B",
        },
    ),
    "password/reset": lambda n, _sessions: ("login", {"email": f"{n}@example.com"}),
    "password/reset/confirm": lambda n, _sessions: (
        "login",
        {"uid": urlsafe_base64_encode(b"%d" % n), "token": "x", "new_password": "x"},
    ),
    "refresh": lambda n, sessions: ("api", {"refresh": tokens.sign_token(sessions[n], "refresh")}),
}


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("call", "by"),
    [*((call, "client_ip") for call in ATTEMPTS), ("register", "account"), ("refresh", "account")],
)
def test_attempts_are_counted_by_client_ip_or_by_account(settings, carl, dora, ada, call, by):
    opened = [sessions.open_session(user, "") for user in (carl, dora, ada)]
    set_rates(settings, **{ATTEMPTS[call](0, opened)[0]: 2})
    statuses = []
    for n in range(3):
        _scope, body = ATTEMPTS[call](n if by == "client_ip" else 0, opened)
        browser = Client(REMOTE_ADDR="10.0.0.1" if by == "client_ip" else f"10.0.0.{n}")
        response = browser.post(f"/api/auth/{call}/", body, content_type=JSON)
        statuses.append(response.status_code)
    assert 429 not in statuses[:2]
    assert (statuses[2], response["Retry-After"]) == (429, "20")


@pytest.mark.usefixtures("clock")
def test_spellings_of_a_user_id_share_the_limit_of_resets(settings, strangers_app, monkeypatch):
    monkeypatch.setattr(throttling, "ACCOUNT_ATTEMPTS", 1)
    settings.SHOP_TRUSTED_PROXIES = 1
    responses = [
        strangers_app.post(
            "/auth/password/reset/confirm/",
            {"uid": urlsafe_base64_encode(uid), "token": "x", "new_password": "x"},
            **{"X-Forwarded-For": f"{n}.1.1.1"},
        )
        for n, uid in enumerate((b"7", b"07", b" 7"))
    ]
    assert [response.status_code for response in responses] == [422, 422, 429]


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, InternalError])
def test_every_operation_is_503_without_the_database(adas_app, ids, monkeypatch, error):
    def raise_error(*_args, **_kwargs):
        raise error("connection to server at 10.0.0.1 failed: SECRET")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", raise_error)
        calls = [op for op in OPERATIONS if op.id not in WITHOUT_DATABASE]
        responses = {op.id: op.call(adas_app, ids) for op in calls}
    for call, response in responses.items():
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
def test_the_details_of_an_internal_error_are_not_shown(
    carls_app, monkeypatch, unchanged, error, expected
):
    def fail(**_kwargs):
        raise error

    monkeypatch.setattr(cart.cart, "clear_cart", fail)
    with unchanged():
        response = carls_app.delete("/cart/clear/")
    assert factories.problem_code(response) == expected
    assert not any(
        word in response.content for word in (b"SECRET", b"Traceback", b".py", b"Error:")
    )


def test_an_error_in_a_middleware_is_a_problem_too(quiet_app, monkeypatch):
    monkeypatch.setattr(throttling, "check_rate", None)
    monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_response", None)
    response = quiet_app.get("/cart/")
    assert factories.problem_code(response) == (500, "internal-error")


def test_responses_may_not_be_cached(carls_app, strangers_app, mug):
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
def test_only_allowed_origins_pass_cors(origin, allowed):
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
def test_error_responses_have_cors_headers(strangers_app, body, content_type, status):
    headers = {"Origin": "https://app.example.com"}
    response = strangers_app.client.post("/api/auth/login/", body, content_type, headers=headers)
    assert response.status_code == status
    assert response["Access-Control-Allow-Origin"] == headers["Origin"]


def test_an_error_of_the_whole_record_is_told_without_a_field():
    error = ValidationError({NON_FIELD_ERRORS: ["Bad."], "name": ["Worse."]})
    problem = json.loads(HANDLERS[ValidationError](None, error).content)
    assert [found["field"] for found in problem["errors"]] == ["", "name"]
    assert problem["detail"] == "Bad.; name: Worse."
