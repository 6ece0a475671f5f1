import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone
from django_otp import models as otp_models
from support import factories, totp

from shop.models import Session


def sign_in(app, user, **otp):
    body = {"email": user.email, "password": factories.PASSWORD, **otp}
    return app.post("/auth/login/", body)


def test_staff_with_a_second_factor_send_its_code(strangers_app, ada, settings):
    settings.SHOP_TWO_FACTOR = "optional"
    assert sign_in(strangers_app, ada).status_code == 200
    totp.create_device(ada)
    for otp in ({}, {"otp": ""}, {"otp": "abcdefg0"}):
        assert factories.problem_code(sign_in(strangers_app, ada, **otp)) == (401, "otp-required")
    assert sign_in(strangers_app, ada, otp=totp.code_at(time.time())).status_code == 200
    assert Session.objects.count() == 2


def test_wrong_codes_make_one_wait(strangers_app, ada, settings, monkeypatch):
    settings.SHOP_TWO_FACTOR = "optional"
    totp.create_device(ada)
    now = timezone.now()
    monkeypatch.setattr(otp_models, "timezone", SimpleNamespace(now=lambda: now))
    right = {"000000": totp.code_at(time.time()), "abcdefg0": totp.RECOVERY}
    for code in [*right, *right.values()]:
        assert factories.problem_code(sign_in(strangers_app, ada, otp=code)) == (
            401,
            "otp-required",
        )
    now += timedelta(minutes=1)
    assert [sign_in(strangers_app, ada, otp=code).status_code for code in right.values()] == [
        200,
        200,
    ]


def test_where_it_is_required_staff_without_one_do_not_get_in(strangers_app, ada, settings):
    settings.SHOP_TWO_FACTOR = "required"
    assert factories.problem_code(sign_in(strangers_app, ada)) == (401, "otp-required")
    assert factories.problem_code(sign_in(strangers_app, ada, otp="123456")) == (
        401,
        "otp-required",
    )


@pytest.mark.parametrize("policy", ["off", "optional", "required"])
def test_customers_are_never_asked(strangers_app, carl, settings, policy):
    settings.SHOP_TWO_FACTOR = policy
    totp.create_device(carl)
    assert sign_in(strangers_app, carl).status_code == 200


def test_a_wrong_password_is_told_as_ever(strangers_app, ada, settings):
    settings.SHOP_TWO_FACTOR = "required"
    totp.create_device(ada)
    answer = strangers_app.post(
        "/auth/login/", {"email": ada.email, "password": "wrong", "otp": totp.code_at(time.time())}
    )
    assert factories.problem_code(answer) == (401, "invalid-credentials")
    assert sign_in(strangers_app, ada, otp=totp.code_at(time.time())).status_code == 200
