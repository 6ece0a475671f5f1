import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from support import factories, totp
from support.concurrency import on_postgresql, run_concurrently, tally, wait_for_waiting

from shop.api import tokens
from shop.models import Session, User
from shop.services.accounts import open_session

pytestmark = pytest.mark.django_db(transaction=True)


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
        assert len({answer.content for answer in answers}) == 1
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
