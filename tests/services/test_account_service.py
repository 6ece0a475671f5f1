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
from shop.services import accounts, sessions
from shop.services.errors import (
    EmailTaken,
    InvalidCredentials,
    InvalidResetToken,
    InvalidToken,
    TokenReused,
    WrongPassword,
)

NEW_PASSWORD = "another-horse-8"
DORA = {
    "email": "Dora@Example.com",
    "password": factories.PASSWORD,
    "first_name": "Dora",
    "last_name": "S",
}


def is_session_live(session):
    return Session.objects.select_related("user").get(pk=session.pk).is_live(timezone.now())


@pytest.fixture
def phone(carl):
    return accounts.login(email=carl.email, password=factories.PASSWORD, device="phone")[0]


@pytest.fixture
def laptop(carl):
    return accounts.login(email=carl.email, password=factories.PASSWORD, device="laptop")[0]


@pytest.mark.django_db
def test_registering_creates_a_customer_with_a_session(settings):
    session, _is_replay = accounts.register(**DORA, phone=" 030 123 ", device="x" * 300)
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
    assert is_session_live(session)


@pytest.mark.usefixtures("dora")
@pytest.mark.parametrize("email", ["dora@example.com", "DORA@EXAMPLE.COM"])
def test_registering_a_known_email_is_refused_in_any_case(refused, email):
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
def test_registering_with_an_invalid_field_is_refused(refused, field, value):
    with refused(ValidationError) as excinfo:
        accounts.register(**{**DORA, field: value})
    assert list(excinfo.value.message_dict) == [field]


@pytest.mark.parametrize("email", ["carl@example.com", "Carl@Example.COM"])
def test_login_with_the_right_password(carl, email):
    before = timezone.now()
    session, _is_replay = accounts.login(email=email, password=factories.PASSWORD, device="phone")
    assert (session.user, session.device, is_session_live(session)) == (carl, "phone", True)
    assert before <= User.objects.get().last_login <= timezone.now()


@pytest.mark.usefixtures("carl")
@pytest.mark.parametrize(
    ("email", "password"),
    [("carl@example.com", "wrong"), ("dora@example.com", factories.PASSWORD), ("", "")],
)
def test_login_with_a_wrong_email_or_password_is_refused(refused, email, password):
    with refused(InvalidCredentials):
        accounts.login(email=email, password=password)


def test_login_of_an_inactive_user_is_refused(carl, refused):
    User.objects.update(is_active=False)
    with refused(InvalidCredentials):
        accounts.login(email=carl.email, password=factories.PASSWORD)


def test_refreshing_rotates_the_token(phone):
    used = phone.current_token
    session = sessions.refresh(session_id=phone.pk, token_id=used)
    assert (session.pk, session.previous_token) == (phone.pk, used)
    assert session.current_token != used
    assert session.refreshed_at > phone.refreshed_at
    assert session.expires_at == phone.expires_at


def age_session(session, by):
    at = Session.objects.get(pk=session.pk).refreshed_at - by
    Session.objects.filter(pk=session.pk).update(refreshed_at=at)


def test_a_used_token_returns_the_same_successor_within_the_grace_time(phone):
    first = sessions.refresh(session_id=phone.pk, token_id=phone.current_token)
    age_session(phone, by=timedelta(seconds=5))
    again = sessions.refresh(session_id=phone.pk, token_id=phone.current_token)
    assert (again.current_token, is_session_live(phone)) == (first.current_token, True)


def test_an_unused_successor_is_returned_after_the_grace_time_too(phone):
    first = sessions.refresh(session_id=phone.pk, token_id=phone.current_token)
    age_session(phone, by=sessions.GRACE + timedelta(hours=1))
    again = sessions.refresh(session_id=phone.pk, token_id=phone.current_token)
    assert (again.current_token, is_session_live(phone)) == (first.current_token, True)


def test_a_late_record_of_use_does_not_count_for_the_next_successor(phone):
    first = sessions.refresh(session_id=phone.pk, token_id=phone.current_token)
    sessions.refresh(session_id=phone.pk, token_id=first.current_token)
    sessions.record_successor_use(first)
    assert Session.objects.get(pk=phone.pk).successor_used is False


def test_reusing_a_token_after_the_grace_time_ends_the_session(phone, laptop):
    sessions.record_successor_use(
        sessions.refresh(session_id=phone.pk, token_id=phone.current_token)
    )
    age_session(phone, by=sessions.GRACE + timedelta(seconds=1))
    with pytest.raises(TokenReused):
        sessions.refresh(session_id=phone.pk, token_id=phone.current_token)
    assert (is_session_live(phone), is_session_live(laptop)) == (False, True)
    assert Session.objects.get(pk=phone.pk).revoked_because == "token reused"


def test_reusing_an_older_token_ends_the_session_without_grace_time(phone):
    second = sessions.refresh(session_id=phone.pk, token_id=phone.current_token)
    sessions.refresh(session_id=phone.pk, token_id=second.current_token)
    with pytest.raises(TokenReused):
        sessions.refresh(session_id=phone.pk, token_id=phone.current_token)
    assert not is_session_live(phone)


