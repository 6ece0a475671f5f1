import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone
from django_otp import models as otp_models
from support import factories, totp

from shop.models import Session


def log_in(app, user, **otp):
    body = {"email": user.email, "password": factories.PASSWORD, **otp}
    return app.post("/auth/login/", body)


def test_staff_with_a_second_factor_send_its_code(strangers_app, ada, settings):
    settings.SHOP_TWO_FACTOR = "optional"
    assert log_in(strangers_app, ada).status_code == 200
    totp.create_device(ada)
    for otp in ({}, {"otp": ""}, {"otp": "abcdefg0"}):
        assert factories.problem_code(log_in(strangers_app, ada, **otp)) == (401, "otp-required")
    assert log_in(strangers_app, ada, otp=totp.code_at(time.time())).status_code == 200
    assert Session.objects.count() == 2


def test_wrong_codes_are_throttled(strangers_app, ada, settings, monkeypatch):
    settings.SHOP_TWO_FACTOR = "optional"
    totp.create_device(ada)
    now = timezone.now()
    monkeypatch.setattr(otp_models, "timezone", SimpleNamespace(now=lambda: now))
    codes = {"000000": totp.code_at(time.time()), "abcdefg0": totp.RECOVERY}
    for code in [*codes, *codes.values()]:
        assert factories.problem_code(log_in(strangers_app, ada, otp=code)) == (
            401,
            "otp-required",
        )
    now += timedelta(minutes=1)
    assert [log_in(strangers_app, ada, otp=code).status_code for code in codes.values()] == [
        200,
        200,
    ]


def test_staff_without_a_required_second_factor_are_refused(strangers_app, ada, settings):
    settings.SHOP_TWO_FACTOR = "required"
    assert factories.problem_code(log_in(strangers_app, ada)) == (401, "otp-required")
    assert factories.problem_code(log_in(strangers_app, ada, otp="123456")) == (
        401,
        "otp-required",
    )


@pytest.mark.parametrize("policy", ["off", "optional", "required"])
def test_customers_need_no_second_factor(strangers_app, carl, settings, policy):
    settings.SHOP_TWO_FACTOR = policy
    totp.create_device(carl)
    assert log_in(strangers_app, carl).status_code == 200


def test_a_wrong_password_is_reported_before_the_code(strangers_app, ada, settings):
    settings.SHOP_TWO_FACTOR = "required"
    totp.create_device(ada)
    response = strangers_app.post(
        "/auth/login/", {"email": ada.email, "password": "wrong", "otp": totp.code_at(time.time())}
    )
    assert factories.problem_code(response) == (401, "invalid-credentials")
    assert log_in(strangers_app, ada, otp=totp.code_at(time.time())).status_code == 200
