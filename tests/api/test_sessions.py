import hmac
import json
import time
from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from django.db.models import F
from django.utils import timezone
from support import factories

from shop.api import tokens
from shop.models import Session, User

KEY = settings.JWT_SIGNING_KEYS[0]
NEW = "a-newer-key-of-the-tests-" * 2
ELEVEN_SECONDS = timedelta(seconds=11)


def session_of(app):
    return Session.objects.get(pk=jwt.decode(app.token, options={"verify_signature": False})["sid"])


def refresh(token):
    return factories.api_client(None).post("/auth/refresh/", {"refresh": token})


def works(access):
    response = factories.api_client(None).get("/auth/profile/", Authorization=f"Bearer {access}")
    return response.status_code == 200


def changed(token, key=KEY, algorithm="HS256", headers=None, **claims):
    """The token with other claims; one that is None is left out."""
    body = jwt.decode(token, options={"verify_signature": False}) | claims
    kept = {name: value for name, value in body.items() if value is not None}
    return jwt.encode(kept, key, algorithm=algorithm, headers=headers)


#: What may stand in a claim in place of what belongs there.
ODD = {
    "a list": [1],
    "a table": {"a": 1},
    "true": True,
    "negative": -1,
    "endless": float("inf"),
    "": "",
}
#: Those of ODD that are times long ago, as Python counts.
TIMES = {(name, kind) for name in ("iat", "exp") for kind in ("true", "negative")}


def raw(content):
    return jwt.utils.base64url_encode(content).decode()


