import time
from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from django.db.models import F
from django.utils import timezone
from support import factories
from support.sessions import is_accepted, refresh, session_of

from shop.api import tokens
from shop.models import Session, User

KEY = settings.JWT_SIGNING_KEYS[0]
NEW_KEY = "a-newer-key-of-the-tests-" * 2
ELEVEN_SECONDS = timedelta(seconds=11)


def test_refreshing_returns_new_tokens_and_spends_the_old_one(carls_app, carl):
    old = tokens.sign_token(session_of(carls_app), "refresh")
    response = refresh(old)
    body = response.json()
    assert response.status_code == 200
    assert (body["token_type"], body["expires_in"], body["user"]["id"]) == (
        "Bearer",
        86_400,
        carl.pk,
    )
    assert old not in {body["access"], body["refresh"]}
    assert is_accepted(body["access"])
    assert refresh(body["refresh"]).status_code == 200


def test_a_spent_token_gets_the_same_successor_within_ten_seconds(carls_app, unchanged):
    old = tokens.sign_token(session_of(carls_app), "refresh")
    first = refresh(old)
    Session.objects.update(refreshed_at=F("refreshed_at") - timedelta(seconds=8))
    with unchanged():
        second, third = refresh(old), refresh(old)
    assert (second.status_code, third.json()) == (200, second.json())
    ids = [
        jwt.decode(r.json()["refresh"], options={"verify_signature": False})["jti"]
        for r in (first, second)
    ]
    assert ids[0] == ids[1]
    assert is_accepted(first.json()["access"])


def test_a_spent_token_used_again_immediately_gets_the_identical_response(carls_app):
    old = tokens.sign_token(session_of(carls_app), "refresh")
    assert refresh(old).content == refresh(old).content


def test_a_spent_token_gets_an_unused_successor_at_any_time(carls_app, statements):
    old = tokens.sign_token(session_of(carls_app), "refresh")
    first = refresh(old).json()
    Session.objects.update(refreshed_at=F("refreshed_at") - timedelta(days=2))
    assert is_accepted(carls_app.token), "the access token before the refresh is not the successor"
    again = refresh(old).json()
    assert [again[name] for name in ("expires_in",)] == [0]
    newer = refresh(again["refresh"]).json()
    with statements(2):
        assert is_accepted(newer["access"])
    with statements(1):
        assert is_accepted(newer["access"])
    assert first["refresh"] != newer["refresh"]


@pytest.mark.usefixtures("ada")
def test_a_refused_call_uses_a_successor_too(carls_app):
    old = tokens.sign_token(session_of(carls_app), "refresh")
    new = factories.ApiClient(carls_app.client, refresh(old).json()["access"])
    assert factories.problem_code(new.post("/products/", {})) == (403, "forbidden")
    assert Session.objects.get().successor_used is True


def test_a_session_that_is_deleted_during_a_refresh_is_refused(carls_app, monkeypatch):
    token = tokens.sign_token(session_of(carls_app), "refresh")
    is_live = Session.is_live
    monkeypatch.setattr(Session, "is_live", lambda s, now: (is_live(s, now), s.delete())[0])
    assert factories.problem_code(refresh(token)) == (401, "token-invalid")


@pytest.mark.parametrize(("ahead", "status"), [(59, 200), (90, 401)])
def test_the_clock_of_another_server_may_be_a_minute_ahead(carls_app, ahead, status):
    Session.objects.update(refreshed_at=timezone.now() + timedelta(seconds=ahead))
    token = tokens.sign_token(session_of(carls_app), "access")
    response = carls_app.get("/auth/profile/", Authorization=f"Bearer {token}")
    assert response.status_code == status


def test_expiry_has_no_leeway(carls_app):
    Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    token = tokens.sign_token(session_of(carls_app), "access")
    response = carls_app.get("/auth/profile/", Authorization=f"Bearer {token}")
    assert factories.problem_code(response) == (401, "token-expired")


def test_expires_in_is_the_time_that_the_access_token_has_left(carls_app):
    Session.objects.update(expires_at=timezone.now() + timedelta(hours=1))
    body = refresh(tokens.sign_token(session_of(carls_app), "refresh")).json()
    exp = jwt.decode(body["access"], options={"verify_signature": False})["exp"]
    assert body["expires_in"] == pytest.approx(exp - time.time(), abs=2)
    assert 3590 <= body["expires_in"] <= 3600


