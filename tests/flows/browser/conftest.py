"""Fixtures for tests in Chromium, driven by Playwright, against a running server."""

import os
import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connections
from playwright.sync_api import sync_playwright
from support import factories, stock_actions
from support.browser import DESKTOP, PHONE, require_tool

from shop.management.demo_shop import make_groups

TIMEOUT = 30_000  # milliseconds, long enough for a slow machine
failed = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    item.stash[failed] = item.stash.get(failed, False) or report.failed
    return report


@pytest.fixture(scope="module")
def chromium():
    """One browser per test module."""
    program = require_tool(shutil.which("chromium") or shutil.which("google-chrome"), "Chromium")
    # Playwright runs an event loop in this thread, so Django would refuse queries as async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield browser
        browser.close()
        connections.close_all()  # with an event loop, Django opens separate ones
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(autouse=True)
def _policy_of_the_server(settings):
    """Set the policy of `support.strict_wsgi`, which is part of the sessions of staff."""
    settings.SHOP_TWO_FACTOR = "optional"


@pytest.fixture
def troubles():
    """Failed requests, script errors and console errors of all pages.

    A test that causes one removes it from the list; the test fails if any is left.
    """
    problems = []
    yield problems
    assert problems == []


@pytest.fixture
def window(chromium, server, transactional_db, troubles, tmp_path, request):
    """`window(ada)` opens a page in a new browser signed in as Ada; `window(None)` signed out."""
    contexts = []

    def open_window(user, device=DESKTOP, **options):
        context = chromium.new_context(base_url=server, locale="en-GB", **{**device, **options})
        context.set_default_timeout(TIMEOUT)
        contexts.append(context)
        if user:
            key = factories.staff_client(user).cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": server}]
            )
        page = context.new_page()
        _listen(page, troubles)
        return page

    yield open_window
    for number, context in enumerate(contexts):
        if request.node.stash.get(failed, False) or troubles:
            for page in context.pages:
                page.screenshot(path=tmp_path / f"window-{number}.png")
                print(f"Screenshot: {tmp_path}/window-{number}.png")  # noqa: T201 - for a failed test
        context.close()


def _listen(page, troubles):
    def on_console(message):
        # Error responses are reported below, with their status.
        if message.type == "error" and "Failed to load resource" not in message.text:
            troubles.append(message.text)

    def on_response(response):
        if response.status >= 400:
            troubles.append(f"{response.status} {response.request.method} {response.url}")

    def on_request_failed(request):
        # Leaving a page while it loads is no failure.
        if request.failure != "net::ERR_ABORTED":
            troubles.append(f"{request.failure} {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("response", on_response)
    page.on("requestfailed", on_request_failed)


@pytest.fixture
def page(window, ada):
    """A desktop page, signed in as Ada."""
    return window(ada)


@pytest.fixture
def phone(window, ada):
    """A phone's page, signed in as Ada."""
    return window(ada, PHONE)


@pytest.fixture
def viewer(transactional_db):
    """A member of staff in the group Viewer."""
    make_groups()
    vi = factories.create_user("Vi", "Viewer", role="admin")
    vi.groups.set([Group.objects.get(name="Viewer")])
    return vi


@pytest.fixture
def shelf(transactional_db):
    """Twenty products with a barcode and ten units each."""
    return [
        factories.create_product(f"Bowl {n:02}", sku=f"BOWL-{n:02}", barcode=stock_actions.gtin(n))
        for n in range(20)
    ]


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def device(request, window, ada):
    page = window(ada, request.param)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return page
