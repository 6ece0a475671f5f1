import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from support import factories

from settings import env
from settings.env import Rate
from shop import throttling
from shop.models import User

PAGE = "/admin/login/"
ADA = {"username": "ada@example.com", "password": factories.PASSWORD}
WRONG = ADA | {"password": "wrong"}


@pytest.fixture
def hashed(monkeypatch):
    """A list of the passwords that were hashed."""
    passwords, encode = [], MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher, "encode", lambda *args: passwords.append(args[1]) or encode(*args)
    )
    return passwords


@pytest.fixture
def _two_attempts(settings, monkeypatch):
    """Two attempts a minute, 20 seconds before the minute ends."""
    settings.SHOP_RATES = settings.SHOP_RATES | {"login": Rate(2, 60)}
    monkeypatch.setattr(throttling.time, "time", lambda: 1_000_000_000)


def refusal(response):
    """Return status, Retry-After and the code of the form's only error."""
    [error] = response.context["form"].errors.as_data()["__all__"]
    return response.status_code, response.headers.get("Retry-After"), error.code


TOO_MANY = (429, "20", "too-many-calls")
UNAVAILABLE = (503, "1", "unavailable")


@pytest.mark.usefixtures("_two_attempts", "ada")
def test_after_too_many_attempts_no_password_is_checked(hashed):
    browser = Client()
    assert [browser.post(PAGE, WRONG).status_code for _ in range(2)] == [200, 200]
    hashed.clear()
    assert refusal(browser.post(PAGE, ADA)) == TOO_MANY
    assert (hashed, browser.get("/admin/").status_code) == ([], 302)


@pytest.mark.usefixtures("_two_attempts", "ada")
@pytest.mark.parametrize(("proxies", "status"), [(0, 429), (1, 200)])
def test_attempts_are_counted_by_client_ip_across_accounts(settings, proxies, status):
    settings.SHOP_TRUSTED_PROXIES = proxies
    answers = [
        Client().post(
            PAGE,
            WRONG | {"username": f"{n}@example.com"},
            headers={"X-Forwarded-For": f"1.1.1.{n}"},
        )
        for n in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, status]


@pytest.mark.usefixtures("_two_attempts", "ada")
def test_the_api_and_the_admin_count_together(strangers_app):
    guess = {"email": "ada@example.com", "password": "wrong"}
    for _ in range(2):
        assert strangers_app.post("/auth/login/", guess).status_code == 401
    assert refusal(Client().post(PAGE, ADA)) == TOO_MANY


@pytest.mark.usefixtures("_two_attempts", "ada")
def test_an_incomplete_form_is_not_counted():
    browser = Client()
    for half in ({"username": "ada@example.com"}, {"password": "x"}, {}):
        assert browser.post(PAGE, half).status_code == 200
    assert browser.post(PAGE, ADA).url == "/admin/"


def test_without_the_cache_nobody_signs_in_and_open_sessions_work(ada, settings):
    signed_in = factories.staff_client(ada)
    settings.CACHES = {"default": env.parse_cache_url("redis://127.0.0.1:1/0")}
    browser = Client()
    assert refusal(browser.post(PAGE, ADA)) == UNAVAILABLE
    assert browser.get("/admin/").status_code == 302
    assert [signed_in.get(page).status_code for page in ("/admin/", "/admin/shop/product/")] == [
        200,
        200,
    ]


OWN = "/admin/password_change/"
NEW = {"new_password1": "another-horse-9", "new_password2": "another-horse-9"}
CHANGE = NEW | {"old_password": factories.PASSWORD}
GUESS = NEW | {"old_password": "wrong"}


def old_password_refusal(response):
    """Return status, Retry-After and the code of the old password's error, the form's only one."""
    errors = response.context["form"].errors.as_data()
    assert list(errors) == ["old_password"]
    [error] = errors["old_password"]
    return response.status_code, response.headers.get("Retry-After"), error.code


@pytest.mark.usefixtures("_two_attempts")
def test_guesses_of_the_old_password_are_limited(ada, hashed):
    guesses = [factories.staff_client(ada).post(OWN, GUESS) for n in range(2)]
    assert [answer.status_code for answer in guesses] == [200, 200]
    hashed.clear()
    browser = factories.staff_client(ada)
    assert old_password_refusal(browser.post(OWN, CHANGE)) == TOO_MANY
    assert (hashed, browser.get("/admin/").status_code) == ([], 200)
    ada.refresh_from_db()
    assert ada.check_password(factories.PASSWORD)


@pytest.mark.usefixtures("_two_attempts")
def test_password_changes_by_the_api_and_the_admin_count_together(ada, adas_app):
    guess = {"current_password": "wrong", "new_password": "another-horse-9"}
    assert adas_app.post("/auth/password/change/", guess).status_code == 422
    browser = factories.staff_client(ada)
    assert browser.post(OWN, GUESS).status_code == 200
    assert old_password_refusal(browser.post(OWN, CHANGE)) == TOO_MANY
    assert factories.problem_code(adas_app.post("/auth/password/change/", guess)) == (
        429,
        "too-many-calls",
    )


@pytest.mark.usefixtures("_two_attempts")
def test_users_change_their_password_and_an_incomplete_form_is_not_counted(ada):
    browser = factories.staff_client(ada)
    for _ in range(3):
        assert browser.post(OWN, NEW).status_code == 200
    assert browser.post(OWN, CHANGE).url == "/admin/password_change/done/"
    assert browser.get("/admin/").status_code == 200
    ada.refresh_from_db()
    assert ada.check_password("another-horse-9")


def test_without_the_cache_no_password_is_changed(ada, settings):
    browser = factories.staff_client(ada)
    settings.CACHES = {"default": env.parse_cache_url("redis://127.0.0.1:1/0")}
    assert old_password_refusal(browser.post(OWN, CHANGE)) == UNAVAILABLE


def test_all_failed_logins_look_alike_and_hash_once(ada, carl, dora, hashed):
    User.objects.filter(pk=dora.pk).update(is_active=False)
    fred = factories.create_user("Fred", "Invited")
    fred.set_unusable_password()
    fred.save()
    pages = set()
    for email in ("ada", "carl", "dora", "fred", "nobody"):
        hashed.clear()
        answer = Client().post(PAGE, {"username": f"{email}@example.com", "password": "wrong"})
        pages.add((answer.status_code, tuple(answer.context["form"].non_field_errors())))
        assert len(hashed) == 1, email
    known = Client().post(PAGE, {"username": carl.email, "password": factories.PASSWORD})
    pages.add((known.status_code, tuple(known.context["form"].non_field_errors())))
    assert len(pages) == 1
