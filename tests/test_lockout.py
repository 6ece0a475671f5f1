"""Guesses at a password are limited, and nobody can lock somebody else out by them."""

import time

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.tokens import default_token_generator
from django.test import Client, RequestFactory
from django.utils import timezone
from django.utils.http import urlsafe_base64_encode
from support import factories, totp

from settings.env import Rate
from shop import throttling
from shop.api import tokens
from shop.models import AuditEntry, User
from shop.models.audit import SIGN_IN_ACTIONS
from shop.services import sessions, sign_ins

JSON = "application/json"
LOGIN, ADMIN_LOGIN = "/api/auth/login/", "/admin/login/"
WRONG, NEW_PASSWORD = "wrong-horse-7", "another-horse-9"
HOME = "203.0.113.7"


@pytest.fixture
def clock(monkeypatch):
    """The process's clock; `clock(seconds)` moves it."""
    now = [1_000_000_000]
    monkeypatch.setattr(time, "time", lambda: now[0])

    def move(seconds):
        now[0] += seconds

    return move


@pytest.fixture
def _three_attempts(monkeypatch, clock):
    monkeypatch.setattr(throttling, "ACCOUNT_ATTEMPTS", 3)


def api_login(email, password=WRONG, ip=HOME):
    body = {"email": email, "password": password}
    return Client(REMOTE_ADDR=ip).post(LOGIN, body, content_type=JSON)


def admin_login(email, password=WRONG, ip=HOME, browser=None):
    body = {"username": email, "password": password}
    return (browser or Client()).post(ADMIN_LOGIN, body, REMOTE_ADDR=ip)


def flood(email, login=api_login, number=4):
    """Guess from as many addresses, until the account's pauses have begun."""
    return [login(email, ip=f"10.0.0.{n}").status_code for n in range(number)]


def test_wrong_passwords_from_elsewhere_do_not_lock_the_owner_out(carl, settings, clock):
    settings.SHOP_RATES = settings.SHOP_RATES | {"login": Rate(10, 60)}
    for _ in range(10):
        assert api_login(carl.email, ip="10.0.0.1").status_code == 401
    assert api_login(carl.email, factories.PASSWORD, ip="10.0.0.1").status_code == 429
    assert api_login(carl.email, factories.PASSWORD).status_code == 200


@pytest.mark.parametrize("login", [api_login, admin_login])
def test_a_single_client_pauses_itself_and_not_the_account(ada, clock, monkeypatch, login):
    monkeypatch.setattr(throttling, "CLIENT_ATTEMPTS", 3)
    monkeypatch.setattr(throttling, "ACCOUNT_ATTEMPTS", 4)
    statuses = [login(ada.email, ip="10.0.0.1").status_code for _ in range(6)]
    assert [status == 429 for status in statuses] == [False] * 4 + [True] * 2
    assert login(ada.email, factories.PASSWORD, ip="10.0.0.2").status_code in {200, 302}


@pytest.mark.usefixtures("_three_attempts")
@pytest.mark.parametrize("login", [api_login, admin_login])
def test_an_account_over_its_bound_pauses_between_attempts(ada, clock, login):
    assert 429 not in flood(ada.email, login)
    for turn in range(1, 12):
        pause = min(2 ** (turn - 1), 900)
        for ip in ("10.1.0.1", "10.1.0.2"):  # refused attempts do not make the pause longer
            refused = login(ada.email, factories.PASSWORD, ip=ip)
            assert (refused.status_code, refused["Retry-After"]) == (429, str(pause)), turn
        clock(pause)
        assert login(ada.email, ip="10.1.0.3").status_code in {200, 401}
    clock(900)
    allowed = login(ada.email, factories.PASSWORD, ip="10.1.0.4")
    assert allowed.status_code in {200, 302}


@pytest.mark.usefixtures("_three_attempts")
@pytest.mark.parametrize("login", [api_login, admin_login])
def test_an_ip_that_signed_in_before_passes_the_bound_of_its_account(ada, carl, login):
    assert login(ada.email, factories.PASSWORD).status_code in {200, 302}
    flood(ada.email, login)
    assert login(ada.email, ip="10.9.9.9").status_code == 429
    assert login(ada.email, factories.PASSWORD).status_code in {200, 302}
    flood(carl.email, login)
    assert login(carl.email, factories.PASSWORD).status_code == 429  # known to Ada's account only


@pytest.mark.usefixtures("_three_attempts")
@pytest.mark.django_db
def test_a_device_that_registered_is_known():
    names = {"first_name": "Eve", "last_name": "New"}
    body = {"email": "eve@example.com", "password": factories.PASSWORD, **names}
    response = Client(REMOTE_ADDR=HOME).post("/api/auth/register/", body, content_type=JSON)
    assert response.status_code == 201
    flood("eve@example.com")
    assert api_login("eve@example.com", factories.PASSWORD, ip="10.9.9.9").status_code == 429
    assert api_login("eve@example.com", factories.PASSWORD).status_code == 200


