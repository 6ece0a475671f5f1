import time
from datetime import timedelta
from types import SimpleNamespace

import codes
import people
import pytest
from django.utils import timezone
from django_otp import models as otp_models

from shop.models import Session


def sign_in(app, user, **otp):
    body = {"email": user.email, "password": people.PASSWORD, **otp}
    return app.post("/auth/login/", body)


def test_staff_with_a_second_factor_send_its_code(strangers_app, ada, settings):
    settings.SHOP_SECOND_FACTOR = "optional"
    assert sign_in(strangers_app, ada).status_code == 200
    codes.telephone_of(ada)
    for otp in ({}, {"otp": ""}, {"otp": "abcdefg0"}):
        assert people.problem(sign_in(strangers_app, ada, **otp)) == (401, "otp-required")
    assert sign_in(strangers_app, ada, otp=codes.code_at(time.time())).status_code == 200
    assert Session.objects.count() == 2


def test_wrong_codes_make_one_wait(strangers_app, ada, settings, monkeypatch):
    settings.SHOP_SECOND_FACTOR = "optional"
    codes.telephone_of(ada)
    now = timezone.now()
    monkeypatch.setattr(otp_models, "timezone", SimpleNamespace(now=lambda: now))
    right = {"000000": codes.code_at(time.time()), "abcdefg0": codes.RECOVERY}
    for code in [*right, *right.values()]:
        assert people.problem(sign_in(strangers_app, ada, otp=code)) == (401, "otp-required")
    now += timedelta(minutes=1)
    assert [sign_in(strangers_app, ada, otp=code).status_code for code in right.values()] == [200, 200]


def test_where_it_is_required_staff_without_one_do_not_get_in(strangers_app, ada, settings):
    settings.SHOP_SECOND_FACTOR = "required"
    assert people.problem(sign_in(strangers_app, ada)) == (401, "otp-required")
    assert people.problem(sign_in(strangers_app, ada, otp="123456")) == (401, "otp-required")


@pytest.mark.parametrize("policy", ["off", "optional", "required"])
def test_customers_are_never_asked(strangers_app, carl, settings, policy):
    settings.SHOP_SECOND_FACTOR = policy
    codes.telephone_of(carl)
    assert sign_in(strangers_app, carl).status_code == 200


def test_a_wrong_password_is_told_as_ever(strangers_app, ada, settings):
    settings.SHOP_SECOND_FACTOR = "required"
    codes.telephone_of(ada)
    answer = strangers_app.post(
        "/auth/login/", {"email": ada.email, "password": "wrong", "otp": codes.code_at(time.time())}
    )
    assert people.problem(answer) == (401, "invalid-credentials")
    assert sign_in(strangers_app, ada, otp=codes.code_at(time.time())).status_code == 200
