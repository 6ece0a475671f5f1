"""A real browser in front of the real server: Debian's Chromium, driven by Playwright."""

import os
import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connections
from playwright.sync_api import sync_playwright
from support import factories
from support.browser import DESKTOP, PHONE, require_tool

from shop.management.demo_shop import make_groups

PATIENCE = 30_000  # milliseconds until something is broken, not slow
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
    """One browser for each file of tests."""
    program = require_tool(shutil.which("chromium") or shutil.which("google-chrome"), "Chromium")
    # Playwright keeps an event loop in this thread, so Django takes every query for one in async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield browser
        browser.close()
        connections.close_all()  # beside an event loop, Django keeps connections of their own
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def troubles():
    """What went wrong on any page: requests refused or failed, errors of scripts, what the console told.

    A test that provokes one takes it out; whatever is left fails it.
    """
    found = []
    yield found
    assert found == []


@pytest.fixture
def window(chromium, server, transactional_db, troubles, tmp_path, request):
    """`window(ada)`: a page of a browser of Ada's own, signed in; `window(None)` of somebody unknown."""
    contexts = []

    def open_window(user, device=DESKTOP, **options):
        context = chromium.new_context(base_url=server, locale="en-GB", **{**device, **options})
        context.set_default_timeout(PATIENCE)
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
                print(f"Screenshot: {tmp_path}/window-{number}.png")  # noqa: T201 - of a failed test
        context.close()


def _listen(page, troubles):
    def hear(message):
        # The server's refusals are told below, with their number.
        if message.type == "error" and "Failed to load resource" not in message.text:
            troubles.append(message.text)

    def see(response):
        if response.status >= 400:
            troubles.append(f"{response.status} {response.request.method} {response.url}")

    def miss(request):
        # A page that is left while it loads is no failure.
        if request.failure != "net::ERR_ABORTED":
            troubles.append(f"{request.failure} {request.url}")

    page.on("console", hear)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("response", see)
    page.on("requestfailed", miss)


@pytest.fixture
def page(window, ada):
    """Ada at her desk."""
    return window(ada)


@pytest.fixture
def phone(window, ada):
    """Ada in the stock room."""
    return window(ada, PHONE)


@pytest.fixture
def viewer(transactional_db):
    """Vi, who may look."""
    make_groups()
    vi = factories.create_user("Vi", "Viewer", role="admin")
    vi.groups.set([Group.objects.get(name="Viewer")])
    return vi
