"""Sessions of apps and browsers end when the rights, the second factor or the policy change."""

import time

import pytest
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Group, Permission
from django.test import Client
from support import factories, totp

from shop.api import tokens
from shop.models import AuditEntry, Session, User
from shop.services import two_factor

ADMIN, LOGIN, SET_UP = "/admin/", "/admin/login/", "/admin/shop/user/two-factor/"
PROFILE = "/auth/profile/"


@pytest.fixture
def cleo(db):
    return factories.create_user("Cleo", "Clerk", role="admin")


def is_signed_in(browser):
    """Return whether the browser's session still has a user."""
    browser.get(ADMIN)
    return "_auth_user_id" in browser.session


def sign_in(user, code=None):
    browser = Client()
    values = {"username": user.email, "password": factories.PASSWORD}
    response = browser.post(LOGIN, values if code is None else values | {"code": code})
    assert response.status_code == 302
    return browser


def test_a_customers_session_hash_is_djangos_own(carl):
    assert carl.get_session_auth_hash() == AbstractBaseUser.get_session_auth_hash(carl)
    carl.end_all_sessions()
    assert carl.get_session_auth_hash() != AbstractBaseUser.get_session_auth_hash(carl)


def test_a_session_survives_a_rotation_of_the_secret_key(ada, settings):
    browser = factories.staff_client(ada)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-" * 4
    assert is_signed_in(browser)


