import re
import uuid
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.http import urlsafe_base64_encode
from support import factories

from shop.models import Session, User
from shop.services import accounts
from shop.services.errors import (
    EmailTaken,
    InvalidCredentials,
    InvalidResetToken,
    InvalidToken,
    TokenReused,
    WrongPassword,
)

NEW = "another-horse-8"
DORA = {
    "email": "Dora@Example.com",
    "password": factories.PASSWORD,
    "first_name": "Dora",
    "last_name": "S",
}


def is_live(session):
    return Session.objects.select_related("user").get(pk=session.pk).is_live(timezone.now())


@pytest.fixture
def phone(carl):
    return accounts.login(email=carl.email, password=factories.PASSWORD, device="phone")


@pytest.fixture
def laptop(carl):
    return accounts.login(email=carl.email, password=factories.PASSWORD, device="laptop")


@pytest.mark.django_db
def test_whoever_registers_is_a_customer_and_signed_in(settings):
    session = accounts.register(**DORA, phone=" 030 123 ", device="x" * 300)
    user = User.objects.get()
    assert (user.email, user.first_name, user.phone, user.role) == (
        "dora@example.com",
        "Dora",
        "030 123",
        "customer",
    )
    assert user.check_password(factories.PASSWORD)
    assert (session.user, session.device) == (user, "x" * 200)
    assert session.expires_at == session.created_at + settings.SESSION_LIFETIME
    assert is_live(session)


@pytest.mark.usefixtures("dora")
@pytest.mark.parametrize("email", ["dora@example.com", "DORA@EXAMPLE.COM"])
def test_an_email_is_taken_in_any_case(refused, email):
    with refused(EmailTaken):
        accounts.register(**{**DORA, "email": email})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "short"),
        ("password", "password"),
        ("password", "83920174655"),
        ("password", "dora@example.com"),
        ("email", "nobody"),
        ("email", "a\x00@example.com"),
        ("first_name", " "),
        ("last_name", "x" * 101),
        ("phone", "\u202e1"),
    ],
)
def test_a_bad_field_is_refused(refused, field, value):
    with refused(ValidationError) as told:
        accounts.register(**{**DORA, field: value})
    assert list(told.value.message_dict) == [field]


@pytest.mark.parametrize("email", ["carl@example.com", "Carl@Example.COM"])
def test_who_knows_the_password_is_signed_in(carl, email):
    before = timezone.now()
    session = accounts.login(email=email, password=factories.PASSWORD, device="phone")
    assert (session.user, session.device, is_live(session)) == (carl, "phone", True)
    assert before <= User.objects.get().last_login <= timezone.now()


@pytest.mark.usefixtures("carl")
@pytest.mark.parametrize(
    ("email", "password"),
    [("carl@example.com", "wrong"), ("dora@example.com", factories.PASSWORD), ("", "")],
)
def test_who_does_not_is_refused(refused, email, password):
    with refused(InvalidCredentials):
        accounts.login(email=email, password=password)


def test_who_was_switched_off_is_refused(carl, refused):
    User.objects.update(is_active=False)
    with refused(InvalidCredentials):
        accounts.login(email=carl.email, password=factories.PASSWORD)


def test_a_refresh_moves_the_session_on(phone):
    spent = phone.current_token
    session = accounts.refresh(session_id=phone.pk, token_id=spent)
    assert (session.pk, session.previous_token) == (phone.pk, spent)
    assert session.current_token != spent
    assert session.refreshed_at > phone.refreshed_at
    assert session.expires_at == phone.expires_at


def age(session, by):
    at = Session.objects.get(pk=session.pk).refreshed_at - by
    Session.objects.filter(pk=session.pk).update(refreshed_at=at)


def test_a_spent_token_gets_the_same_successor_for_ten_seconds(phone, refused):
    first = accounts.refresh(session_id=phone.pk, token_id=phone.current_token)
    age(phone, by=timedelta(seconds=5))
    again = accounts.refresh(session_id=phone.pk, token_id=phone.current_token)
    assert (again.current_token, is_live(phone)) == (first.current_token, True)


def test_a_spent_token_that_comes_later_ends_the_session(phone, laptop):
    accounts.refresh(session_id=phone.pk, token_id=phone.current_token)
    age(phone, by=accounts.GRACE + timedelta(seconds=1))
    with pytest.raises(TokenReused):
        accounts.refresh(session_id=phone.pk, token_id=phone.current_token)
    assert (is_live(phone), is_live(laptop)) == (False, True)
    assert Session.objects.get(pk=phone.pk).revoked_because == "token reused"


def test_a_token_two_generations_old_ends_the_session_at_once(phone):
    second = accounts.refresh(session_id=phone.pk, token_id=phone.current_token)
    accounts.refresh(session_id=phone.pk, token_id=second.current_token)
    with pytest.raises(TokenReused):
        accounts.refresh(session_id=phone.pk, token_id=phone.current_token)
    assert not is_live(phone)