def test_a_spent_token_used_again_later_ends_only_its_session(carls_app, carl):
    other = factories.api_client(carl)
    old = tokens.sign_token(session_of(carls_app), "refresh")
    new = refresh(old).json()
    assert is_accepted(new["access"])
    Session.objects.update(refreshed_at=F("refreshed_at") - ELEVEN_SECONDS)
    assert factories.problem_code(refresh(old)) == (401, "token-reused")
    assert not is_accepted(new["access"])
    assert not is_accepted(carls_app.token)
    assert factories.problem_code(refresh(new["refresh"])) == (401, "token-invalid")
    assert is_accepted(other.token)


def test_a_token_two_generations_old_ends_the_session_immediately(carls_app):
    old = tokens.sign_token(session_of(carls_app), "refresh")
    newest = refresh(refresh(old).json()["refresh"]).json()
    assert factories.problem_code(refresh(old)) == (401, "token-reused")
    assert not is_accepted(newest["access"])


def test_a_session_ends_after_thirty_days_in_spite_of_refreshes(carls_app, unchanged):
    session = session_of(carls_app)
    assert session.expires_at - session.created_at == timedelta(days=30)
    session.expires_at = timezone.now() + timedelta(hours=1)
    session.save()
    body = refresh(tokens.sign_token(session, "refresh")).json()
    for kind in ("access", "refresh"):
        claims = jwt.decode(body[kind], options={"verify_signature": False})
        assert claims["exp"] == int(session.expires_at.timestamp())
    Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with unchanged():
        assert factories.problem_code(refresh(body["refresh"])) == (401, "token-invalid")
        assert not is_accepted(body["access"])


def test_logging_out_ends_this_session_only(carls_app, carl):
    other, token = factories.api_client(carl), tokens.sign_token(session_of(carls_app), "refresh")
    response = carls_app.post("/auth/logout/")
    assert (response.status_code, response.content) == (204, b"")
    assert factories.problem_code(carls_app.get("/auth/profile/")) == (401, "token-invalid")
    assert factories.problem_code(refresh(token)) == (401, "token-invalid")
    assert is_accepted(other.token)


@pytest.mark.parametrize("body", [{}, {"everywhere": False}])
def test_logging_out_everywhere_is_not_the_default(carls_app, carl, body):
    other = factories.api_client(carl)
    assert carls_app.post("/auth/logout/", body).status_code == 204
    assert (is_accepted(carls_app.token), is_accepted(other.token)) == (False, True)


def test_logging_out_everywhere_ends_all_sessions_of_the_user(carls_app, carl, doras_app):
    other = factories.api_client(carl)
    assert carls_app.post("/auth/logout/", {"everywhere": True}).status_code == 204
    assert [is_accepted(app.token) for app in (carls_app, other, doras_app)] == [False, False, True]


def test_logging_out_twice_is_refused(carls_app, unchanged):
    carls_app.post("/auth/logout/")
    with unchanged():
        assert factories.problem_code(carls_app.post("/auth/logout/")) == (401, "token-invalid")


def test_a_password_set_by_staff_ends_every_session(carls_app, carl):
    token = tokens.sign_token(session_of(carls_app), "refresh")
    carl.set_password("set-by-staff-9")
    carl.save()
    assert factories.problem_code(carls_app.get("/auth/profile/")) == (401, "token-invalid")
    assert factories.problem_code(refresh(token)) == (401, "token-invalid")


def test_a_deactivated_user_is_refused_immediately(carls_app, carl, unchanged):
    token = tokens.sign_token(session_of(carls_app), "refresh")
    User.objects.filter(pk=carl.pk).update(is_active=False)
    with unchanged():
        assert factories.problem_code(carls_app.get("/auth/profile/")) == (401, "token-invalid")
        assert factories.problem_code(refresh(token)) == (401, "token-invalid")


def test_a_changed_role_applies_immediately(adas_app, ada):
    assert adas_app.post("/products/", {"name": "Vase", "price": "1.00"}).status_code == 201
    User.objects.filter(pk=ada.pk).update(role="customer", is_superuser=False)
    refused = adas_app.post("/products/", {"name": "Vase", "price": "1.00"})
    assert factories.problem_code(refused) == (401, "token-invalid")


def test_a_session_stores_the_user_agent(strangers_app, carl):
    login = {"email": carl.email, "password": factories.PASSWORD}
    strangers_app.call("post", "/auth/login/", login, **{"User-Agent": "Phone " + "x" * 300})
    assert Session.objects.get().device == ("Phone " + "x" * 300)[:200]