CHANGES = {
    "role": {"role": "admin"},
    "superuser": {"is_superuser": True},
    "password": {"password": factories.PASSWORD_HASH.replace("$", "$$", 1)},
    "version": {"session_version": 1},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_row_ends_every_session_whoever_changed_it(cleo, carl, change):
    user = carl if change == "role" else cleo
    browser, app = factories.staff_client(user), factories.api_client(user)
    other_browser, other_app = factories.staff_client(cleo), factories.api_client(cleo)
    assert (is_signed_in(browser), app.get(PROFILE).status_code) == (True, 200)
    User.objects.filter(pk=user.pk).update(**CHANGES[change])
    assert (is_signed_in(browser), app.get(PROFILE).status_code) == (False, 401)
    if user is carl:
        assert (is_signed_in(other_browser), other_app.get(PROFILE).status_code) == (True, 200)


@pytest.mark.parametrize(("before", "after"), [("off", "required"), ("optional", "required")])
def test_a_changed_policy_ends_sessions_of_staff_only(cleo, carl, settings, before, after):
    settings.SHOP_TWO_FACTOR = before
    browser, app, carls = sign_in(cleo), factories.api_client(cleo), factories.api_client(carl)
    session = Session.objects.get(user=cleo)
    refresh = {"refresh": tokens.sign_token(session, "refresh")}
    settings.SHOP_TWO_FACTOR = after
    assert (is_signed_in(browser), app.get(PROFILE).status_code) == (False, 401)
    assert factories.problem_code(app.post("/auth/refresh/", refresh)) == (401, "token-invalid")
    assert carls.get(PROFILE).status_code == 200


def test_where_a_code_is_required_a_session_without_one_is_refused(cleo, carl, settings):
    promoted = factories.api_client(carl)
    settings.SHOP_TWO_FACTOR = "required"
    User.objects.filter(pk=carl.pk).update(role="admin")
    assert factories.problem_code(promoted.get(PROFILE)) == (401, "token-invalid")
    app = factories.api_client(None)
    body = {"email": cleo.email, "password": factories.PASSWORD}
    assert factories.problem_code(app.post("/auth/login/", body)) == (401, "otp-required")
    totp.create_device(cleo)
    body["otp"] = totp.code_at(time.time())
    verified = app.post("/auth/login/", body).json()
    app.token = verified["access"]
    assert app.get(PROFILE).status_code == 200
    app.token = app.post("/auth/refresh/", {"refresh": verified["refresh"]}).json()["access"]
    assert app.get(PROFILE).status_code == 200


RIGHTS = {
    "role": lambda: {"role": "customer"},
    "superuser": lambda: {"is_superuser": "on"},
    "groups": lambda: {"groups": [Group.objects.create(name="Night shift").pk]},
    "permissions": lambda: {"user_permissions": []},
    "closed": lambda: {"is_active": ""},
}


def change_form(user, **values):
    """Return the values of the user's form in the admin, with some changed."""
    names = ("email", "first_name", "last_name", "phone", "role")
    form = {name: getattr(user, name) for name in names} | {"is_active": "on"} | values
    return {name: value for name, value in form.items() if value != ""} | {"phone": user.phone}


@pytest.mark.parametrize("right", RIGHTS)
def test_a_change_of_rights_in_the_admin_ends_every_session(ada, cleo, adas_app, right):
    cleo.user_permissions.set([Permission.objects.get(codename="view_order")])
    superuser = factories.staff_client(ada)
    browser, app = factories.staff_client(cleo), factories.api_client(cleo)
    page = f"/admin/shop/user/{cleo.pk}/change/"
    own = [permission.pk for permission in cleo.user_permissions.all()]
    unchanged = change_form(cleo, phone="020 7946", user_permissions=own)
    assert superuser.post(page, unchanged).status_code == 302
    assert (is_signed_in(browser), app.get(PROFILE).status_code) == (True, 200)
    changed = change_form(cleo, **({"user_permissions": own} | RIGHTS[right]()))
    assert superuser.post(page, changed).status_code == 302
    User.objects.filter(pk=cleo.pk).update(is_active=True)  # a reopened account stays signed out
    assert (is_signed_in(browser), app.get(PROFILE).status_code) == (False, 401)
    assert (is_signed_in(superuser), adas_app.get(PROFILE).status_code) == (True, 200)


def test_a_change_of_ones_own_rights_keeps_this_browser_only(ada):
    browser, other, app = (
        factories.staff_client(ada),
        factories.staff_client(ada),
        factories.api_client(ada),
    )
    group = Group.objects.create(name="Night shift")
    values = change_form(ada, is_superuser="on", groups=[group.pk])
    assert browser.post(f"/admin/shop/user/{ada.pk}/change/", values).status_code == 302
    assert (is_signed_in(browser), is_signed_in(other), app.get(PROFILE).status_code) == (
        True,
        False,
        401,
    )


@pytest.mark.parametrize("is_own", [True, False])
def test_signing_out_everywhere_includes_browsers(ada, cleo, is_own):
    user = ada if is_own else cleo
    acting, browser, app = (
        factories.staff_client(ada),
        factories.staff_client(user),
        factories.api_client(user),
    )
    page = f"/admin/shop/user/{user.pk}/sign-out/"
    assert page in acting.get(f"/admin/shop/user/{user.pk}/change/").content.decode()
    assert acting.post(page).status_code == 302
    assert (is_signed_in(acting), is_signed_in(browser), app.get(PROFILE).status_code) == (
        True,
        False,
        401,
    )


def test_a_colleague_without_an_app_can_be_signed_out(ada, cleo):
    acting, browser = factories.staff_client(ada), factories.staff_client(cleo)
    page = f"/admin/shop/user/{cleo.pk}/sign-out/"
    assert page in acting.get(f"/admin/shop/user/{cleo.pk}/change/").content.decode()
    acting.post(page)
    assert not is_signed_in(browser)
    entry = AuditEntry.objects.get(model_name="user", record_id=str(cleo.pk))
    assert (entry.actor, entry.changes) == (ada, "sessions: active → all ended")


def test_logging_out_everywhere_by_the_api_includes_browsers(cleo):
    browser, app = factories.staff_client(cleo), factories.api_client(cleo)
    assert app.post("/auth/logout/").status_code == 204
    assert is_signed_in(browser)
    app = factories.api_client(cleo)
    assert app.post("/auth/logout/", {"everywhere": True}).status_code == 204
    assert not is_signed_in(browser)


def test_turning_the_second_factor_on_or_off_keeps_this_browser_only(cleo, settings):
    settings.SHOP_TWO_FACTOR = "optional"
    browser, other, app = sign_in(cleo), sign_in(cleo), factories.api_client(cleo)
    code = totp.code_at(time.time())
    page = browser.post(SET_UP, {"key": totp.KEY, "code": code})
    assert (is_signed_in(browser), is_signed_in(other), app.get(PROFILE).status_code) == (
        True,
        False,
        401,
    )
    first, second = page.context["codes"][:2]
    other, app = sign_in(cleo, first), factories.api_client(cleo)
    assert browser.post(SET_UP, {"code": second}).status_code == 302
    assert (is_signed_in(browser), is_signed_in(other), app.get(PROFILE).status_code) == (
        True,
        False,
        401,
    )


def test_a_superuser_who_turns_it_off_ends_every_session(ada, cleo, settings):
    settings.SHOP_TWO_FACTOR = "optional"
    totp.create_device(cleo)
    superuser, app = factories.staff_client(ada), factories.api_client(cleo)
    browser = sign_in(cleo, totp.RECOVERY)
    superuser.post(f"/admin/shop/user/{cleo.pk}/two-factor/")
    assert (is_signed_in(browser), app.get(PROFILE).status_code) == (False, 401)
    assert User.objects.get(pk=cleo.pk).session_version == 1


def test_turning_it_off_twice_is_logged_once(ada, cleo):
    totp.create_device(cleo)
    for _ in range(2):
        two_factor.disable(user=cleo, by=ada)
    assert User.objects.get(pk=cleo.pk).session_version == 1
