"""Security headers of every kind of response."""

import pytest
from django.test import Client
from support import factories

from shop.api import cart

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
SAME_ORIGIN = "connect-src 'self'; font-src 'self'; img-src 'self' data:; "
STYLES = "style-src 'self' 'unsafe-inline'"
DOCS = f"{NOTHING}; {SAME_ORIGIN}script-src 'self'; {STYLES}"
ADMIN = (
    NOTHING.replace("form-action 'none'", "form-action 'self'")
    + f"; {SAME_ORIGIN}script-src 'self' 'unsafe-eval'; {STYLES}"
)
COMMON_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
APP = "https://app.example.com"
PREFLIGHT = {"Origin": APP, "Access-Control-Request-Method": "POST"}
#: Status, content security policy and request per kind of response.
RESPONSES = {
    "an API response": (200, NOTHING, lambda browser, mug: browser.get("/api/products/")),
    "an unchanged API response": (
        304,
        NOTHING,
        lambda browser, mug: browser.get(
            f"/api/products/{mug.pk}/",
            headers={"If-None-Match": browser.get(f"/api/products/{mug.pk}/")["ETag"]},
        ),
    ),
    "an unknown API URL": (404, NOTHING, lambda browser, mug: browser.get("/api/nothing/")),
    "a wrong method": (405, NOTHING, lambda browser, mug: browser.put("/api/cart/")),
    "a body over the limit": (
        413,
        NOTHING,
        lambda browser, mug: browser.post("/api/cart/", "x" * 300_000, "application/json"),
    ),
    "invalid values": (
        422,
        NOTHING,
        lambda browser, mug: browser.post("/api/cart/", {}, "application/json"),
    ),
    "a CORS preflight": (
        200,
        NOTHING,
        lambda browser, mug: browser.options("/api/cart/", headers=PREFLIGHT),
    ),
    "a server error": (500, NOTHING, lambda browser, mug: browser.get("/api/cart/")),
    "a wrong host": (
        400,
        NOTHING,
        lambda browser, mug: browser.get("/api/cart/", headers={"Host": "evil.example"}),
    ),
    "the document": (200, NOTHING, lambda browser, mug: browser.get("/api/openapi.json")),
    "the documentation": (200, DOCS, lambda browser, mug: browser.get("/api/docs")),
    "the root": (302, NOTHING, lambda browser, mug: browser.get("/")),
    "an unknown page": (404, NOTHING, lambda browser, mug: browser.get("/nothing")),
    "the login page": (200, ADMIN, lambda browser, mug: Client().get("/admin/login/")),
    "a page": (200, ADMIN, lambda browser, mug: browser.get("/admin/")),
    "a page without the final slash": (301, ADMIN, lambda browser, mug: browser.get("/admin/shop")),
    "a page without permission": (
        403,
        ADMIN,
        lambda browser, mug: browser.get("/admin/shop/cartitem/add/"),
    ),
    "a page without CSRF token": (
        403,
        ADMIN,
        lambda browser, mug: Client(enforce_csrf_checks=True).post("/admin/"),
    ),
    "a static file": (200, NOTHING, lambda browser, mug: browser.get("/static/shop/admin.js")),
    "a file that is not there": (
        404,
        NOTHING,
        lambda browser, mug: browser.get("/static/nothing.js"),
    ),
}


@pytest.fixture
def browser(ada, adas_app):
    """Ada's browser, logged in to the admin and with a token for the API."""
    browser = Client(
        raise_request_exception=False, headers={"Authorization": f"Bearer {adas_app.token}"}
    )
    browser.force_login(ada)
    return browser


def common_headers(response):
    return {name: response.get(name) for name in COMMON_HEADERS}


@pytest.mark.parametrize("case", RESPONSES)
def test_every_kind_of_response_has_the_headers(browser, mug, monkeypatch, case):
    status, policy, call = RESPONSES[case]
    if case == "a server error":
        monkeypatch.setattr(cart, "_cart_response", lambda _request: 1 / 0)
    response = call(browser, mug)
    response.close()
    assert response.status_code == status
    assert common_headers(response) == COMMON_HEADERS
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["Content-Security-Policy"] == policy


def test_media_may_be_embedded_anywhere_and_run_no_scripts(client):
    response = client.get("/media/products/x.html")
    assert common_headers(response) == COMMON_HEADERS
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["Content-Security-Policy"] == f"{NOTHING}; sandbox"


def test_cookies_are_http_only_and_same_site(ada):
    browser = Client()
    browser.get("/admin/login/")
    browser.post("/admin/login/", {"username": ada.email, "password": factories.PASSWORD})
    assert {
        name: (c["httponly"], c["samesite"], c["path"]) for name, c in browser.cookies.items()
    } == {
        "csrftoken": (True, "Lax", "/"),
        "sessionid": (True, "Lax", "/"),
        f"known_device_{ada.pk}": (True, "Lax", "/admin/"),
    }


@pytest.mark.parametrize(
    ("origin", "allowed"), [(APP, APP), ("https://evil.example", None), ("null", None)]
)
@pytest.mark.parametrize(
    "path", ["/api/health/", "/api/nothing/", "/admin/login/", "/static/shop/admin.js"]
)
def test_only_allowed_origins_read_only_the_api(db, origin, allowed, path):
    response = Client().get(path, headers={"Origin": origin})
    response.close()
    expected = allowed if path.startswith("/api/") else None
    assert response.get("Access-Control-Allow-Origin") == expected
    assert "Access-Control-Allow-Credentials" not in response
