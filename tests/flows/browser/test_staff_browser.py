"""A colleague who only fulfils: invited, with a password of their own, in the right group."""

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from playwright.sync_api import expect
from support.browser import DESKTOP, PHONE

from shop.management.demo_shop import make_groups
from shop.models import BrowserSession, OutboxMessage, User

PASSWORD = "another-horse-9"
#: Counts clicks and page loads, across pages.
COUNT = """
for (const [name, counted] of [["click", "clicks"], ["DOMContentLoaded", "loads"]])
  addEventListener(name, event => {
    if (event.isTrusted || name !== "click")
      sessionStorage[counted] = 1 + Number(sessionStorage[counted] || 0);
  }, true);
"""


def effort(page):
    return page.evaluate("[Number(sessionStorage.clicks || 0), Number(sessionStorage.loads || 0)]")


def link_of(message):
    """Return the link of an email, whose token is made when it is sent."""
    user = message.user
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    return message.payload["page"].replace("{uid}", uid).replace("{token}", token)


def choose_password(page):
    page.get_by_label("New password", exact=False).first.fill(PASSWORD)
    page.get_by_label("confirmation").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("Your password is set.")).to_be_visible()


def log_in(page, email):
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=False).first.fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_a_colleague_is_invited_who_only_fulfils(window, ada, mug, server, device):
    make_groups()
    owner = window(ada, device)
    owner.goto("/admin/shop/user/")
    owner.context.add_init_script(COUNT)
    if device is PHONE:
        owner.get_by_role("button", name="More", exact=True).click()
    owner.get_by_role("link", name="Invite colleague").click()
    owner.get_by_label("Email").fill("cleo@example.com")
    owner.get_by_label("First name").fill("Cleo")
    owner.get_by_label("Last name").fill("Clerk")
    owner.get_by_role("checkbox", name="Fulfilment").check()
    owner.get_by_role("button", name="Send invitation").click()
    expect(owner.get_by_text("Invited", exact=True)).to_be_visible()
    # The click that leads to the form came before the counter.
    assert effort(owner) == [2, 2]

    cleo = window(None, device)
    cleo.goto(link_of(OutboxMessage.objects.get()))
    expect(cleo.get_by_text("For cleo@example.com")).to_be_visible()
    choose_password(cleo)
    log_in(cleo, "cleo@example.com")
    cleo.goto(f"/admin/shop/product/{mug.pk}/change/")
    expect(cleo.get_by_role("link", name="Count stock", exact=True)).to_be_visible()
    expect(cleo.get_by_role("button", name="Save", exact=True)).to_have_count(0)
    assert set(
        User.objects.get(email="cleo@example.com").groups.values_list("name", flat=True)
    ) == {"Fulfilment"}
    owner.reload()
    expect(owner.get_by_text("Invited", exact=True)).to_have_count(0)


def test_a_forgotten_password_is_replaced(window, ada):
    page = window(None)
    page.goto("/admin/")
    page.get_by_role("link", name="Forgot password?").click()
    page.get_by_label("Email").fill(ada.email)
    page.get_by_role("button", name="Send link").click()
    expect(page.get_by_text("is on its way")).to_be_visible()
    page.goto(link_of(OutboxMessage.objects.get()))
    choose_password(page)
    log_in(page, ada.email)
    expect(page.get_by_role("link", name="Customers and staff").first).to_be_visible()


def test_a_browser_is_signed_out_from_another_one(window, ada):
    page, other = window(ada), window(ada)
    other.goto("/admin/")
    page.goto("/admin/shop/user/sessions/")
    expect(page.get_by_text("This browser")).to_be_visible()
    page.get_by_role("button", name="Sign out:").click()
    expect(page.get_by_text("You were signed out there.")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
    other.goto("/admin/shop/user/")
    expect(other.locator("#login-form")).to_be_visible()
    assert BrowserSession.objects.filter(user=ada).count() == 1
