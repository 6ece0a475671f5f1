import hmac
import json
import time
from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from django.utils import timezone
from support import factories
from support.sessions import is_accepted, refresh, session_of

from shop.api import tokens

KEY = settings.JWT_SIGNING_KEYS[0]
NEW_KEY = "a-newer-key-of-the-tests-" * 2
ELEVEN_SECONDS = timedelta(seconds=11)


def with_claims(token, key=KEY, algorithm="HS256", headers=None, **claims):
    """Sign the token again with these claims changed; None removes a claim."""
    body = jwt.decode(token, options={"verify_signature": False}) | claims
    kept = {name: value for name, value in body.items() if value is not None}
    return jwt.encode(kept, key, algorithm=algorithm, headers=headers)


#: Values of the wrong type or range, for any claim.
ODD_VALUES = {
    "a list": [1],
    "an object": {"a": 1},
    "true": True,
    "negative": -1,
    "infinity": float("inf"),
    "": "",
}
#: Odd values that are valid times, in the past.
VALID_TIMES = {(name, kind) for name in ("iat", "exp") for kind in ("true", "negative")}


def base64url(content):
    return jwt.utils.base64url_encode(content).decode()


def sign_manually(token, head=None, **claims):
    """Sign the token again with a header or claims that no library would produce."""
    body = jwt.decode(token, options={"verify_signature": False}) | claims
    parts = {"alg": "HS256", "typ": "JWT", **(head or {})}, body
    signed = ".".join(base64url(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{base64url(hmac.digest(KEY.encode(), signed.encode(), 'sha256'))}"


def malformed(token):
    head, body, signature = token.split(".")
    other = jwt.encode({"sid": "x"}, KEY, algorithm="HS256").split(".")[1]
    return {
        "signature cut": token[:-4],
        "signature empty": f"{head}.{body}.",
        "no signature": f"{head}.{body}",
        "head cut": token[5:],
        "other body": f"{head}.{other}.{signature}",
        "half of it": token[: len(token) // 2],
        "three words": "not.a.token",
        "dots": "..",
        "one word": "token",
        "not ASCII": "éàü.é.é",
        "twice": f"{token}.{token}",
    }


def forged(token):
    far = int(timezone.now().timestamp()) + 10_000
    return malformed(token) | {
        "algorithm none": with_claims(token, None, "none"),
        "other algorithm": with_claims(token, algorithm="HS384"),
        "other key": with_claims(token, "a-key-of-somebody-else-" * 3),
        "empty key": with_claims(token, algorithm="none", key=None).rstrip(".") + ".AAAA",
        "other type": with_claims(token, typ="refresh"),
        "unknown type": with_claims(token, typ="id"),
        "other issuer": with_claims(token, iss="elsewhere"),
        "other audience": with_claims(token, aud="elsewhere"),
        "audience list": with_claims(token, aud=["elsewhere"]),
        "session unknown": with_claims(token, sid="00000000-0000-4000-8000-000000000000"),
        "session no id": with_claims(token, sid="1"),
        "session a number": with_claims(token, sid=1),
        "session a list": with_claims(token, sid=[1]),
        "token id wrong": with_claims(token, jti="x"),
        "not yet": with_claims(token, nbf=far),
        "from the future": with_claims(token, iat=far),
        "expiry a word": with_claims(token, exp="never"),
        "unknown key": with_claims(token, headers={"kid": "00000000"}),
        "kid empty": with_claims(token, headers={"kid": ""}),
        "kid a number": sign_manually(token, {"kid": 1}),
        "kid a list": sign_manually(token, {"kid": ["x"]}),
        "kid null": sign_manually(token, {"kid": None}),
        "header too deep": f"{base64url(b'[' * 1100)}.e30.e30",
        "an unknown critical header": with_claims(token, headers={"crit": ["x"], "x": 1}),
        **{
            f"{name} {kind}": sign_manually(token, **{name: odd})
            for name in tokens.REQUIRED_CLAIMS
            for kind, odd in ODD_VALUES.items()
            if (name, kind) not in VALID_TIMES
        },
        **{f"no {name}": with_claims(token, **{name: None}) for name in tokens.REQUIRED_CLAIMS},
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


def test_a_token_that_was_verified_before_still_expires(carls_app, monkeypatch):
    assert carls_app.get("/auth/profile/").status_code == 200
    later = time.time() + settings.ACCESS_LIFETIME.total_seconds()
    monkeypatch.setattr(tokens.time, "time", lambda: later)
    assert factories.problem_code(carls_app.get("/auth/profile/")) == (401, "token-expired")


def test_keys_can_be_rotated_without_ending_sessions(carls_app, settings):
    before = carls_app.token, tokens.sign_token(session_of(carls_app), "refresh")
    settings.JWT_SIGNING_KEYS = [NEW_KEY, KEY]
    assert is_accepted(before[0])
    after = refresh(before[1]).json()
    assert is_accepted(after["access"])
    settings.JWT_SIGNING_KEYS = [NEW_KEY]
    assert [is_accepted(token) for token in (before[0], after["access"])] == [False, True]
    assert refresh(after["refresh"]).status_code == 200


def test_a_token_without_kid_is_verified_with_the_oldest_key(carls_app, settings):
    nameless = with_claims(carls_app.token)
    settings.JWT_SIGNING_KEYS = [NEW_KEY, KEY]
    assert is_accepted(nameless)
    assert not is_accepted(with_claims(carls_app.token, NEW_KEY))


def test_the_kid_does_not_reveal_the_key(carls_app):
    name = jwt.get_unverified_header(carls_app.token)["kid"]
    assert (len(name), name in KEY) == (8, False)


def test_a_token_is_verified_only_with_the_key_of_its_kid(carls_app, settings):
    old = jwt.get_unverified_header(carls_app.token)["kid"]
    settings.JWT_SIGNING_KEYS = [NEW_KEY, KEY]
    assert not is_accepted(with_claims(carls_app.token, NEW_KEY, headers={"kid": old}))
    assert is_accepted(with_claims(carls_app.token, KEY, headers={"kid": old}))


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic Y2FybDp4", "Token abc", "Bearerabc"]
)
def test_other_authorization_schemes_are_refused(carls_app, header):
    response = carls_app.get("/auth/profile/", Authorization=header)
    assert factories.problem_code(response)[0] == 401
    assert response["WWW-Authenticate"].split()[0] == "Bearer"


def test_the_bearer_scheme_is_case_insensitive(carls_app):
    assert (
        carls_app.get("/auth/profile/", Authorization=f"bEARER {carls_app.token}").status_code
        == 200
    )


def test_access_tokens_last_one_day_and_refresh_tokens_seven(carls_app):
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
