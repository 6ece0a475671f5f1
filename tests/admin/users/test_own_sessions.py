"""The page of one's own sessions."""

import pytest
from support import factories

from shop.models import AuditEntry, BrowserSession, Session
from shop.services.sessions import list_devices

PAGE = "/admin/shop/user/sessions/"
#: Session and user, the badges of the menu; then apps and browsers.
QUERIES = 5


def is_signed_in(browser):
    return browser.get("/admin/").status_code == 200


def shown(browser):
    """Return whether each listed session is an app's, and whether it is this browser."""
    devices = browser.get(PAGE).context["devices"]
    return [(not device.is_browser, is_current) for device, _label, is_current in devices]


def handle_of(user, browser):
    key = browser.session.session_key
    return next(d.handle for d in list_devices(user) if d.session.pk == key)


def test_browsers_and_apps_are_listed_this_one_first(ada, carl, adas_browser):
    app = factories.api_client(ada)
    others = [factories.staff_client(ada) for _ in range(2)]
    factories.staff_client(factories.create_user("Cleo", "Clerk", role="admin"))
    factories.api_client(carl)
    first, *rest = shown(adas_browser)
    assert first == (False, True)
    assert sorted(rest) == [(False, False), (False, False), (True, False)]
    text = adas_browser.get(PAGE).content.decode()
    assert not any(browser.session.session_key in text for browser in others)
    assert app.get("/auth/profile/").status_code == 200


@pytest.mark.parametrize("others", [1, 3])
def test_the_page_is_few_queries(ada, adas_browser, statements, others):
    for _ in range(others):
        factories.staff_client(ada)
        factories.api_client(ada)
    adas_browser.get(PAGE)
    with statements(QUERIES):
        adas_browser.get(PAGE)


def test_one_is_signed_out(ada, adas_browser):
    kept, ended = factories.staff_client(ada), factories.staff_client(ada)
    app = factories.api_client(ada)
    handle = handle_of(ada, ended)
    assert adas_browser.post(PAGE, {"session": handle}).url == PAGE
    assert [is_signed_in(b) for b in (adas_browser, kept, ended)] == [True, True, False]
    entry = AuditEntry.objects.get(model_name="user", record_id=str(ada.pk), action="changed")
    assert entry.changes == "sessions: active → 1 ended"

    session = Session.objects.get(user=ada)
    [of_app] = [d.handle for d in list_devices(ada) if d.session == session]
    adas_browser.post(PAGE, {"session": of_app})
    session.refresh_from_db()
    assert (session.revoked_because, app.get("/auth/profile/").status_code) == ("logout", 401)
    assert is_signed_in(adas_browser)


def test_all_others_are_signed_out(ada, adas_browser, carls_app):
    other, app = factories.staff_client(ada), factories.api_client(ada)
    adas_browser.post(PAGE, {"others": "1"})
    assert (is_signed_in(adas_browser), is_signed_in(other)) == (True, False)
    assert [a.get("/auth/profile/").status_code for a in (app, carls_app)] == [401, 200]
    assert shown(adas_browser) == [(False, True)]


@pytest.mark.parametrize("handle", ["", "x", "\0", "another's", "key"])
def test_nobody_ends_a_session_that_is_not_theirs(ada, adas_browser, handle):
    cleo = factories.create_user("Cleo", "Clerk", role="admin")
    theirs = factories.staff_client(cleo)
    own = factories.staff_client(ada)
    if handle == "another's":
        handle = handle_of(cleo, theirs)
    elif handle == "key":
        handle = own.session.session_key
    before = BrowserSession.objects.count()
    assert adas_browser.post(PAGE, {"session": handle}).url == PAGE
    assert BrowserSession.objects.count() == before
    assert is_signed_in(theirs)
    assert is_signed_in(own)


def test_it_is_linked_from_the_account_menu(adas_browser):
    assert f'href="{PAGE}"' in adas_browser.get("/admin/").content.decode()
