import pytest
from racing import at_once, tally

from shop.api import tokens
from shop.models import Session, User
from shop.services.accounts import _open_session

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_email_is_registered_once(http):
    body = {
        "email": "dora@example.com",
        "password": "correct-horse-7",
        "first_name": "Dora",
        "last_name": "Stranger",
    }
    answers = at_once(*[lambda: http.post("/api/auth/register/", json=body)] * 8)
    assert tally(answers) == {201: 1, (409, "email-taken"): 7}
    assert (User.objects.get().email, Session.objects.count()) == ("dora@example.com", 1)


def test_one_refresh_token_has_one_successor(http, carl):
    session = _open_session(carl, "test")
    for _ in range(5):
        body = {"refresh": tokens.sign(session, "refresh")}
        answers = at_once(*[lambda body=body: http.post("/api/auth/refresh/", json=body)] * 5)
        assert tally(answers) == {200: 5}
        assert len({answer.content for answer in answers}) == 1
        before = session.current
        session.refresh_from_db()
        assert (session.previous, session.revoked_at) == (before, None)
        assert answers[0].json()["refresh"] == tokens.sign(session, "refresh") != body["refresh"]
