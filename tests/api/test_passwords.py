import re
from datetime import datetime, timedelta
from threading import Event

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.db import connections
from support import factories
from support.servers import TIMEOUT_SECONDS

from shop.models import User
from shop.services import background, password_links

CHANGE = {"current_password": factories.PASSWORD, "new_password": "another-horse-9"}


def can_log_in(email, password):
    response = factories.api_client(None).post(
        "/auth/login/", {"email": email, "password": password}
    )
    return response.status_code == 200


@pytest.fixture
def reset_body(strangers_app, carl, mailoutbox):
    """The body that confirms a password reset, from the email that Carl got."""
    response = strangers_app.post("/auth/password/reset/", {"email": carl.email.upper()})
    assert (response.status_code, response.content) == (202, b"")
    match = re.search(r"User: (\S+)\s+Code: (\S+)", mailoutbox[0].body)
    return {"uid": match[1], "token": match[2], "new_password": "another-horse-9"}


def test_changing_the_password_ends_all_other_sessions(carls_app, carl, doras_app):
    other = factories.api_client(carl)
    response = carls_app.post("/auth/password/change/", CHANGE)
    assert (response.status_code, response.content) == (204, b"")
    assert carls_app.get("/auth/profile/").status_code == 200
    assert factories.problem_code(other.get("/auth/profile/")) == (401, "token-invalid")
    assert doras_app.get("/auth/profile/").status_code == 200
    assert not can_log_in("carl@example.com", factories.PASSWORD)
    assert can_log_in("carl@example.com", "another-horse-9")


def test_changing_the_password_needs_the_current_one(carls_app, unchanged):
    with unchanged():
        response = carls_app.post("/auth/password/change/", {**CHANGE, "current_password": "wrong"})
    assert factories.problem_code(response) == (422, "wrong-password")


@pytest.mark.parametrize("password", ["short7", "123456789012", "password123", "carl@example.com"])
def test_changing_to_a_weak_password_is_refused(carls_app, unchanged, password):
    with unchanged():
        response = carls_app.post("/auth/password/change/", {**CHANGE, "new_password": password})
    assert factories.problem_code(response) == (422, "invalid")
    assert {error["field"] for error in response.json()["errors"]} == {"new_password"}


@pytest.mark.parametrize("email", ["nobody@example.com", "dora@example.com", "no email", ""])
def test_requesting_a_reset_does_not_reveal_whether_an_account_exists(
    strangers_app, dora, mailoutbox, unchanged, email
):
    User.objects.filter(pk=dora.pk).update(is_active=False)
    with unchanged():
        response = strangers_app.post("/auth/password/reset/", {"email": email})
    assert (response.status_code, response.content) == (202, b"")
    assert mailoutbox == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("email", "to"), [("carl@example.com", ["carl@example.com"]), ("nobody@example.com", [])]
)
def test_the_response_time_does_not_reveal_it_either(
    strangers_app, carl, mailoutbox, real_enqueue, monkeypatch, statements, email, to
):
    monkeypatch.setattr(background, "enqueue", real_enqueue)
    responded, send = Event(), password_links.send_reset_message
    monkeypatch.setattr(
        password_links,
        "send_reset_message",
        lambda **values: responded.wait(TIMEOUT_SECONDS) and send(**values),
    )
    with statements(0):
        response = strangers_app.post("/auth/password/reset/", {"email": email})
    assert (response.status_code, response.content, mailoutbox) == (202, b"", [])
    responded.set()
    for is_slow in (False, True):  # runs after the queued work, which queues the email
        background.LANES[is_slow].thread.submit(connections.close_all).result(TIMEOUT_SECONDS)
    assert [address for mail in mailoutbox for address in mail.to] == to


@pytest.mark.usefixtures("reset_body")
def test_requesting_a_reset_emails_the_owner_and_changes_nothing(mailoutbox, carls_app):
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["carl@example.com"], "Set a new password")
    assert carls_app.get("/auth/profile/").status_code == 200
    assert can_log_in("carl@example.com", factories.PASSWORD)


