"""Sessions of browsers: who, from where, since when, and when they end."""

from datetime import timedelta

import pytest
from django.contrib.auth import HASH_SESSION_KEY
from django.test import Client
from django.utils import timezone
from support import factories

from shop.models import BrowserSession, User
from shop.models.browser_sessions import SessionStore
from shop.services.sessions import list_devices, purge_sessions

ADMIN, LOGIN = "/admin/", "/admin/login/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def browser(ada):
    """Ada's browser, signed in by the form."""
    browser = Client(REMOTE_ADDR="203.0.113.7", headers={"User-Agent": FIREFOX})
    browser.post(LOGIN, {"username": ada.email, "password": factories.PASSWORD})
    return browser


def age(by, **changes):
    """Let the only session have begun so long ago, and been used then for the last time."""
    moment = timezone.now() - by
    BrowserSession.objects.update(**{"used_at": moment, "created_at": moment, **changes})
    return BrowserSession.objects.get()


def is_signed_in(browser):
    return browser.get(ADMIN).status_code == 200


def test_a_row_says_who_signed_in_from_where(browser, ada):
    row = BrowserSession.objects.get()
    assert (row.user, row.client_ip, row.device) == (ada, "203.0.113.7", FIREFOX)
    assert timezone.now() - row.created_at < MINUTE
    assert row.is_live(timezone.now())


def test_signing_in_again_is_a_new_session(browser, ada):
    before = age(timedelta(hours=1))
    browser.post(LOGIN, {"username": ada.email, "password": factories.PASSWORD})
    after = BrowserSession.objects.get()
    assert after.pk == before.pk or after.created_at > before.created_at


@pytest.mark.parametrize(("seconds", "is_written"), [(50, False), (70, True)])
def test_the_use_is_written_once_a_minute(browser, statements, seconds, is_written):
    before = age(timedelta(seconds=seconds))
    browser.get("/admin/password_change/")  # reads what the process caches
    before = age(timedelta(seconds=seconds))
    with statements(4 if is_written else 3):  # session, user, the menu's badges
        browser.get("/admin/password_change/", REMOTE_ADDR="198.51.100.1")
    after = BrowserSession.objects.get()
    assert (after.used_at > before.used_at) is is_written
    assert after.client_ip == ("198.51.100.1" if is_written else "203.0.113.7")
    assert (after.created_at, after.device) == (before.created_at, FIREFOX)


def test_saving_values_keeps_when_it_began(browser):
    before = age(timedelta(hours=1))
    session = browser.session
    session["colour"] = "blue"
    session.save()
    after = BrowserSession.objects.get()
    assert (after.created_at, after.get_decoded()["colour"]) == (before.created_at, "blue")


@pytest.mark.parametrize(
    ("limit", "idle", "stays"), [(0, 5000, True), (30, 29, True), (30, 30, False)]
)
def test_an_idle_browser_is_signed_out_by_the_setting(browser, settings, limit, idle, stays):
    settings.SHOP_ADMIN_IDLE_MINUTES = limit
    row = age(idle * MINUTE)
    assert row.has_expired(timezone.now()) is not stays
    assert is_signed_in(browser) is stays
    assert BrowserSession.objects.filter(pk=row.pk).exists() is stays


def test_use_keeps_a_browser_signed_in(browser, settings):
    settings.SHOP_ADMIN_IDLE_MINUTES = 30
    for _ in range(4):
        age(20 * MINUTE)
        assert is_signed_in(browser)


@pytest.mark.parametrize("ended", ["expired", "deleted", "unknown key"])
def test_an_ended_session_is_nobodys(browser, ended):
    row = BrowserSession.objects.get()
    if ended == "expired":
        age(MINUTE, expire_date=timezone.now())
    elif ended == "deleted":
        row.delete()
    else:
        browser.cookies["sessionid"] = "k" * 32
    assert not is_signed_in(browser)


def test_a_session_of_another_hash_is_not_live(browser, ada):
    row = BrowserSession.objects.get()
    assert row.get_decoded()[HASH_SESSION_KEY] == ada.get_session_auth_hash()
    ada.end_all_sessions()
    assert not BrowserSession.objects.get().is_live(timezone.now())
    assert list_devices(User.objects.get(pk=ada.pk)) == []


def test_expired_sessions_are_purged(browser):
    assert purge_sessions() == 0
    age(MINUTE, expire_date=timezone.now())
    assert (purge_sessions(), BrowserSession.objects.count()) == (1, 0)


def test_a_visitors_session_is_nobodys(db):
    store = SessionStore()
    store["colour"] = "blue"
    store.save()
    row = BrowserSession.objects.get()
    assert (row.user, row.is_live(timezone.now())) == (None, False)
    assert SessionStore(row.pk)["colour"] == "blue"