@pytest.mark.usefixtures("_three_attempts")
def test_a_device_that_reset_the_password_is_known(carl):
    flood(carl.email)
    assert api_login(carl.email, factories.PASSWORD).status_code == 429
    token = default_token_generator.make_token(carl)
    assert confirm_reset(carl, None, HOME, token).status_code == 204
    assert api_login(carl.email, NEW_PASSWORD, ip="10.9.9.9").status_code == 429
    assert api_login(carl.email, NEW_PASSWORD).status_code == 200
    assert trace(carl)[-2:] == [(None, "password_reset", HOME, ""), (None, "signed_in", HOME, "")]


@pytest.mark.usefixtures("_three_attempts")
def test_a_known_address_is_an_ipv6_network(carl):
    assert api_login(carl.email, factories.PASSWORD, ip="2001:db8:1:2::7").status_code == 200
    flood(carl.email)
    assert api_login(carl.email, factories.PASSWORD, ip="2001:db8:1:3::7").status_code == 429
    assert api_login(carl.email, factories.PASSWORD, ip="2001:db8:1:2:aaaa::9").status_code == 200


@pytest.mark.usefixtures("_three_attempts")
def test_a_browser_that_signed_in_before_is_known_elsewhere_until_the_password_changes(ada, dora):
    browser = Client()
    assert admin_login(ada.email, factories.PASSWORD, browser=browser).status_code == 302
    cookie = browser.cookies[f"known_device_{ada.pk}"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/admin/")
    browser.logout()
    browser.cookies[f"known_device_{ada.pk}"] = cookie.value
    browser.cookies[f"known_device_{dora.pk}"] = cookie.value
    flood(ada.email)
    elsewhere = "198.51.100.1"
    assert admin_login(ada.email, ip=elsewhere).status_code == 429
    assert admin_login(ada.email, ip=elsewhere, browser=browser).status_code == 200
    flood(dora.email)
    assert admin_login(dora.email, ip=elsewhere, browser=browser).status_code == 429
    ada.set_password(NEW_PASSWORD)
    ada.save()
    assert admin_login(ada.email, ip=elsewhere, browser=browser).status_code == 429


@pytest.mark.usefixtures("_three_attempts")
@pytest.mark.parametrize(
    "spelling",
    ["CARL@example.com", " carl@example.com", "\uff43arl@example.com", "\u212aarl@x.example"],
)
def test_spellings_of_an_account_are_counted_together(carl, spelling):
    name = "karl@x.example" if "x.example" in spelling else carl.email
    assert flood(name, number=3) == [401, 401, 401]
    assert api_login(spelling, ip="10.0.0.8").status_code == 401
    assert api_login(spelling, ip="10.0.0.9").status_code == 429


@pytest.mark.usefixtures("_three_attempts")
@pytest.mark.django_db
def test_an_unknown_account_has_the_same_bound():
    assert flood("nobody@example.com") == [401, 401, 401, 401]
    refused = api_login("nobody@example.com", ip="10.0.0.9")
    assert (refused.status_code, refused["Retry-After"]) == (429, "1")


def change_by_api(user, session, ip):
    token = tokens.sign_token(session, "access")
    body = {"current_password": "wrong", "new_password": NEW_PASSWORD}
    headers = {"Authorization": f"Bearer {token}"}
    client = Client(REMOTE_ADDR=ip)
    return client.post("/api/auth/password/change/", body, content_type=JSON, headers=headers)


def change_by_admin(user, _session, ip):
    new = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    browser = factories.staff_client(user, REMOTE_ADDR=ip)
    return browser.post("/admin/password_change/", new | {"old_password": "wrong"})


def guess_code(user, _session, ip):
    browser = factories.staff_client(user, REMOTE_ADDR=ip)
    return browser.post("/admin/shop/user/two-factor/", {"code": "000000"})


def confirm_reset(user, _session, ip, token=None):
    uid = urlsafe_base64_encode(str(user.pk).encode())
    body = {"uid": uid, "token": token or "x", "new_password": NEW_PASSWORD}
    client = Client(REMOTE_ADDR=ip)
    return client.post("/api/auth/password/reset/confirm/", body, content_type=JSON)


def follow_link(user, _session, ip):
    uid = urlsafe_base64_encode(str(user.pk).encode())
    return Client(REMOTE_ADDR=ip).get(f"/admin/reset/{uid}/x-y/")


@pytest.mark.usefixtures("_three_attempts")
@pytest.mark.parametrize(
    "door", [change_by_api, change_by_admin, guess_code, confirm_reset, follow_link]
)
def test_every_door_that_checks_a_password_or_code_has_the_bounds(ada, settings, clock, door):
    session = sessions.open_session(ada, "test")
    if door is guess_code:
        totp.create_device(ada)
    statuses = [door(ada, session, f"10.0.0.{n}").status_code for n in range(5)]
    assert (429 in statuses[:4], statuses[4]) == (False, 429)
    assert api_login(ada.email, factories.PASSWORD).status_code == 200  # this makes HOME known
    assert door(ada, session, HOME).status_code != 429
    settings.SHOP_RATES = settings.SHOP_RATES | {"login": Rate(2, 60)}
    clock(86_400 * 2)
    session = sessions.open_session(ada, "test")
    assert [door(ada, session, "10.2.0.1").status_code == 429 for _ in range(3)] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("ip", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7 ", "203.0.113.7"),
        ("203.0.113.7:51234", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:DB8:0:0::7", "2001:db8::/64"),
        ("[2001:db8::7]:443", "2001:db8::/64"),
        ("[2001:db8::7]", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "192.0.2.1"),
        ("a b", "192.0.2.1"),
        ("1.2.3.4.5:6", "192.0.2.1"),
        ("'; DROP", "192.0.2.1"),
        ("x" * 5000, "192.0.2.1"),
        ("\x00", "192.0.2.1"),
        ("", "192.0.2.1"),
    ],
)
def test_a_client_is_an_ipv4_address_or_an_ipv6_network(settings, ip, client):
    settings.SHOP_TRUSTED_PROXIES = 1
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=ip)
    assert throttling.client_ip(request) == client