def test_a_reset_with_a_key_is_sent_once(strangers_app, carl, mailoutbox):
    for key in ("a", "a", "b", "", ""):
        response = strangers_app.post(
            "/auth/password/reset/", {"email": carl.email}, **{"Idempotency-Key": key}
        )
        assert response.status_code == 202
    assert len(mailoutbox) == 3  # and the fifth call was over the limit of an hour


def test_the_email_contains_a_link_if_the_reset_url_is_set(
    strangers_app, carl, mailoutbox, settings
):
    settings.SHOP_RESET_URL = "https://app.example.com/reset/{uid}/{token}"
    strangers_app.post("/auth/password/reset/", {"email": "carl@example.com"})
    uid, token = re.search(
        r"https://app\.example\.com/reset/(\S+)/(\S+)", mailoutbox[0].body
    ).groups()
    assert default_token_generator.check_token(carl, token)
    assert uid not in {"", "{uid}"}


def test_resetting_sets_the_password_and_ends_every_session(
    reset_body, strangers_app, carls_app, doras_app
):
    response = strangers_app.post("/auth/password/reset/confirm/", reset_body)
    assert (response.status_code, response.content) == (204, b"")
    assert can_log_in("carl@example.com", "another-horse-9")
    assert not can_log_in("carl@example.com", factories.PASSWORD)
    assert factories.problem_code(carls_app.get("/auth/profile/")) == (401, "token-invalid")
    assert doras_app.get("/auth/profile/").status_code == 200


def test_a_reset_code_works_once(reset_body, strangers_app, unchanged):
    strangers_app.post("/auth/password/reset/confirm/", reset_body)
    with unchanged():
        again = strangers_app.post(
            "/auth/password/reset/confirm/", {**reset_body, "new_password": "third-horse-9"}
        )
    assert factories.problem_code(again) == (422, "reset-token-invalid")


@pytest.mark.parametrize(
    "change",
    [
        {"token": "x"},
        {"token": ""},
        {"token": "aaaaaa-0123456789abcdef0123456789abcdef"},
        {"uid": "OTk5OTk5OTk5"},
        {"uid": "x"},
        {"uid": ""},
        {"uid": "é"},
        {"uid": "OTk5OTk5OTk5OTk5OTk5OTk5OTk"},
    ],
)
def test_a_wrong_reset_code_is_refused(reset_body, strangers_app, unchanged, change):
    with unchanged():
        response = strangers_app.post("/auth/password/reset/confirm/", {**reset_body, **change})
    assert factories.problem_code(response) == (422, "reset-token-invalid")


def test_a_reset_code_of_another_user_is_refused(reset_body, strangers_app, dora, unchanged):
    token = default_token_generator.make_token(dora)
    with unchanged():
        response = strangers_app.post(
            "/auth/password/reset/confirm/", {**reset_body, "token": token}
        )
    assert factories.problem_code(response) == (422, "reset-token-invalid")


def test_a_reset_code_expires_after_three_days(reset_body, strangers_app, unchanged, monkeypatch):
    later = datetime.now() + timedelta(days=3, minutes=1)  # noqa: DTZ005 - the generator uses naive times
    monkeypatch.setattr(default_token_generator, "_now", lambda: later)
    with unchanged():
        response = strangers_app.post("/auth/password/reset/confirm/", reset_body)
    assert factories.problem_code(response) == (422, "reset-token-invalid")


def test_a_weak_new_password_leaves_the_reset_code_usable(reset_body, strangers_app, unchanged):
    with unchanged():
        response = strangers_app.post(
            "/auth/password/reset/confirm/", {**reset_body, "new_password": "short7"}
        )
    assert factories.problem_code(response) == (422, "invalid")
    assert strangers_app.post("/auth/password/reset/confirm/", reset_body).status_code == 204


def test_a_reset_does_not_reactivate_an_account(reset_body, strangers_app, carl, unchanged):
    User.objects.filter(pk=carl.pk).update(is_active=False)
    with unchanged():
        response = strangers_app.post("/auth/password/reset/confirm/", reset_body)
    assert factories.problem_code(response) == (422, "reset-token-invalid")