def by_hand(token, head=None, **claims):
    """The token with odd names in its header or odd claims, signed again, as no library would make it."""
    body = jwt.decode(token, options={"verify_signature": False}) | claims
    parts = {"alg": "HS256", "typ": "JWT", **(head or {})}, body
    signed = ".".join(raw(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{raw(hmac.digest(KEY.encode(), signed.encode(), 'sha256'))}"


def altered(token):
    head, body, signature = token.split(".")
    other = jwt.encode({"sid": "x"}, KEY, algorithm="HS256").split(".")[1]
    return {
        "signature cut": token[:-4],
        "signature empty": f"{head}.{body}.",
        "no signature": f"{head}.{body}",
        "head cut": token[5:],
        "other body": f"{head}.{other}.{signature}",
        "half": token[: len(token) // 2],
        "words": "not.a.token",
        "dots": "..",
        "one word": "token",
        "accents": "éàü.é.é",
        "twice": f"{token}.{token}",
    }


def forged(token):
    far = int(timezone.now().timestamp()) + 10_000
    return altered(token) | {
        "algorithm none": changed(token, None, "none"),
        "other algorithm": changed(token, algorithm="HS384"),
        "other key": changed(token, "a-key-of-somebody-else-" * 3),
        "empty key": changed(token, algorithm="none", key=None).rstrip(".") + ".AAAA",
        "other type": changed(token, typ="refresh"),
        "unknown type": changed(token, typ="id"),
        "other issuer": changed(token, iss="elsewhere"),
        "other audience": changed(token, aud="elsewhere"),
        "audience list": changed(token, aud=["elsewhere"]),
        "session unknown": changed(token, sid="00000000-0000-4000-8000-000000000000"),
        "session no id": changed(token, sid="1"),
        "session a number": changed(token, sid=1),
        "session a list": changed(token, sid=[1]),
        "token id wrong": changed(token, jti="x"),
        "not yet": changed(token, nbf=far),
        "from the future": changed(token, iat=far),
        "expiry a word": changed(token, exp="never"),
        "unknown key": changed(token, headers={"kid": "00000000"}),
        "key's name empty": changed(token, headers={"kid": ""}),
        "key's name a number": by_hand(token, {"kid": 1}),
        "key's name a list": by_hand(token, {"kid": ["x"]}),
        "key's name null": by_hand(token, {"kid": None}),
        "header too deep": f"{raw(b'[' * 1100)}.e30.e30",
        "what it does not know is critical": changed(token, headers={"crit": ["x"], "x": 1}),
        **{
            f"{name} {kind}": by_hand(token, **{name: odd})
            for name in tokens.REQUIRED_CLAIMS
            for kind, odd in ODD.items()
            if (name, kind) not in TIMES
        },
        **{f"no {name}": changed(token, **{name: None}) for name in tokens.REQUIRED_CLAIMS},
    }


def test_a_forged_token_is_refused(carls_app, unchanged):
    with unchanged():
        for kind, token in forged(carls_app.token).items():
            response = carls_app.get("/auth/profile/", Authorization=f"Bearer {token}")
            assert factories.problem_code(response) == (401, "token-invalid"), kind
            assert response["WWW-Authenticate"] == 'Bearer error="invalid_token"', kind


def test_a_forged_refresh_token_is_refused(carls_app, unchanged):
    good = tokens.sign_token(session_of(carls_app), "refresh")
    cases = forged(good) | {"other type": carls_app.token}
    with unchanged():
        for kind, token in cases.items():
            assert factories.problem_code(refresh(token)) == (401, "token-invalid"), kind
    assert refresh(good).status_code == 200


def test_a_token_that_was_good_before_ends_in_time(carls_app, monkeypatch):
    assert carls_app.get("/auth/profile/").status_code == 200
    later = time.time() + settings.ACCESS_LIFETIME.total_seconds()
    monkeypatch.setattr(tokens.time, "time", lambda: later)
    assert factories.problem_code(carls_app.get("/auth/profile/")) == (401, "token-expired")


def test_keys_are_changed_while_everybody_stays_signed_in(carls_app, settings):
    before = carls_app.token, tokens.sign_token(session_of(carls_app), "refresh")
    settings.JWT_SIGNING_KEYS = [NEW, KEY]
    assert works(before[0])
    after = refresh(before[1]).json()
    assert works(after["access"])
    settings.JWT_SIGNING_KEYS = [NEW]
    assert [works(token) for token in (before[0], after["access"])] == [False, True]
    assert refresh(after["refresh"]).status_code == 200


def test_a_token_from_before_keys_had_names_is_the_oldest_keys(carls_app, settings):
    nameless = changed(carls_app.token)
    settings.JWT_SIGNING_KEYS = [NEW, KEY]
    assert works(nameless)
    assert not works(changed(carls_app.token, NEW))


def test_a_token_names_its_key_without_telling_it(carls_app):
    name = jwt.get_unverified_header(carls_app.token)["kid"]
    assert (len(name), name in KEY) == (8, False)


def test_a_key_counts_under_its_own_name_only(carls_app, settings):
    old = jwt.get_unverified_header(carls_app.token)["kid"]
    settings.JWT_SIGNING_KEYS = [NEW, KEY]
    assert not works(changed(carls_app.token, NEW, headers={"kid": old}))
    assert works(changed(carls_app.token, KEY, headers={"kid": old}))


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic Y2FybDp4", "Token abc", "Bearerabc"]
)
def test_another_kind_of_authorization_is_refused(carls_app, header):
    response = carls_app.get("/auth/profile/", Authorization=header)
    assert factories.problem_code(response)[0] == 401
    assert response["WWW-Authenticate"].split()[0] == "Bearer"


def test_the_word_bearer_may_be_written_in_any_case(carls_app):
    assert (
        carls_app.get("/auth/profile/", Authorization=f"bEARER {carls_app.token}").status_code
        == 200
    )


def test_an_access_token_lives_a_day_and_a_refresh_token_seven(carls_app):
    session = session_of(carls_app)
    claims = [
        jwt.decode(tokens.sign_token(session, kind), options={"verify_signature": False})
        for kind in ("access", "refresh")
    ]
    assert [claim["exp"] - claim["iat"] for claim in claims] == [86_400, 7 * 86_400]


@pytest.mark.parametrize(("kind", "days"), [("access", 1), ("refresh", 7)])
def test_an_expired_token_is_refused(carls_app, unchanged, kind, days):
    session = session_of(carls_app)
    session.refreshed_at -= timedelta(days=days, seconds=1)
    token = tokens.sign_token(session, kind)
    with unchanged():
        if kind == "access":
            response = carls_app.get("/auth/profile/", Authorization=f"Bearer {token}")
        else:
            response = refresh(token)
    assert factories.problem_code(response) == (401, "token-expired")


def test_refreshing_answers_with_a_new_pair_and_spends_the_old(carls_app, carl):
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
    assert works(body["access"])
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
    assert works(first.json()["access"])


def test_a_spent_token_that_comes_back_at_once_gets_the_very_same_answer(carls_app):
    old = tokens.sign_token(session_of(carls_app), "refresh")
    assert refresh(old).content == refresh(old).content


def test_a_spent_token_that_comes_back_later_ends_the_session_and_no_other(carls_app, carl):
    other = factories.api_client(carl)
    old = tokens.sign_token(session_of(carls_app), "refresh")
    new = refresh(old).json()
    Session.objects.update(refreshed_at=F("refreshed_at") - ELEVEN_SECONDS)
    assert factories.problem_code(refresh(old)) == (401, "token-reused")
    assert not works(new["access"])
    assert not works(carls_app.token)
    assert factories.problem_code(refresh(new["refresh"])) == (401, "token-invalid")
    assert works(other.token)


def test_a_token_spent_twice_over_ends_the_session_even_at_once(carls_app):
    old = tokens.sign_token(session_of(carls_app), "refresh")
    newest = refresh(refresh(old).json()["refresh"]).json()
    assert factories.problem_code(refresh(old)) == (401, "token-reused")
    assert not works(newest["access"])


def test_a_session_ends_after_thirty_days_however_often_it_is_refreshed(carls_app, unchanged):
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
        assert not works(body["access"])


def test_logging_out_ends_this_session_only(carls_app, carl):
    other, token = factories.api_client(carl), tokens.sign_token(session_of(carls_app), "refresh")
    response = carls_app.post("/auth/logout/")
    assert (response.status_code, response.content) == (204, b"")
    assert factories.problem_code(carls_app.get("/auth/profile/")) == (401, "token-invalid")
    assert factories.problem_code(refresh(token)) == (401, "token-invalid")
    assert works(other.token)


@pytest.mark.parametrize("body", [{}, {"everywhere": False}])
def test_logging_out_is_only_here_unless_told_otherwise(carls_app, carl, body):
    other = factories.api_client(carl)
    assert carls_app.post("/auth/logout/", body).status_code == 204
    assert (works(carls_app.token), works(other.token)) == (False, True)


def test_logging_out_everywhere_ends_all_of_ones_own_sessions(carls_app, carl, doras_app):
    other = factories.api_client(carl)
    assert carls_app.post("/auth/logout/", {"everywhere": True}).status_code == 204
    assert [works(app.token) for app in (carls_app, other, doras_app)] == [False, False, True]


def test_logging_out_twice_is_refused_like_any_ended_session(carls_app, unchanged):
    carls_app.post("/auth/logout/")
    with unchanged():
        assert factories.problem_code(carls_app.post("/auth/logout/")) == (401, "token-invalid")


def test_a_password_set_elsewhere_ends_every_session(carls_app, carl):
    token = tokens.sign_token(session_of(carls_app), "refresh")
    carl.set_password("set-by-staff-9")
    carl.save()
    assert factories.problem_code(carls_app.get("/auth/profile/")) == (401, "token-invalid")
    assert factories.problem_code(refresh(token)) == (401, "token-invalid")


def test_a_deactivated_user_is_out_at_once(carls_app, carl, unchanged):
    token = tokens.sign_token(session_of(carls_app), "refresh")
    User.objects.filter(pk=carl.pk).update(is_active=False)
    with unchanged():
        assert factories.problem_code(carls_app.get("/auth/profile/")) == (401, "token-invalid")
        assert factories.problem_code(refresh(token)) == (401, "token-invalid")


def test_a_changed_role_counts_at_once(adas_app, ada):
    assert adas_app.post("/products/", {"name": "Vase", "price": "1.00"}).status_code == 201
    User.objects.filter(pk=ada.pk).update(role="customer", is_superuser=False)
    refused = adas_app.post("/products/", {"name": "Vase", "price": "1.00"})
    assert factories.problem_code(refused) == (403, "forbidden")
    User.objects.filter(pk=ada.pk).update(role="admin", is_superuser=True)
    assert adas_app.post("/products/", {"name": "Vase", "price": "1.00"}).status_code == 201


def test_a_session_remembers_its_device(strangers_app, carl):
    login = {"email": carl.email, "password": factories.PASSWORD}
    strangers_app.call("post", "/auth/login/", login, **{"User-Agent": "Phone " + "x" * 300})
    assert Session.objects.get().device == ("Phone " + "x" * 300)[:200]
