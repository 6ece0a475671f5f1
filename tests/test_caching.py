"""The cache is away: calls pass where only a rate is counted, and nobody waits twice for it."""

import socket
import time
from contextlib import contextmanager
from threading import Thread

import pytest
from django.test import Client
from redis.exceptions import ConnectionError as RedisConnectionError
from support import factories

from settings import env
from shop import caching
from shop.models import AuditEntry, User
from shop.services.orders import place_order

JSON = "application/json"
REGISTRATION = {
    "email": "eve@example.com",
    "password": factories.PASSWORD,
    "first_name": "Eve",
    "last_name": "New",
}


@contextmanager
def hanging_server():
    """A server that accepts connections and never answers; yields its port and the connections."""
    connections = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept():
            while True:
                try:
                    connections.append(listener.accept()[0])
                except OSError:
                    return

        thread = Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1], connections
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
    for connection in connections:
        connection.close()


@pytest.fixture(params=["closed", "hanging"])
def _no_cache(request, settings):
    """A cache whose port is closed, or whose server never answers."""
    if request.param == "closed":
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        settings.CACHES = {"default": env.parse_cache_url(f"redis://127.0.0.1:{port}/0")}
        yield
        return
    with hanging_server() as (port, connections):
        settings.CACHES = {"default": env.parse_cache_url(f"redis://127.0.0.1:{port}/0")}
        yield
        assert len(connections) == 1  # nobody waited for it but the first call


@pytest.fixture
def clock(monkeypatch):
    """The monotonic clock; `clock(seconds)` moves it."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def move(seconds):
        now[0] += seconds

    return move


@pytest.mark.usefixtures("_no_cache")
def test_calls_pass_where_only_a_rate_is_counted(carls_app, adas_app, strangers_app, mug, clock):
    assert carls_app.get("/products/").json()["count"] == 1
    assert carls_app.get("/cart/").status_code == 200
    assert adas_app.get("/orders/").status_code == 200
    assert strangers_app.post("/auth/register/", REGISTRATION).status_code == 201
    assert strangers_app.post("/auth/password/reset/", {"email": "x@y.example"}).status_code == 202


@pytest.mark.usefixtures("_no_cache")
def test_no_password_or_code_is_checked(ada, carl, adas_app, clock, monkeypatch):
    monkeypatch.setattr(User, "check_password", None)
    browser = factories.staff_client(ada)
    new = "another-horse-9"
    calls = {
        "login": {"email": carl.email, "password": factories.PASSWORD},
        "password/change": {"current_password": factories.PASSWORD, "new_password": new},
        "password/reset/confirm": {"uid": "x", "token": "x", "new_password": new},
    }
    for call, body in calls.items():
        response = adas_app.post(f"/auth/{call}/", body)
        assert factories.problem_code(response) == (503, "unavailable"), call
        assert response["Retry-After"] == "1"
    forms = {
        "login": {"username": ada.email, "password": factories.PASSWORD},
        "password_change": {
            "old_password": factories.PASSWORD,
            "new_password1": new,
            "new_password2": new,
        },
    }
    for page, values in forms.items():
        response = (Client() if page == "login" else browser).post(f"/admin/{page}/", values)
        assert (response.status_code, response["Retry-After"]) == (503, "1"), page
    assert AuditEntry.objects.count() == 0


@pytest.mark.usefixtures("_no_cache")
def test_pages_compute_what_they_can_not_cache(ada, carl, mug, clock):
    factories.add_to_cart(carl, (mug, 1))
    place_order(user=carl, shipping_address="1 Elm Street")
    browser = factories.staff_client(ada)
    for page in ("/admin/", "/admin/?days=30", "/admin/shop/product/"):
        assert browser.get(page).status_code == 200


@pytest.fixture
def failing(clock, monkeypatch):
    """A list of the calls of a cache that fails as long as `failing.error` is set."""

    class Calls(list):
        error = True

    calls = Calls()

    def get(key, default=None):
        calls.append(key)
        if calls.error:
            raise RedisConnectionError
        return default

    monkeypatch.setattr(caching, "cache", type("Cache", (), {"get": staticmethod(get)}))
    return calls


def is_available():
    try:
        caching.get("key", 0)
    except caching.CacheUnavailable:
        return False
    return True


def test_after_a_failure_the_cache_is_left_alone_for_five_seconds(failing, clock):
    assert [is_available() for _ in range(4)] == [False] * 4
    assert len(failing) == 1
    clock(4.9)
    assert (is_available(), len(failing)) == (False, 1)
    clock(0.2)
    assert (is_available(), is_available(), len(failing)) == (False, False, 2)
    clock(5.1)
    failing.error = False
    assert [is_available() for _ in range(3)] == [True] * 3
    assert len(failing) == 5


def test_one_call_probes_and_the_others_do_not_wait_for_it(failing, clock, monkeypatch):
    assert not is_available()
    clock(5.1)
    others = []

    def probe(key, default=None):
        failing.append(key)
        others.append(is_available())  # a call meanwhile
        return default

    monkeypatch.setattr(caching.cache, "get", staticmethod(probe))
    assert (is_available(), others, len(failing)) == (True, [False], 2)


def test_a_counter_outlives_a_thousand_others():
    for number in range(1_000):
        caching.increment(f"attempts:{number}", seconds=60)
    assert [caching.increment(f"attempts:{n}", seconds=60) for n in (0, 999)] == [2, 2]


def test_a_value_is_computed_once_and_an_empty_one_too():
    computed = []

    def compute():
        computed.append(1)
        return {}

    assert [caching.get_or_compute("key", compute, 60) for _ in range(2)] == [{}, {}]
    assert len(computed) == 1
    for _ in range(2):
        caching.get_or_compute("other", compute, 60, is_worth_caching=bool)
    assert len(computed) == 3
