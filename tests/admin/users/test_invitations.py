"""Colleagues are invited by email, and choose their password themselves."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from support import factories

from shop.admin.base import FORM_KEY_FIELD
from shop.models import AuditEntry, OutboxMessage, User
from shop.services import accounts, outbox
from shop.services.errors import AlreadyAccepted

INVITE, LIST = "/admin/shop/user/invite/", "/admin/shop/user/"
CLEO = {"email": "Cleo@Example.com", "first_name": "Cleo", "last_name": "Clerk"}
PASSWORD = "another-horse-9"
NEW = {"new_password1": PASSWORD, "new_password2": PASSWORD}
PAGE = "https://shop.example.com/admin/reset/{uid}/{token}/"


@pytest.fixture
def packing(db):
    return Group.objects.create(name="Packing")


@pytest.fixture
def cleo(ada, packing):
    """A colleague who was invited."""
    return accounts.invite_staff(
        actor=ada,
        page=PAGE,
        email="cleo@example.com",
        first_name="Cleo",
        last_name="Clerk",
        groups=[packing],
    )


@pytest.fixture
def delivered(mailoutbox, django_capture_on_commit_callbacks):
    """`delivered(work)` does the work, and returns the emails that it sends."""

    def run(work):
        before = len(mailoutbox)
        with django_capture_on_commit_callbacks(execute=True):
            work()
        return mailoutbox[before:]

    return run


def link_in(email):
    """Return the path of the link in an invitation or a reset."""
    [url] = re.findall(r"https?://\S+", email.body)
    return url, "/" + url.split("/", 3)[3]


def set_password(path, values=NEW, browser=None):
    browser = browser or Client()
    page = browser.get(path)
    return browser.post(page.url, values) if page.status_code == 302 else page


def test_a_superuser_invites_a_colleague_who_chooses_the_password(
    adas_browser, ada, packing, delivered
):
    values = {**CLEO, "groups": [packing.pk], "password": "mine", "password1": "mine"}
    [email] = delivered(lambda: adas_browser.post(INVITE, values))
    cleo = User.objects.get(email="cleo@example.com")
    assert (cleo.is_staff, cleo.is_superuser, cleo.is_invited) == (True, False, True)
    assert list(cleo.groups.all()) == [packing]
    entry = AuditEntry.objects.get(record_id=str(cleo.pk), model_name="user")
    assert (entry.actor, entry.action) == (ada, "added")

    url, path = link_in(email)
    assert (email.to, url.startswith("http://testserver/admin/reset/")) == ([cleo.email], True)
    assert set_password(path).url == "/admin/login/"
    cleo.refresh_from_db()
    assert (cleo.check_password(PASSWORD), cleo.is_invited) == (True, False)
    browser = Client()
    browser.post("/admin/login/", {"username": cleo.email, "password": PASSWORD})
    assert browser.get("/admin/").status_code == 200


def test_only_superusers_invite(staff_client_with, packing, cleo):
    User.objects.filter(pk=cleo.pk).update(email="ines@example.com")
    browser = staff_client_with("add_user", "view_user", "change_user", "change_session")
    before = factories.all_rows()
    for path in (INVITE, f"{LIST}{cleo.pk}/invite-again/"):
        assert browser.get(path).status_code == 403
        assert browser.post(path, {**CLEO, "groups": [packing.pk]}).status_code == 403
    assert factories.all_rows() == before
    text = (
        browser.get(LIST).content.decode()
        + browser.get(f"{LIST}{cleo.pk}/change/").content.decode()
    )
    assert INVITE not in text
    assert "invite-again" not in text


def test_a_form_sent_twice_invites_once(adas_browser):
    values = {**CLEO, FORM_KEY_FIELD: "once"}
    for _ in range(2):
        assert adas_browser.post(INVITE, values).status_code == 302
    assert OutboxMessage.objects.count() == 1
    assert User.objects.filter(email="cleo@example.com").count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "CARL@example.com"}, "email"),
        ({"email": "nobody"}, "email"),
        ({"first_name": "\u200b"}, "first_name"),
        ({"groups": ["0"]}, "groups"),
    ],
)
def test_an_invalid_invitation_invites_nobody(adas_browser, carl, changes, field):
    before = factories.all_rows()
    answer = adas_browser.post(INVITE, CLEO | changes)
    assert list(answer.context["form"].errors) == [field]
    assert factories.all_rows() == before


def test_an_owner_is_invited_with_full_access(adas_browser):
    adas_browser.post(INVITE, CLEO | {"is_superuser": "on"})
    cleo = User.objects.get(email="cleo@example.com")
    assert (cleo.is_staff, cleo.is_superuser) == (True, True)


def test_the_list_and_the_page_say_who_has_not_accepted(adas_browser, cleo):
    again = f"{LIST}{cleo.pk}/invite-again/"
    for path in (LIST, f"{LIST}{cleo.pk}/change/"):
        assert "Invited" in adas_browser.get(path).content.decode()
    assert again in adas_browser.get(f"{LIST}{cleo.pk}/change/").content.decode()
    cleo.set_password(PASSWORD)
    cleo.save()
    for path in (LIST, f"{LIST}{cleo.pk}/change/"):
        assert "Invited" not in adas_browser.get(path).content.decode()
    assert adas_browser.get(again).status_code == 403


def test_an_invitation_is_sent_again(adas_browser, ada, cleo, delivered):
    again = f"{LIST}{cleo.pk}/invite-again/"
    adas_browser.get(again)
    assert OutboxMessage.objects.count() == 1
    [email] = delivered(lambda: adas_browser.post(again))
    assert set_password(link_in(email)[1]).status_code == 302
    with pytest.raises(AlreadyAccepted):
        accounts.invite_again(user=cleo, actor=ada, page=PAGE)


def test_a_link_works_once_and_expires(ada, cleo, mailoutbox, settings):
    outbox.deliver_due()
    OutboxMessage.objects.update(due_at=timezone.now())
    outbox.deliver_due()
    _url, path = link_in(mailoutbox[-1])
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert not set_password(path).context["validlink"]
    settings.PASSWORD_RESET_TIMEOUT = 60
    assert set_password(path).status_code == 302
    assert not set_password(path).context["validlink"]
    cleo.refresh_from_db()
    assert cleo.check_password(PASSWORD)


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": factories.PASSWORD_HASH}])
def test_no_invitation_is_sent_that_nobody_needs(cleo, mailoutbox, change):
    User.objects.filter(pk=cleo.pk).update(**change)
    OutboxMessage.objects.update(due_at=timezone.now())
    outbox.deliver_due()
    assert (mailoutbox, OutboxMessage.objects.get().status) == ([], "failed")


def test_an_invitation_is_tried_as_long_as_its_link_works(cleo):
    message = OutboxMessage.objects.get()
    assert message.expires_at - message.created_at <= timedelta(days=2)
    assert not outbox.can_send_again(message)
    assert "token" not in str(message.payload).replace("{token}", "")
