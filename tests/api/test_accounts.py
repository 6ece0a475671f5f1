import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.utils.dateparse import parse_datetime
from support import factories
from support.api_bodies import user_body

from shop.models import User
from shop.services import background

NEW = {
    "email": "Eve@Example.com",
    "password": "correct-horse-8",
    "first_name": " Eve ",
    "last_name": "New",
    "phone": "+49 30 1234",
}
TAKEN_EMAILS = ["carl@example.com", "CARL@example.com", " Carl@Example.COM "]
WEAK_PASSWORDS = ["short7", "123456789012", "password123", "eve@example.com"]
READ_ONLY = [
    "id",
    "email",
    "role",
    "created_at",
    "is_staff",
    "is_superuser",
    "is_active",
    "password",
]


def field_error(response):
    assert factories.problem_code(response) == (422, "invalid")
    (error,) = response.json()["errors"]
    return error["field"], error["code"]


def test_registering_creates_an_account_and_a_session(strangers_app):
    response = strangers_app.post("/auth/register/", NEW)
    eve = User.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "access": response.json()["access"],
        "refresh": response.json()["refresh"],
        "token_type": "Bearer",
        "expires_in": 86400,
        "user": user_body(eve),
    }
    assert (eve.email, eve.first_name, eve.role) == ("eve@example.com", "Eve", "customer")
    app = factories.ApiClient(strangers_app.client, response.json()["access"])
    assert app.get("/auth/profile/").json() == user_body(eve)


def test_the_phone_number_is_optional(strangers_app):
    body = {name: value for name, value in NEW.items() if name != "phone"}
    assert strangers_app.post("/auth/register/", body).json()["user"]["phone"] == ""


@pytest.mark.usefixtures("carl")
@pytest.mark.parametrize("email", TAKEN_EMAILS)
def test_emails_are_unique_regardless_of_case(strangers_app, unchanged, email):
    with unchanged():
        response = strangers_app.post("/auth/register/", {**NEW, "email": email})
    assert factories.problem_code(response) == (409, "email-taken")


@pytest.mark.parametrize("password", WEAK_PASSWORDS)
def test_registering_with_a_weak_password_is_refused(strangers_app, unchanged, password):
    with unchanged():
        response = strangers_app.post("/auth/register/", {**NEW, "password": password})
    assert factories.problem_code(response) == (422, "invalid")
    assert {error["field"] for error in response.json()["errors"]} == {"password"}


def test_registering_names_all_wrong_fields_and_rules_at_once(strangers_app, unchanged):
    body = {"email": "eve", "password": "123456", "first_name": "", "phone": "1" * 31}
    with unchanged():
        response = strangers_app.post("/auth/register/", body | {"role": "admin"})
    assert factories.problem_code(response) == (422, "invalid")
    assert sorted((e["field"], e["code"]) for e in response.json()["errors"]) == [
        ("email", "value_error"),
        ("first_name", "too_short"),
        ("last_name", "missing"),
        ("password", "password_entirely_numeric"),
        ("password", "password_too_common"),
        ("password", "password_too_short"),
        ("phone", "too_long"),
        ("role", "extra_forbidden"),
    ]


def test_a_weak_password_is_named_beside_an_unknown_field(strangers_app, unchanged):
    with unchanged():
        response = strangers_app.post("/auth/register/", NEW | {"password": "short7", "role": "x"})
    assert sorted((e["field"], e["code"]) for e in response.json()["errors"]) == [
        ("password", "password_too_short"),
        ("role", "extra_forbidden"),
    ]


def test_a_password_is_compared_with_the_valid_fields(strangers_app, unchanged):
    body = NEW | {"first_name": "Evelynsharp", "password": "evelynsharp1", "phone": None}
    with unchanged():
        response = strangers_app.post("/auth/register/", body)
    assert sorted((e["field"], e["code"]) for e in response.json()["errors"]) == [
        ("password", "password_too_similar"),
        ("phone", "string_type"),
    ]


@pytest.mark.parametrize("field", ["email", "password", "first_name", "last_name"])
def test_registering_without_a_required_field_is_refused(strangers_app, unchanged, field):
    body = {name: value for name, value in NEW.items() if name != field}
    with unchanged():
        response = strangers_app.post("/auth/register/", body)
    assert field_error(response) == (field, "missing")


