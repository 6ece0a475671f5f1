import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django_otp import models as otp_models
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp import models as totp_models
from django_otp.plugins.otp_totp.models import TOTPDevice
from support import factories, totp

from shop.models import AuditEntry, Session, User
from shop.services.errors import WrongCode

SIGN_IN, SET_UP = "/admin/login/", "/admin/shop/user/two-factor/"
SESSIONS = "/admin/shop/user/sessions/"


@pytest.fixture(autouse=True)
def _optional(settings):
    settings.SHOP_TWO_FACTOR = "optional"


@pytest.fixture
def clock(monkeypatch):
    """The shop's clock for codes; `clock.code()` is the app's current code."""
    clock = SimpleNamespace(now=1_000_000_000)
    monkeypatch.setattr(totp_models, "time", SimpleNamespace(time=lambda: clock.now))
    stopped = SimpleNamespace(now=lambda: datetime.fromtimestamp(clock.now, UTC))
    monkeypatch.setattr(otp_models, "timezone", stopped)
    clock.code = lambda: totp.code_at(clock.now)
    return clock


def sign_in(code=None, browser=None, password=factories.PASSWORD):
    values = {"username": "ada@example.com", "password": password}
    return (browser or Client()).post(SIGN_IN, values if code is None else values | {"code": code})


def was_wrong(answer):
    errors = answer.context["form"].errors.as_data() if answer.status_code == 200 else {}
    return [error.code for error in errors.get("__all__", [])] == [WrongCode.code]


def skip_waiting_time():
    """End the waiting time after a wrong code."""
    for model in (TOTPDevice, StaticDevice):
        for device in model.objects.exclude(throttling_failure_timestamp=None):
            device.throttling_failure_timestamp -= timedelta(hours=1)
            device.save()


def audited():
    return list(
        AuditEntry.objects.filter(action="changed")
        .order_by("pk")
        .values_list("actor__first_name", "record_label", "changes")
    )


def test_if_it_is_off_no_code_is_needed(ada, settings):
    totp.create_device(ada)
    settings.SHOP_TWO_FACTOR = "off"
    page = Client().get(SIGN_IN)
    links = [link["link"] for link in page.context["account_links"]]
    assert ("code" in page.context["form"].fields, links) == (False, [SESSIONS])
    assert sign_in().url == "/admin/"
    assert factories.staff_client(ada).get("/admin/").status_code == 200


def test_if_it_is_optional_a_password_is_enough(ada):
    browser = Client()
    assert sign_in(browser=browser).url == "/admin/"
    page = browser.get("/admin/")
    links = [link["link"] for link in page.context["account_links"]]
    assert (page.status_code, links) == (200, ["/admin/password_change/", SET_UP, SESSIONS])


def test_it_is_turned_on_and_recovery_codes_are_shown_once(adas_browser, ada, clock):
    page = adas_browser.get(SET_UP)
    key = dict(page.context["hidden"])["key"]
    assert re.fullmatch("[0-9a-f]{40}", key)
    assert key != dict(adas_browser.get(SET_UP).context["hidden"])["key"]
    assert page.context["provisioning_uri"].startswith(
        "otpauth://totp/Test%20Shop%3Aada%40example.com?secret="
    )
    assert page.context["qr_code"].startswith("data:image/svg+xml")
    app, before = (
        factories.api_client(ada),
        adas_browser.cookies[django_settings.SESSION_COOKIE_NAME].value,
    )
    shown = adas_browser.post(SET_UP, {"key": totp.KEY, "code": clock.code()}).context["codes"]
    assert (len(set(shown)), {len(code) for code in shown}) == (10, {8})
    assert adas_browser.cookies[django_settings.SESSION_COOKIE_NAME].value != before
    assert adas_browser.get("/admin/").status_code == 200
    assert app.get("/auth/profile/").status_code == 401
    assert not any(code in adas_browser.get(SET_UP).content.decode() for code in shown)
    assert audited()[0] == ("Ada", "Ada Staff", "two-factor authentication: off → on")
    assert sign_in(shown[3]).url == "/admin/"


@pytest.mark.parametrize(
    "sent",
    [{"key": totp.KEY, "code": "000000"}, {"key": "zz", "code": "000000"}, {"code": "000000"}, {}],
)
def test_a_wrong_code_does_not_turn_it_on(adas_browser, clock, sent):
    page = adas_browser.post(SET_UP, sent)
    assert (page.status_code, page.context["form"].is_valid()) == (200, False)
    assert (TOTPDevice.objects.count(), StaticDevice.objects.count(), audited()) == (0, 0, [])
    if sent.get("key") == totp.KEY:
        assert dict(page.context["hidden"])["key"] == totp.KEY


def test_login_needs_the_right_code(ada, clock):
    totp.create_device(ada)
    for code in (None, "", "000000", "abcdefg0", totp.code_at(clock.now + 3600), "\uff11" * 6):
        browser = Client()
        assert was_wrong(sign_in(code, browser)), code
        assert browser.get("/admin/").status_code == 302
        skip_waiting_time()
    browser = Client()
    assert sign_in(clock.code(), browser).url == "/admin/"
    assert browser.get("/admin/").status_code == 200


def test_a_wrong_password_does_not_use_up_the_code(ada, clock):
    totp.create_device(ada)
    answer = sign_in(clock.code(), password="wrong")
    assert (was_wrong(answer), bool(answer.context["form"].non_field_errors())) == (False, True)
    assert sign_in(clock.code()).url == "/admin/"


