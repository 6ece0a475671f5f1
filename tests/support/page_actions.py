"""Actions on the admin's pages that several browser tests need."""

import base64
import re
import time

from support import factories, totp

ORDERS = "/admin/shop/order/"
PRODUCTS = "/admin/shop/product/"
NEW_ORDER = f"{ORDERS}add/"
TWO_FACTOR = "/admin/shop/user/two-factor/"


def open_order(page, order):
    page.goto(ORDERS)
    page.get_by_role("link", name=order.order_number, exact=True).click()


def submit_action(page, label, **fields):
    """Press a button of the page, fill in its form and send it."""
    page.get_by_role("link", name=label, exact=True).click()
    for name, text in fields.items():
        page.get_by_label(name.replace("_", " ").capitalize(), exact=True).fill(text)
    page.get_by_role("button", name=label, exact=True).click()


def run_list_action(page, url, action, *rows):
    """Select rows of a list by their text and run an action."""
    page.goto(url)
    for row in rows:
        page.get_by_role("row", name=str(row)).get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option(label=action)
    page.get_by_role("button", name="Run").click()


def choose_option(page, label, term, option):
    """Type into a search box and choose an option."""
    page.get_by_role("combobox", name=re.compile(f"^{label}")).click()
    page.get_by_role("searchbox", name=label).press_sequentially(term)
    page.get_by_role("option", name=option).click()


def command_search(page, term):
    """Open the command search with its key and type."""
    page.keyboard.press("Control+k")
    page.locator("#search-input-command").press_sequentially(term)


def product_page(product, view="change/"):
    return f"{PRODUCTS}{product.pk}/{view}"


def save(page):
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"**{PRODUCTS}")


def buy(http, app, *lines):
    """Buy through the API, as a customer's app does, and return the order."""
    factories.add_to_cart(app.user, *lines)
    token = {"Authorization": f"Bearer {app.token}"}
    return http.post(
        "/api/orders/create/", json={"shipping_address": "1 Street"}, headers=token
    ).json()


def set_up_two_factor(page):
    """Turn on two-factor authentication and return the secret in hexadecimal."""
    page.goto(TWO_FACTOR)
    page.get_by_text("Can't scan it?").click()
    key = base64.b32decode(page.locator("details code").inner_text().replace(" ", "")).hex()
    page.get_by_label("Code").fill(totp.code_at(time.time(), key))
    page.get_by_role("button", name="Turn on").click()
    page.get_by_role("link", name="I have written them down").wait_for()
    return key
