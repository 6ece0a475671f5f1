"""A telephone beside the password, from the menu to the next sign-in."""

import time

from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import expect
from support import factories, totp
from support.page_actions import set_up_telephone


def sign_in(page, code):
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Log in").click()


def test_a_second_factor_is_set_up_and_then_asked(page, window):
    before = page.context.new_page()
    key = set_up_telephone(page)
    recovery = page.locator(".shop-codes code").all_inner_texts()
    assert len(recovery) == 10
    page.get_by_role("link", name="I have written them down").click()
    expect(page.get_by_role("link", name="Customers and staff").first).to_be_visible()
    before.goto("/admin/")
    expect(before.get_by_role("link", name="Customers and staff").first).to_be_visible()
    later = window(None)
    later.goto("/admin/")
    sign_in(later, "")
    expect(later.get_by_text("The code is missing, wrong or already used")).to_be_visible()
    sign_in(later, recovery[0])
    expect(later.get_by_role("link", name="Customers and staff").first).to_be_visible()
    another = window(None)
    another.goto("/admin/")
    TOTPDevice.objects.update(last_t=-1, drift=0)  # as if half a minute had passed
    sign_in(another, totp.code_at(time.time(), key))
    expect(another.get_by_role("link", name="Customers and staff").first).to_be_visible()