def test_each_code_is_accepted_once(ada, clock):
    totp.create_device(ada)
    code = clock.code()
    assert sign_in(code).url == "/admin/"
    assert was_wrong(sign_in(code))
    skip_waiting_time()
    assert sign_in(totp.RECOVERY).url == "/admin/"
    assert was_wrong(sign_in(totp.RECOVERY))
    clock.now += 30
    assert sign_in(clock.code()).url == "/admin/"


def test_recovery_codes_ignore_case_spaces_and_dashes(ada):
    totp.create_device(ada)
    assert sign_in(" ABCD-efgh ").url == "/admin/"


def test_wrong_codes_delay_codes_but_not_recovery_codes(ada, clock):
    totp.create_device(ada)
    for _ in range(5):
        assert was_wrong(sign_in("000000"))
    assert was_wrong(sign_in(clock.code()))
    assert sign_in(totp.RECOVERY).url == "/admin/"
    skip_waiting_time()
    assert sign_in(clock.code()).url == "/admin/"


def test_wrong_recovery_codes_delay_recovery_codes_but_not_codes(ada, clock):
    totp.create_device(ada)
    for _ in range(5):
        assert was_wrong(sign_in("abcdefg0"))
    assert was_wrong(sign_in(totp.RECOVERY))
    assert sign_in(clock.code()).url == "/admin/"
    skip_waiting_time()
    assert sign_in(totp.RECOVERY).url == "/admin/"


def test_an_empty_code_starts_no_waiting_time(ada, clock):
    totp.create_device(ada)
    for right in (clock.code(), totp.RECOVERY):
        assert was_wrong(sign_in(""))
        assert sign_in(right).url == "/admin/"


def test_a_session_opened_without_the_code_is_ended(adas_browser, ada):
    assert adas_browser.get("/admin/").status_code == 200
    totp.create_device(ada)
    answer = adas_browser.get("/admin/shop/order/")
    assert (answer.status_code, answer.url) == (302, SIGN_IN)
    assert "_auth_user_id" not in adas_browser.session


@pytest.mark.parametrize(
    "page", ["/admin/", "/admin/shop/order/", "/admin/search/?s=x", "/admin/jsi18n/"]
)
def test_if_it_is_required_all_pages_lead_to_the_set_up(settings, clock, ada, page):
    settings.SHOP_TWO_FACTOR = "required"
    browser = Client()
    sign_in(browser=browser)
    assert browser.get(page).url == SET_UP
    assert browser.post(page).url == SET_UP
    assert browser.get(SET_UP).status_code == 200
    browser.post(SET_UP, {"key": totp.KEY, "code": clock.code()})
    assert browser.get(page).status_code == 200
    assert browser.post("/admin/logout/").status_code == 200


def test_if_it_is_required_logout_and_login_still_work(settings, ada, carl):
    settings.SHOP_TWO_FACTOR = "required"
    browser = factories.staff_client(ada)
    assert browser.post("/admin/logout/").status_code == 200
    assert factories.staff_client(carl).get("/admin/").url == f"{SIGN_IN}?next=/admin/"


def test_users_turn_off_their_own_with_a_code(ada, clock):
    totp.create_device(ada)
    browser = Client()
    sign_in(clock.code(), browser)
    assert "with 1 recovery code left" in browser.get(SET_UP).context["hint"]
    refused = browser.post(SET_UP, {"code": "000000"})
    assert list(refused.context["form"].errors) == ["code"]
    skip_waiting_time()
    assert TOTPDevice.objects.count() == 1
    assert browser.post(SET_UP, {"code": totp.RECOVERY}).url == SET_UP
    assert (TOTPDevice.objects.count(), StaticToken.objects.count()) == (0, 0)
    assert audited() == [
        ("Ada", "Ada Staff", "two-factor authentication: on → off"),
        ("Ada", "Ada Staff", "sessions: active → all ended"),
    ]


@pytest.fixture
def cleo(db):
    return factories.create_user("Cleo", "Clerk", role="admin")


def test_superusers_turn_off_that_of_colleagues(adas_browser, cleo):
    totp.create_device(cleo)
    app = factories.api_client(cleo)
    page = f"/admin/shop/user/{cleo.pk}/two-factor/"
    assert page in adas_browser.get(f"/admin/shop/user/{cleo.pk}/change/").content.decode()
    assert adas_browser.get(page).status_code == 200
    messages = factories.page_messages(adas_browser.post(page, follow=True))
    assert messages == ["Two-factor authentication was turned off."]
    assert (TOTPDevice.objects.count(), StaticDevice.objects.count()) == (0, 0)
    assert app.get("/auth/profile/").status_code == 401
    assert audited()[0] == ("Ada", "Cleo Clerk", "two-factor authentication: on → off")
    assert adas_browser.post(page).status_code == 403


def test_only_superusers_turn_it_off_and_only_for_others(ada, cleo, staff_client_with, clock):
    totp.create_device(ada)
    User.objects.filter(pk=cleo.pk).delete()
    page = f"/admin/shop/user/{ada.pk}/two-factor/"
    assert (
        staff_client_with("change_user", "change_session", "view_user").post(page).status_code
        == 403
    )
    browser = Client()
    sign_in(clock.code(), browser)
    assert browser.post(page).status_code == 403
    assert (TOTPDevice.objects.count(), Session.objects.count()) == (1, 0)
