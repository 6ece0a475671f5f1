import uuid
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from support import factories

from shop.models import Session, User
from shop.services.sessions import open_session


@pytest.mark.django_db
def test_an_email_is_stored_in_lower_case():
    user = User.objects.create_user(
        "Carl@Example.COM", factories.PASSWORD, first_name="C", last_name="B"
    )
    assert user.email == User.objects.get().email == "carl@example.com"


def test_an_email_is_looked_up_in_any_case(carl):
    assert User.objects.get(email="CARL@Example.com") == carl
    assert User.objects.get_by_natural_key("Carl@example.com") == carl


def test_an_email_is_unique_regardless_of_case_in_the_database(carl):
    with pytest.raises(IntegrityError, match="email"), transaction.atomic():
        User.objects.bulk_create([User(email="CARL@EXAMPLE.COM", first_name="C", last_name="B")])
    assert list(User.objects.all()) == [carl]


def test_a_taken_email_is_a_validation_error(carl):
    with pytest.raises(ValidationError) as refused:
        User.objects.create_user(
            "CARL@example.com", factories.PASSWORD, first_name="C", last_name="B"
        )
    assert refused.value.message_dict == {"email": ["This email is taken."]}
    assert list(User.objects.all()) == [carl]


def test_the_default_role_is_customer(carl):
    assert (carl.role, carl.is_staff, carl.is_superuser, carl.is_active) == (
        "customer",
        False,
        False,
        True,
    )
    assert carl.get_all_permissions() == set()


def test_a_superuser_is_staff_with_all_permissions(ada):
    assert (ada.role, ada.is_staff, ada.is_superuser) == ("admin", True, True)
    assert ada.has_perm("shop.change_product")


def test_staff_without_groups_have_no_permissions(carl):
    User.objects.filter(pk=carl.pk).update(role=User.Role.ADMIN)
    carl.refresh_from_db()
    assert carl.is_staff
    assert not carl.has_perm("shop.change_product")


def test_passwords_are_hashed(carl):
    assert factories.PASSWORD not in carl.password
    assert carl.check_password(factories.PASSWORD)
    assert not carl.check_password("wrong")


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "Ada@example.com")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", factories.PASSWORD)
    return monkeypatch


@pytest.mark.usefixtures("environment", "db")
def test_createsuperuser_reads_the_environment():
    call_command("createsuperuser", "--noinput", verbosity=0)
    user = User.objects.get()
    assert (user.email, user.role, user.is_superuser) == ("ada@example.com", "admin", True)
    assert user.check_password(factories.PASSWORD)


@pytest.mark.usefixtures("environment", "ada")
def test_createsuperuser_refuses_a_taken_email():
    with pytest.raises(CommandError, match="taken"):
        call_command("createsuperuser", "--noinput", verbosity=0)
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("first", "last", "full_name", "label"),
    [
        ("Ada", "Staff", "Ada Staff", "Ada Staff"),
        ("Ada", "", "Ada", "Ada"),
        ("", "", "", "a@b.example"),
    ],
)
def test_a_user_is_shown_by_name_or_else_by_email(first, last, full_name, label):
    user = User(email="a@b.example", first_name=first, last_name=last)
    assert (user.get_full_name(), str(user)) == (full_name, label)


@pytest.mark.parametrize("change", ["revoked", "expired", "inactive", "password"])
def test_a_session_ends(carl, change):
    session = open_session(carl, "")
    now = timezone.now()
    assert session.is_live(now)
    if change == "revoked":
        session.revoked_at = now
    elif change == "expired":
        session.expires_at = now
    elif change == "inactive":
        carl.is_active = False
    else:
        carl.set_password("another-horse-8")
    assert not session.is_live(now)


def test_a_session_is_shown_by_user_and_device(carl):
    assert str(open_session(carl, "Firefox")) == "Carl Buyer, Firefox"
    ends = timezone.now() + timedelta(days=1)
    assert str(Session(id=uuid.uuid4(), user=carl, expires_at=ends)) == "Carl Buyer, unknown device"


COMPOSED, DECOMPOSED = "Caf\u00e9-au-lait-9", "Cafe\u0301-au-lait-9"


@pytest.mark.parametrize(("first", "second"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_a_password_is_hashed_and_checked_in_nfc(carl, first, second):
    carl.set_password(first)
    carl.save()
    assert carl.check_password(first)
    assert carl.check_password(second)
    assert async_to_sync(carl.acheck_password)(second)
    assert check_password(COMPOSED, carl.password)
    assert not check_password(DECOMPOSED, carl.password)
    assert not carl.check_password("Cafe-au-lait-9")


@pytest.mark.django_db
def test_commands_set_a_password_in_nfc(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", DECOMPOSED)
    call_command("createsuperuser", "--noinput", email="ada@example.com", verbosity=0)
    assert check_password(COMPOSED, User.objects.get().password)
    monkeypatch.setattr("getpass.getpass", lambda **_: f"new-{DECOMPOSED}")
    call_command("changepassword", "ada@example.com", verbosity=0)
    assert check_password(f"new-{COMPOSED}", User.objects.get().password)


def test_no_password_is_no_error(carl):
    carl.set_password(None)
    assert not carl.has_usable_password()
    assert not carl.check_password(None)
