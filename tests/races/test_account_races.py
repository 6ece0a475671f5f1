import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.utils.http import urlsafe_base64_encode
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from support import factories, totp
from support.concurrency import (
    TIMEOUT_SECONDS,
    Caller,
    on_postgresql,
    run_concurrently,
    tally,
    wait_for_waiting,
)

from shop.api import tokens
from shop.models import Session, User
from shop.services import accounts, personal_data
from shop.services.errors import InvalidToken
from shop.services.sessions import open_session

pytestmark = pytest.mark.django_db(transaction=True)
CSRF_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
NEW_PASSWORDS = [f"another-horse-{n}" for n in range(6)]


def run_behind_lock(user, calls):
    """Start the calls while the user's row is locked, so that all have read it; then unlock it."""
    with ThreadPoolExecutor(len(calls)) as pool:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=user.pk)
            running = [pool.submit(call) for call in calls]
            wait_for_waiting(4)  # one process with four threads may have got all calls
        return [call.result() for call in running]


def accepted_passwords(user):
    user.refresh_from_db()
    return [password for password in NEW_PASSWORDS if user.check_password(password)]


def test_concurrent_registrations_of_an_email_create_one_user(http):
    body = {
        "email": "dora@example.com",
        "password": "correct-horse-7",
        "first_name": "Dora",
        "last_name": "Stranger",
    }
    answers = run_concurrently(*[lambda: http.post("/api/auth/register/", json=body)] * 8)
    assert tally(answers) == {201: 1, (409, "email-taken"): 7}
    assert (User.objects.get().email, Session.objects.count()) == ("dora@example.com", 1)


def test_concurrent_refreshes_return_the_same_token(http, carl):
    session = open_session(carl, "test")
    for _ in range(5):
        body = {"refresh": tokens.sign_token(session, "refresh")}
        answers = run_concurrently(
            *[lambda body=body: http.post("/api/auth/refresh/", json=body)] * 5
        )
        assert tally(answers) == {200: 5}
        # But for the seconds left, which may differ by one.
        first, *others = [answer.json() | {"expires_in": None} for answer in answers]
        assert others == [first] * 4
        previous = session.current_token
        session.refresh_from_db()
        assert (session.previous_token, session.revoked_at) == (previous, None)
        new_token = tokens.sign_token(session, "refresh")
        assert answers[0].json()["refresh"] == new_token != body["refresh"]


@on_postgresql
@pytest.mark.parametrize("model", [TOTPDevice, StaticDevice])
def test_a_one_time_code_is_accepted_once(http, ada, model):
    totp.create_device(ada)
    code = totp.code_at(time.time()) if model is TOTPDevice else totp.RECOVERY
    body = {"email": ada.email, "password": factories.PASSWORD, "otp": code}
    with ThreadPoolExecutor(8) as pool:
        with transaction.atomic():
            model.objects.select_for_update().get()
            calls = [pool.submit(http.post, "/api/auth/login/", json=body) for _ in range(8)]
            wait_for_waiting(4)  # one process with four threads may have got all calls
        assert tally(call.result() for call in calls) == {200: 1, (401, "otp-required"): 7}
    assert Session.objects.count() == 1


@on_postgresql
def test_a_reset_link_sets_one_password(http, carl):
    link = {
        "uid": urlsafe_base64_encode(str(carl.pk).encode()),
        "token": default_token_generator.make_token(carl),
    }
    calls = [
        lambda body=link | {"new_password": new}: http.post(
            "/api/auth/password/reset/confirm/", json=body
        )
        for new in NEW_PASSWORDS
    ]
    answers = run_behind_lock(carl, calls)
    assert tally(answers) == {204: 1, (422, "reset-token-invalid"): 5}
    (winner,) = [n for n, answer in enumerate(answers) if answer.is_success]
    assert accepted_passwords(carl) == [NEW_PASSWORDS[winner]]


@on_postgresql
def test_of_concurrent_password_changes_one_succeeds(http, carl):
    app = Caller(http, tokens.sign_token(open_session(carl, "test"), "access"))
    body = {"current_password": factories.PASSWORD}
    calls = [
        app("POST", "/auth/password/change/", body | {"new_password": new}) for new in NEW_PASSWORDS
    ]
    answers = run_behind_lock(carl, calls)
    assert tally(answers) == {204: 1, (422, "wrong-password"): 5}
    (winner,) = [n for n, answer in enumerate(answers) if answer.is_success]
    assert accepted_passwords(carl) == [NEW_PASSWORDS[winner]]
    assert app("GET", "/auth/profile/")().status_code == 200


@on_postgresql
def test_of_concurrent_password_changes_in_the_admin_one_succeeds(http, ada):
    page = "/admin/password_change/"
    options = {"base_url": http.base_url, "trust_env": False, "timeout": TIMEOUT_SECONDS}

    def change(new):
        session = factories.staff_client(ada).cookies[settings.SESSION_COOKIE_NAME].value
        cookies = {settings.SESSION_COOKIE_NAME: session}
        browser = browsers.enter_context(httpx.Client(cookies=cookies, **options))
        (token,) = set(CSRF_TOKEN.findall(browser.get(page).text))
        values = {"old_password": factories.PASSWORD, "csrfmiddlewaretoken": token}
        values |= {"new_password1": new, "new_password2": new}
        return lambda: browser.post(page, data=values)

    with ExitStack() as browsers:
        answers = run_behind_lock(ada, [change(new) for new in NEW_PASSWORDS])
    # A request that comes after the change finds its session ended, and is sent to the login.
    outcomes = [
        (answer.status_code, urlsplit(answer.headers.get("Location", "")).path)
        for answer in answers
    ]
    assert set(outcomes) <= {(302, f"{page}done/"), (302, "/admin/login/"), (200, "")}
    (winner,) = [n for n, outcome in enumerate(outcomes) if outcome == (302, f"{page}done/")]
    assert accepted_passwords(ada) == [NEW_PASSWORDS[winner]]


def test_an_erased_account_gets_no_personal_data_back(carl, ada):
    stale = User.objects.get(pk=carl.pk)  # as a call has read it that waited meanwhile
    personal_data.erase_personal_data(user_id=carl.pk, actor=ada)
    with pytest.raises(InvalidToken):
        accounts.update_profile(user=stale, changes={"first_name": "Carl"})
    assert User.objects.get(pk=carl.pk).first_name != "Carl"
