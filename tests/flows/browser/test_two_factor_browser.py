"""Two-factor authentication, from its set-up to the next login."""

import time

from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import expect
from support import factories, totp
from support.page_actions import set_up_two_factor


def log_in(page, code):
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Log in").click()


def expect_dashboard(page):
    expect(page.get_by_role("link", name="Customers and staff").first).to_be_visible()


def test_two_factor_authentication_is_set_up_and_needed_at_login(page, window):
    other_tab = page.context.new_page()
    key = set_up_two_factor(page)
    recovery_codes = page.locator(".shop-codes code").all_inner_texts()
    assert len(recovery_codes) == 10
    page.get_by_role("link", name="I have written them down").click()
    expect_dashboard(page)
    other_tab.goto("/admin/")
    expect_dashboard(other_tab)

    second_browser = window(None)
    second_browser.goto("/admin/")
    log_in(second_browser, "")
    expect(second_browser.locator("#login-form")).to_be_visible()
    log_in(second_browser, recovery_codes[0])
    expect_dashboard(second_browser)

    third_browser = window(None)
    third_browser.goto("/admin/")
    TOTPDevice.objects.update(last_t=-1, drift=0)  # as if 30 seconds had passed
    log_in(third_browser, totp.code_at(time.time(), key))
    expect_dashboard(third_browser)