@pytest.mark.parametrize("email", ["eve", "eve@", "@example.com", "eve@exam ple.com"])
def test_registering_with_an_invalid_email_is_refused(strangers_app, unchanged, email):
    with unchanged():
        response = strangers_app.post("/auth/register/", {**NEW, "email": email})
    assert field_error(response) == ("email", "value_error")


def test_registering_cannot_set_read_only_fields(strangers_app, unchanged):
    with unchanged():
        for field in set(READ_ONLY) - NEW.keys():
            response = strangers_app.post("/auth/register/", {**NEW, field: "admin"})
            assert field_error(response) == (field, "extra_forbidden")


def test_logging_in_returns_a_session(strangers_app, carl):
    response = strangers_app.post(
        "/auth/login/", {"email": "CARL@example.com", "password": factories.PASSWORD}
    )
    assert response.status_code == 200
    assert response.json() == {
        "access": response.json()["access"],
        "refresh": response.json()["refresh"],
        "token_type": "Bearer",
        "expires_in": 86400,
        "user": user_body(carl),
    }
    assert User.objects.get().last_login is not None


@pytest.mark.usefixtures("carl")
def test_failed_logins_get_the_same_response_for_the_same_work(
    strangers_app, dora, unchanged, monkeypatch
):
    User.objects.filter(pk=dora.pk).update(is_active=False)
    hashed = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *a: hashed.append(1) or encode(*a))
    bodies, hash_counts = set(), set()
    queued = []  # the trace of a sign-in is written after the response
    monkeypatch.setattr(background, "enqueue", queued.append)
    for email, password in [
        ("carl@example.com", "wrong-horse-7"),
        ("nobody@example.com", factories.PASSWORD),
        ("dora@example.com", factories.PASSWORD),
        ("no email", factories.PASSWORD),
    ]:
        hashed.clear()
        with unchanged():
            response = strangers_app.post("/auth/login/", {"email": email, "password": password})
        assert factories.problem_code(response) == (401, "invalid-credentials")
        bodies.add(response.content)
        hash_counts.add(len(hashed))
    assert (len(bodies), hash_counts, len(queued)) == (1, {1}, 4)


def test_the_profile_is_the_users_own(carls_app, carl):
    response = carls_app.get("/auth/profile/")
    assert (response.status_code, response.json()) == (200, user_body(carl))
    assert parse_datetime(response.json()["created_at"]) == carl.created_at


@pytest.mark.parametrize("role", ["admin", "customer"])
def test_the_profile_contains_the_role(adas_app, carls_app, role):
    app = adas_app if role == "admin" else carls_app
    assert app.get("/auth/profile/").json()["role"] == role


def test_put_replaces_the_whole_profile(carls_app, carl, dora):
    User.objects.filter(pk=carl.pk).update(phone="123")
    response = carls_app.put("/auth/profile/", {"first_name": " Karl ", "last_name": "Buyer"})
    carl.refresh_from_db()
    assert (response.status_code, response.json()) == (200, user_body(carl))
    assert (carl.first_name, carl.last_name, carl.phone) == ("Karl", "Buyer", "")
    assert User.objects.get(pk=dora.pk).first_name == "Dora"


@pytest.mark.parametrize("change", [{"first_name": "Karl"}, {"phone": "123"}, {"phone": ""}, {}])
def test_patch_changes_only_the_fields_of_the_profile_that_are_sent(carls_app, carl, change):
    User.objects.filter(pk=carl.pk).update(phone="99")
    response = carls_app.patch("/auth/profile/", change)
    expected = {**user_body(carl), "phone": "99", **change}
    carl.refresh_from_db()
    assert (response.status_code, response.json(), user_body(carl)) == (200, expected, expected)


@pytest.mark.parametrize("method", ["put", "patch"])
def test_other_fields_of_the_profile_are_read_only(carls_app, unchanged, method):
    with unchanged():
        for field in READ_ONLY:
            body = {"first_name": "Karl", "last_name": "Buyer", field: "admin"}
            response = carls_app.call(method, "/auth/profile/", body)
            assert field_error(response) == (field, "extra_forbidden")


@pytest.mark.parametrize("field", ["first_name", "last_name"])
@pytest.mark.parametrize("value", ["", "   ", "x" * 101])
def test_a_name_is_neither_empty_nor_too_long(carls_app, unchanged, field, value):
    with unchanged():
        response = carls_app.patch("/auth/profile/", {field: value})
    assert field_error(response)[0] == field
