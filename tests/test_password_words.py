"""Passwords that are a well-known word or the shop's name in disguise."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from support import factories

from shop.models import User


@pytest.fixture(autouse=True)
def _shop(settings):
    settings.SHOP_NAME = "Fern & Ember"
    settings.ALLOWED_HOSTS = ["www.hearth-goods.example", "testserver"]


REFUSED = [
    "Password123!",
    "Summer2026!",
    "Welcome1!",
    "FernEmber2026",
    "fern-and-ember",
    "P@ssw0rd!2026",
    "pa55word#99",
    "$ummer-2026",
    "2026Summer!!",
    "Qwertz12345",
    "1qaz2wsx!!",
    "iloveyou2!!",
    "passwordpassword",
    "summerSUMMER1",
    "F3rn&Emb3r!",
    "Ember-ember-1",
    "HearthGoods1",
    "hearth.goods.2026",
    "MyPassword1!",
    "Adm1n!2026!!",
    "We1come-2026",
    "\uff50assword123",
    "Contraseña-2026",
]


@pytest.mark.parametrize("password", REFUSED)
def test_a_word_in_disguise_is_refused(password):
    with pytest.raises(ValidationError) as caught:
        validate_password(password)
    assert "password_too_common" in {error.code for error in caught.value.error_list}


@pytest.mark.parametrize(
    "password",
    [
        "correct-horse-7",
        "Tr1cky-pass-phrase",
        "another-horse-9",
        "summer-kettle-bridge",
        "password of the blue whale",
        "fern-kettle-bridge",
        "fernando-piano-77",
        "xK9#mQ2$vL7p",
        "lovely-chairs-on-fire",
        "正しい馬の電池ホチキス",
        "----a----b----",
    ],
)
def test_other_words_pass(password):
    validate_password(password)


@pytest.mark.parametrize("password", ["a" * 4000 + "!", "abcabc" * 700 + "?", "fernand" * 600])
def test_a_long_password_is_checked_in_no_time(password, monkeypatch):
    validate_password(password + "zq")  # a regular expression would not come back


def test_it_is_a_field_error_of_the_api(strangers_app, db):
    body = {"email": "eve@example.com", "first_name": "Eve", "last_name": "New"}
    response = strangers_app.post("/auth/register/", body | {"password": "FernEmber2026"})
    assert factories.problem_code(response) == (422, "invalid")
    assert [(e["field"], e["code"]) for e in response.json()["errors"]] == [
        ("password", "password_too_common")
    ]
    assert User.objects.count() == 0


@pytest.mark.parametrize("password", [" " * 10, "\u3164" * 10, "\u00ad" * 12, "\u200b" * 8])
def test_an_invisible_password_is_refused(password):
    with pytest.raises(ValidationError) as excinfo:
        validate_password(password)
    assert [error.code for error in excinfo.value.error_list] == ["password_invisible"]