@pytest.mark.parametrize("reason", ["revoked", "expired", "inactive", "password", "absent"])
def test_an_ended_session_cannot_be_refreshed(carl, phone, reason):
    phones = Session.objects.filter(pk=phone.pk)
    if reason == "revoked":
        sessions.end_sessions(carl, because="logout")
    elif reason == "expired":
        phones.update(expires_at=timezone.now())
    elif reason == "inactive":
        User.objects.update(is_active=False)
    elif reason == "password":
        carl.set_password(NEW_PASSWORD)
        carl.save()
    session_id = uuid.uuid4() if reason == "absent" else phone.pk
    with pytest.raises(InvalidToken):
        sessions.refresh(session_id=session_id, token_id=phone.current_token)
    assert is_session_live(phone) is (reason == "absent")


def test_ending_one_or_all_sessions_of_a_user(carl, dora, phone, laptop):
    doras = sessions.open_session(dora, "tablet")
    assert sessions.end_sessions(carl, because="logout", only=phone) == 1
    assert [is_session_live(session) for session in (phone, laptop, doras)] == [False, True, True]
    assert sessions.end_sessions(carl, because="signed out everywhere") == 1
    assert [is_session_live(session) for session in (phone, laptop, doras)] == [False, False, True]
    assert Session.objects.get(pk=phone.pk).revoked_because == "logout"


def test_changing_the_password_ends_all_other_sessions(carl, phone, laptop):
    accounts.change_password(
        user=phone.user, keep=phone, current=factories.PASSWORD, new=NEW_PASSWORD
    )
    assert User.objects.get().check_password(NEW_PASSWORD)
    assert (is_session_live(phone), is_session_live(laptop)) == (True, False)


@pytest.mark.parametrize("change", [{"role": "admin"}, {"session_version": 1}])
def test_a_session_that_ends_during_a_password_change_is_not_kept(carl, phone, change):
    User.objects.filter(pk=carl.pk).update(**change)  # after the call has read the user
    accounts.change_password(
        user=phone.user, keep=phone, current=factories.PASSWORD, new=NEW_PASSWORD
    )
    assert User.objects.get().check_password(NEW_PASSWORD)
    assert not is_session_live(phone)


@pytest.mark.parametrize(
    ("current", "new", "error"),
    [("wrong", NEW_PASSWORD, WrongPassword), (factories.PASSWORD, "short", ValidationError)],
)
def test_a_refused_password_change(phone, refused, current, new, error):
    with refused(error) as excinfo:
        accounts.change_password(user=phone.user, keep=phone, current=current, new=new)
    if error is ValidationError:
        assert list(excinfo.value.message_dict) == ["new_password"]


@pytest.fixture
def emailed(carl):
    """The uid and token that Carl gets by email."""
    accounts.request_reset(email="Carl@example.com")
    (message,) = mail.outbox
    assert message.to == ["carl@example.com"]
    match = re.search(r"User: (?P<uid>\S+)\n +Code: (?P<token>\S+)", message.body)
    return match.groupdict()


def test_resetting_the_password_with_the_emailed_token(phone, emailed):
    accounts.reset_password(**emailed, new=NEW_PASSWORD)
    assert User.objects.get().check_password(NEW_PASSWORD)
    assert not is_session_live(phone)


def test_a_reset_token_works_once(emailed, refused):
    accounts.reset_password(**emailed, new=NEW_PASSWORD)
    with refused(InvalidResetToken):
        accounts.reset_password(**emailed, new="third-horse-9")


@pytest.mark.parametrize(
    "wrong",
    [{"uid": "LTE"}, {"uid": "~"}, {"uid": ""}, {"uid": "\u00e9"}, {"token": "x-1"}, {"token": ""}],
)
def test_an_invalid_reset_token_is_refused(emailed, refused, wrong):
    with refused(InvalidResetToken):
        accounts.reset_password(**{**emailed, **wrong}, new=NEW_PASSWORD)


def test_a_reset_token_of_another_user_is_refused(dora, emailed, refused):
    uid = urlsafe_base64_encode(str(dora.pk).encode())
    with refused(InvalidResetToken):
        accounts.reset_password(uid=uid, token=emailed["token"], new=NEW_PASSWORD)


def test_a_weak_password_leaves_the_reset_token_valid(emailed, refused):
    with refused(ValidationError) as excinfo:
        accounts.reset_password(**emailed, new="short")
    assert list(excinfo.value.message_dict) == ["new_password"]
    accounts.reset_password(**emailed, new=NEW_PASSWORD)


def test_a_reset_token_of_an_inactive_user_is_refused(emailed, refused):
    User.objects.update(is_active=False)
    with refused(InvalidResetToken):
        accounts.reset_password(**emailed, new=NEW_PASSWORD)


@pytest.mark.parametrize("email", ["dora@example.com", "", "\x01"])
@pytest.mark.usefixtures("carl")
def test_no_reset_email_for_an_unknown_account(email):
    accounts.request_reset(email=email)
    assert mail.outbox == []


def test_updating_a_profile(carl):
    accounts.update_profile(user=carl, changes={"first_name": " Karl ", "phone": "1"})
    user = User.objects.get()
    assert (user.first_name, user.last_name, user.phone) == ("Karl", "Buyer", "1")


@pytest.mark.parametrize(
    "changes", [{"first_name": ""}, {"phone": "x" * 31}, {"last_name": "\x00"}]
)
def test_an_invalid_profile_is_refused(carl, refused, changes):
    with refused(ValidationError) as excinfo:
        accounts.update_profile(user=carl, changes=changes)
    assert list(excinfo.value.message_dict) == list(changes)


def test_purging_deletes_expired_sessions_only(phone, laptop):
    Session.objects.filter(pk=phone.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert sessions.purge_sessions() == 1
    assert list(Session.objects.all()) == [laptop]
