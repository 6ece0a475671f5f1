"""“Forgot password?” of the admin, and the page that sets a new password."""

import re

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.test import Client
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from support import factories, totp

from settings.env import Rate
from shop import throttling
from shop.models import AuditEntry, OutboxMessage, User
from shop.services import background, password_links

FORGOT, LOGIN = "/admin/password_reset/", "/admin/login/"
PASSWORD = "another-horse-9"
NEW = {"new_password1": PASSWORD, "new_password2": PASSWORD}


def link_for(user):
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return f"/admin/reset/{uid}/{default_token_generator.make_token(user)}/"


def follow(path, values=NEW, browser=None):
    """Open the link; return the response to the form, or the page that refuses the link."""
    browser = browser or Client()
    page = browser.get(path)
    return browser.post(page.url, values) if page.status_code == 302 else page


def test_staff_get_a_link_to_a_new_password(ada, mailoutbox):
    app, browser = factories.api_client(ada), factories.staff_client(ada)
    assert FORGOT in Client().get(LOGIN).content.decode()
    response = Client().post(FORGOT, {"email": "ADA@example.com"})
    assert response.url == LOGIN
    [email] = mailoutbox
    [path] = re.findall(r"http://testserver(/admin/reset/\S+/)", email.body)
    assert follow(path).url == LOGIN
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)
    assert app.get("/auth/profile/").status_code == 401
    assert browser.get("/admin/").status_code == 302
    entries = AuditEntry.objects.filter(action="password_reset", record_id=str(ada.pk))
    assert entries.get().client_ip == "127.0.0.1"


def test_the_address_of_the_form_has_no_token(ada):
    path = link_for(ada)
    assert Client().get(path).url == re.sub(r"[^/]+/$", "set-password/", path)


@pytest.mark.parametrize("email", ["ada", "carl", "fred", "nobody"])
def test_the_answer_does_not_tell_whether_staff_use_an_email(
    ada, carl, mailoutbox, monkeypatch, statements, email
):
    fred = factories.create_user("Fred", "Former", role="admin")
    User.objects.filter(pk=fred.pk).update(is_active=False)
    queued = []
    monkeypatch.setattr(background, "enqueue", lambda work, is_slow=False: queued.append(work))
    browser = Client()
    with statements(0):
        response = browser.post(FORGOT, {"email": f"{email}@example.com"})
    assert (response.status_code, response.url, len(queued)) == (302, LOGIN, 1)
    [text] = factories.page_messages(browser.get(LOGIN))
    assert email not in text
    queued.pop()()
    assert OutboxMessage.objects.count() == (email == "ada")


def test_links_are_limited_per_account(ada, mailoutbox):
    for _ in range(password_links.MAX_RESETS + 2):
        Client().post(FORGOT, {"email": ada.email})
    assert len(mailoutbox) == password_links.MAX_RESETS


def test_requests_and_links_count_with_the_apis_attempts(ada, settings, monkeypatch, strangers_app):
    settings.SHOP_RATES = settings.SHOP_RATES | {"login": Rate(2, 60)}
    monkeypatch.setattr(throttling.time, "time", lambda: 1_000_000_000)
    assert (
        strangers_app.post("/auth/password/reset/", {"email": "x@example.com"}).status_code == 202
    )
    assert Client().post(FORGOT, {"email": ada.email}).status_code == 302
    before = OutboxMessage.objects.count()
    for response in (Client().post(FORGOT, {"email": ada.email}), Client().get(link_for(ada))):
        assert (response.status_code, response["Retry-After"]) == (429, "20")
    assert OutboxMessage.objects.count() == before


@pytest.mark.parametrize(
    "values",
    [
        {"new_password1": PASSWORD, "new_password2": "another-horse-8"},
        {"new_password1": "short7", "new_password2": "short7"},
        {"new_password1": "password123", "new_password2": "password123"},
        {"new_password1": "ada@example.com", "new_password2": "ada@example.com"},
        {},
    ],
)
def test_a_weak_or_mistyped_password_is_refused(ada, values):
    browser = Client()
    response = follow(link_for(ada), values, browser)
    assert (response.status_code, bool(response.context["form"].errors)) == (200, True)
    ada.refresh_from_db()
    assert ada.check_password(factories.PASSWORD)
    assert follow(link_for(ada), NEW, browser).url == LOGIN


def test_a_link_that_was_used_meanwhile_sets_nothing(ada):
    first, second, path = Client(), Client(), link_for(ada)
    pages = [browser.get(path).url for browser in (first, second)]
    assert first.post(pages[0], NEW).status_code == 302
    other = {"new_password1": "third-horse-11", "new_password2": "third-horse-11"}
    assert not second.post(pages[1], other).context["validlink"]
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


@pytest.mark.parametrize("kind", ["customer", "closed", "forged", "unknown", "no number"])
def test_other_links_are_refused(ada, carl, kind):
    path = link_for(carl if kind == "customer" else ada)
    if kind == "closed":
        User.objects.filter(pk=ada.pk).update(is_active=False)
    elif kind == "forged":
        path = re.sub(r"[^/]+/$", "x-y/", path)
    elif kind == "unknown":
        path = f"/admin/reset/{urlsafe_base64_encode(str(2**70).encode())}/x-y/"
    elif kind == "no number":
        path = "/admin/reset/%C3%A9/x-y/"
    before = factories.all_rows()["User"]
    response = follow(path)
    assert (response.status_code, response.context["validlink"]) == (200, False)
    assert factories.all_rows()["User"] == before


def test_a_new_password_does_not_replace_the_second_factor(ada, settings):
    settings.SHOP_TWO_FACTOR = "optional"
    totp.create_device(ada)
    browser = Client()
    assert follow(link_for(ada), NEW, browser).url == LOGIN
    assert browser.get("/admin/").status_code == 302
    values = {"username": ada.email, "password": PASSWORD}
    assert browser.post(LOGIN, values).status_code == 200
    assert browser.get("/admin/").status_code == 302
    assert browser.post(LOGIN, values | {"code": totp.RECOVERY}).status_code == 302