@pytest.mark.parametrize("reason", ["revoked", "expired", "inactive", "password", "absent"])
def test_a_session_that_is_over_is_not_refreshed(carl, phone, reason):
    sessions = Session.objects.filter(pk=phone.pk)
    if reason == "revoked":
        accounts.end_sessions(carl, because="logout")
    elif reason == "expired":
        sessions.update(expires_at=timezone.now())
    elif reason == "inactive":
        User.objects.update(is_active=False)
    elif reason == "password":
        carl.set_password(NEW)
        carl.save()
    known = uuid.uuid4() if reason == "absent" else phone.pk
    with pytest.raises(InvalidToken):
        accounts.refresh(session_id=known, token_id=phone.current_token)
    assert is_live(phone) is (reason == "absent")


def test_one_or_all_sessions_of_one_user_end(carl, dora, phone, laptop):
    doras = accounts.login(email=dora.email, password=factories.PASSWORD)
    assert accounts.end_sessions(carl, because="logout", only=phone) == 1
    assert [is_live(session) for session in (phone, laptop, doras)] == [False, True, True]
    assert accounts.end_sessions(carl, because="signed out everywhere") == 1
    assert [is_live(session) for session in (phone, laptop, doras)] == [False, False, True]
    assert Session.objects.get(pk=phone.pk).revoked_because == "logout"


def test_a_new_password_ends_all_other_sessions(carl, phone, laptop):
    accounts.change_password(session=phone, current=factories.PASSWORD, new=NEW)
    assert User.objects.get().check_password(NEW)
    assert (is_live(phone), is_live(laptop)) == (True, False)


@pytest.mark.parametrize(
    ("current", "new", "error"),
    [("wrong", NEW, WrongPassword), (factories.PASSWORD, "short", ValidationError)],
)
def test_a_password_is_not_changed_when(phone, refused, current, new, error):
    with refused(error) as told:
        accounts.change_password(session=phone, current=current, new=new)
    if error is ValidationError:
        assert list(told.value.message_dict) == ["new_password"]


@pytest.fixture
def mailed(carl):
    """User and code, as Carl finds them in his mail."""
    accounts.request_reset(email="Carl@example.com")
    (message,) = mail.outbox
    assert message.to == ["carl@example.com"]
    found = re.search(r"User: (?P<uid>\S+)\n +Code: (?P<token>\S+)", message.body)
    return found.groupdict()


def test_a_password_is_set_with_what_was_mailed(phone, mailed):
    accounts.reset_password(**mailed, new=NEW)
    assert User.objects.get().check_password(NEW)
    assert not is_live(phone)


def test_a_code_works_once(mailed, refused):
    accounts.reset_password(**mailed, new=NEW)
    with refused(InvalidResetToken):
        accounts.reset_password(**mailed, new="third-horse-9")


@pytest.mark.parametrize(
    "wrong",
    [{"uid": "LTE"}, {"uid": "~"}, {"uid": ""}, {"uid": "\u00e9"}, {"token": "x-1"}, {"token": ""}],
)
def test_another_code_is_refused(mailed, refused, wrong):
    with refused(InvalidResetToken):
        accounts.reset_password(**{**mailed, **wrong}, new=NEW)


def test_a_code_of_another_is_refused(dora, mailed, refused):
    uid = urlsafe_base64_encode(str(dora.pk).encode())
    with refused(InvalidResetToken):
        accounts.reset_password(uid=uid, token=mailed["token"], new=NEW)


def test_a_weak_password_keeps_the_code(mailed, refused):
    with refused(ValidationError) as told:
        accounts.reset_password(**mailed, new="short")
    assert list(told.value.message_dict) == ["new_password"]
    accounts.reset_password(**mailed, new=NEW)


def test_a_code_of_someone_switched_off_is_refused(mailed, refused):
    User.objects.update(is_active=False)
    with refused(InvalidResetToken):
        accounts.reset_password(**mailed, new=NEW)


@pytest.mark.parametrize("email", ["dora@example.com", "", "\x01"])
@pytest.mark.usefixtures("carl")
def test_nobody_is_mailed_where_there_is_no_account(email):
    accounts.request_reset(email=email)
    assert mail.outbox == []


def test_a_profile_is_changed(carl):
    accounts.update_profile(user=carl, changes={"first_name": " Karl ", "phone": "1"})
    found = User.objects.get()
    assert (found.first_name, found.last_name, found.phone) == ("Karl", "Buyer", "1")


@pytest.mark.parametrize(
    "changes", [{"first_name": ""}, {"phone": "x" * 31}, {"last_name": "\x00"}]
)
def test_a_profile_that_is_wrong_is_not_changed(carl, refused, changes):
    with refused(ValidationError) as told:
        accounts.update_profile(user=carl, changes=changes)
    assert list(told.value.message_dict) == list(changes)


def test_only_sessions_that_ended_are_forgotten(phone, laptop):
    Session.objects.filter(pk=phone.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert accounts.purge_sessions() == 1
    assert list(Session.objects.all()) == [laptop]
