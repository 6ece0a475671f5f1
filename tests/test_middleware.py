"""Every class of answer tells the browser what it may do with it."""

import pytest
from django.test import Client
from support import factories

from shop.api import cart

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
FROM_HERE = "connect-src 'self'; font-src 'self'; img-src 'self' data:; "
STYLES = "style-src 'self' 'unsafe-inline'"
DOCS = f"{NOTHING}; {FROM_HERE}script-src 'self'; {STYLES}"
BACK_OFFICE = (
    NOTHING.replace("form-action 'none'", "form-action 'self'")
    + f"; {FROM_HERE}script-src 'self' 'unsafe-eval'; {STYLES}"
)
EVERYWHERE = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
APP = "https://app.example.com"
PREFLIGHT = {"Origin": APP, "Access-Control-Request-Method": "POST"}
CALLS = {
    "an answer": (200, NOTHING, lambda who, mug: who.get("/api/products/")),
    "an old answer": (
        304,
        NOTHING,
        lambda who, mug: who.get(
            f"/api/products/{mug.pk}/",
            headers={"If-None-Match": who.get(f"/api/products/{mug.pk}/")["ETag"]},
        ),
    ),
    "an unknown call": (404, NOTHING, lambda who, mug: who.get("/api/nothing/")),
    "a wrong method": (405, NOTHING, lambda who, mug: who.put("/api/cart/")),
    "too much": (
        413,
        NOTHING,
        lambda who, mug: who.post("/api/cart/", "x" * 300_000, "application/json"),
    ),
    "bad values": (422, NOTHING, lambda who, mug: who.post("/api/cart/", {}, "application/json")),
    "a preflight": (200, NOTHING, lambda who, mug: who.options("/api/cart/", headers=PREFLIGHT)),
    "a bug": (500, NOTHING, lambda who, mug: who.get("/api/cart/")),
    "a wrong host": (
        400,
        NOTHING,
        lambda who, mug: who.get("/api/cart/", headers={"Host": "evil.example"}),
    ),
    "the document": (200, NOTHING, lambda who, mug: who.get("/api/openapi.json")),
    "the documentation": (200, DOCS, lambda who, mug: who.get("/api/docs")),
    "the root": (302, NOTHING, lambda who, mug: who.get("/")),
    "an unknown page": (404, NOTHING, lambda who, mug: who.get("/nothing")),
    "the door": (200, BACK_OFFICE, lambda who, mug: Client().get("/admin/login/")),
    "a page": (200, BACK_OFFICE, lambda who, mug: who.get("/admin/")),
    "a page without its slash": (301, BACK_OFFICE, lambda who, mug: who.get("/admin/shop")),
    "a page without right": (
        403,
        BACK_OFFICE,
        lambda who, mug: who.get("/admin/shop/cartitem/add/"),
    ),
    "a page without token": (
        403,
        BACK_OFFICE,
        lambda who, mug: Client(enforce_csrf_checks=True).post("/admin/"),
    ),
    "a static file": (200, NOTHING, lambda who, mug: who.get("/static/shop/admin.js")),
    "a file that is not there": (404, NOTHING, lambda who, mug: who.get("/static/nothing.js")),
}


@pytest.fixture
def browser(ada, adas_app):
    """Ada's, with a token for the API too."""
    browser = Client(
        raise_request_exception=False, headers={"Authorization": f"Bearer {adas_app.token}"}
    )
    browser.force_login(ada)
    return browser


def told(response):
    return {name: response.get(name) for name in EVERYWHERE}


@pytest.mark.parametrize("case", CALLS)
def test_every_kind_of_response_has_the_headers(browser, mug, monkeypatch, case):
    status, policy, call = CALLS[case]
    if case == "a bug":
        monkeypatch.setattr(cart, "_cart_response", lambda _: 1 / 0)
    response = call(browser, mug)
    response.close()
    assert response.status_code == status
    assert told(response) == EVERYWHERE
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["Content-Security-Policy"] == policy


def test_media_may_be_embedded_anywhere_and_run_no_scripts(client):
    response = client.get("/media/products/x.html")
    assert told(response) == EVERYWHERE
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