def test_a_connection_without_an_ip_is_counted_too():
    request = RequestFactory().get("/", REMOTE_ADDR="unix:")
    assert throttling.client_ip(request) == "unix:"


def trace(user):
    entries = AuditEntry.objects.filter(model_name="user", record_id=str(user.pk)).order_by("pk")
    return [(entry.actor, entry.action, entry.client_ip, entry.device) for entry in entries]


@pytest.mark.parametrize("login", [api_login, admin_login])
def test_sign_ins_leave_a_trace(ada, settings, caplog, login, clock):
    settings.SHOP_RATES = settings.SHOP_RATES | {"login": Rate(3, 60)}
    settings.SHOP_TWO_FACTOR = "optional"
    caplog.set_level("INFO", logger="shop.services.sign_ins")
    login(ada.email)
    login(ada.email, factories.PASSWORD)
    totp.create_device(ada)
    login(ada.email, factories.PASSWORD)
    for _ in range(5):
        assert login(ada.email, factories.PASSWORD).status_code == 429
    login("nobody@example.com", ip="10.0.0.1")
    assert trace(ada) == [
        (None, "sign_in_failed", HOME, ""),
        (ada, "signed_in", HOME, ""),
        (None, "wrong_code", HOME, ""),
        (None, "locked_out", HOME, ""),  # one for all five
    ]
    lines = [r.getMessage() for r in caplog.records if r.name == "shop.services.sign_ins"]
    assert [line.split(": ")[-1] for line in lines] == [
        "sign_in_failed",
        "signed_in",
        "wrong_code",
        "locked_out",
        "sign_in_failed",
    ]
    assert all(f"user {ada.pk} from {HOME}" in line for line in lines[:4])
    assert not any("@" in line or factories.PASSWORD in line for line in lines)
    assert AuditEntry.objects.count() == 4


def test_a_trace_names_the_device(carl):
    Client(REMOTE_ADDR=HOME).post(
        LOGIN,
        {"email": carl.email, "password": factories.PASSWORD},
        content_type=JSON,
        headers={"User-Agent": "Phone " + "x" * 300},
    )
    assert trace(carl) == [(None, "signed_in", HOME, ("Phone " + "x" * 300)[:200])]


def test_a_customer_who_signed_in_can_be_deleted(carl):
    api_login(carl.email, factories.PASSWORD)
    assert trace(carl) == [(None, "signed_in", HOME, "")]
    carl.delete()
    assert User.objects.count() == 0


def test_old_sign_ins_are_purged_in_batches(ada, monkeypatch, statements):
    monkeypatch.setattr(sign_ins, "PURGED_AT_ONCE", 2)
    attempt = sign_ins.SignInAttempt(ada.email, HOME, "")
    for action in SIGN_IN_ACTIONS:
        sign_ins.write_entry(attempt, action)
    AuditEntry.objects.create(actor=ada, model_name="user", record_id=str(ada.pk))
    assert sign_ins.purge_sign_ins() == 0
    AuditEntry.objects.update(created_at=timezone.now() - sign_ins.RETENTION)
    with statements(7):  # three batches, and the look for a fourth
        assert sign_ins.purge_sign_ins() == len(SIGN_IN_ACTIONS) == 5
    assert [entry.action for entry in AuditEntry.objects.all()] == ["changed"]


def test_the_known_device_cookie_needs_https_where_the_session_does(ada, settings):
    settings.SESSION_COOKIE_SECURE = True
    browser = Client()
    admin_login(ada.email, factories.PASSWORD, browser=browser)
    assert browser.cookies[f"known_device_{ada.pk}"]["secure"] is True
    assert django_settings.SESSION_COOKIE_NAME in browser.cookies
