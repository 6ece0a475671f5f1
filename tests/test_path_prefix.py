"""The shop under a path prefix: its links, its two-factor authentication, its refusal of HTTP."""

import importlib
import re
import sys

import pytest
from django.test import Client
from django.urls import set_script_prefix
from django.urls.base import get_script_prefix
from support import admin_urls, factories, totp, world
from support.api_operations import OPERATIONS

from shop.api import tokens
from shop.services import sessions

PREFIX = "/shop"
LINK = re.compile(r"""(?:href|src|action|data-[\w-]*url|hx-get)=["'](/[^"']*)["']""")
#: These have their prefix from the settings, here none.
STATIC_PREFIXES = ("/static/", "/media/")
PRODUCTION = {
    "DJANGO_SECRET_KEY": "s" * 40,
    "JWT_SIGNING_KEY": "j" * 40,
    "DJANGO_ALLOWED_HOSTS": "shop.example.com",
    "DATABASE_URL": "sqlite:///db.sqlite3",
    "EMAIL_URL": "dummy://",
}


@pytest.fixture(params=["", PREFIX])
def prefix(request):
    """The shop's path prefix, as a WSGI server sets it."""
    before = get_script_prefix()
    set_script_prefix(f"{request.param}/")
    yield request.param
    set_script_prefix(before)


def browser_of(user, prefix):
    return factories.staff_client(user, SCRIPT_NAME=prefix)


@pytest.mark.parametrize("prefix", [PREFIX], indirect=True)
def test_every_link_of_every_page_has_the_prefix(prefix, ada, carl, dora):
    world.create_world(ada, carl, dora)
    browser = browser_of(ada, prefix)
    urls = admin_urls.admin_urls()
    assert len(urls) > 60
    for url in urls:
        if url.name == "logout":
            continue
        assert url.path.startswith(f"{prefix}/admin/")
        response = browser.get(url.path.removeprefix(prefix))
        assert response.status_code in {200, 302, 403, 405}, url
        links = [response["Location"]] if "Location" in response else []
        if response.get("Content-Type", "").startswith("text/html"):
            links += LINK.findall(response.content.decode())
        strays = {
            link for link in links if not link.startswith((f"{prefix}/", *STATIC_PREFIXES, "?"))
        }
        assert strays == set(), url


@pytest.mark.parametrize("prefix", [PREFIX], indirect=True)
def test_the_error_page_links_to_the_back_office(prefix, ada):
    page = browser_of(ada, prefix).get("/nothing/").content.decode()
    assert f'href="{prefix}/admin/"' in page


@pytest.mark.parametrize("prefix", [PREFIX], indirect=True)
def test_the_api_works_under_a_prefix(prefix, adas_app, mug, lamp):
    adas_app.client.defaults["SCRIPT_NAME"] = prefix
    page = adas_app.get("/products/?page_size=1").json()
    assert page["next"] == f"http://testserver{prefix}/api/products/?page_size=1&page=2"
    assert factories.problem_code(adas_app.get("/nothing/")) == (404, "not-found")
    assert adas_app.client.get("/api/docs").status_code == 200
    assert f"{prefix}/api/openapi.json" in adas_app.client.get("/api/docs").content.decode()
    document = adas_app.client.get("/api/openapi.json").json()
    assert all(path.startswith(f"{prefix}/api/") for path in document["paths"])
    assert len(OPERATIONS) > len(document["paths"]) > 10


def test_the_second_factor_is_enforced(prefix, ada, settings):
    settings.SHOP_TWO_FACTOR = "required"
    browser = browser_of(ada, prefix)
    set_up = f"{prefix}/admin/shop/user/two-factor/"
    for page in ("/admin/", "/admin/shop/order/", "/admin/search/?s=x", "/admin/password_change/"):
        response = browser.get(page)
        assert (response.status_code, response["Location"]) == (302, set_up), page
    assert browser.get("/admin/shop/user/two-factor/").status_code == 200
    totp.create_device(ada)
    response = browser.get("/admin/shop/order/")
    assert response["Location"] == f"{prefix}/admin/login/"
    assert "_auth_user_id" not in browser.session


def test_the_second_factor_is_enforced_where_the_prefix_is_not_known_to_reverse(ada, settings):
    settings.SHOP_TWO_FACTOR = "required"
    browser = browser_of(ada, PREFIX)
    assert browser.get("/admin/shop/order/").status_code == 302


@pytest.fixture
def _production(prefix, settings, monkeypatch):
    """The settings of production about HTTPS."""
    for name, value in (PRODUCTION | {"SCRIPT_NAME": prefix}).items():
        monkeypatch.setenv(name, value)
    for module in ("base", "production"):
        monkeypatch.delitem(sys.modules, f"settings.{module}", raising=False)
    production = importlib.import_module("settings.production")
    settings.SECURE_SSL_REDIRECT = production.SECURE_SSL_REDIRECT
    settings.SECURE_REDIRECT_EXEMPT = production.SECURE_REDIRECT_EXEMPT


@pytest.mark.usefixtures("_production")
@pytest.mark.parametrize(
    "path", ["/api/products/", "/api/auth/login/", "/api/nothing/", "/api/", "/api/docs"]
)
def test_plain_http_to_the_api_is_refused(prefix, carl, path):
    token = tokens.sign_token(sessions.open_session(carl, "test"), "access")
    options = {"SCRIPT_NAME": prefix, "headers": {"Authorization": f"Bearer {token}"}}
    for method in ("get", "post"):
        response = getattr(Client(), method)(path, **options)
        assert factories.problem_code(response) == (403, "https-required")
        assert "Location" not in response
    assert Client().get("/api/products/", secure=True, **options).status_code == 200


@pytest.mark.usefixtures("_production")
def test_the_health_check_passes_over_plain_http(prefix, db):
    assert Client().get("/api/health/", SCRIPT_NAME=prefix).status_code == 200


@pytest.mark.usefixtures("_production")
@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/", "/admin/shop/api/", "/x/api/"])
def test_plain_http_to_a_page_is_redirected(prefix, path):
    response = Client().get(path, SCRIPT_NAME=prefix)
    location = f"https://testserver{prefix}{path}"
    assert (response.status_code, response["Location"]) == (301, location)
