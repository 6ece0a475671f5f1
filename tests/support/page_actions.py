"""What people do on these pages again and again."""

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


def press(page, label, **fields):
    """The button of the page, then the one of the page that asks."""
    page.get_by_role("link", name=label, exact=True).click()
    for name, text in fields.items():
        page.get_by_label(name.replace("_", " ").capitalize(), exact=True).fill(text)
    page.get_by_role("button", name=label, exact=True).click()


def act(page, address, action, *rows):
    """Choose rows of a list by what stands in them, and run an action."""
    page.goto(address)
    for row in rows:
        page.get_by_role("row", name=str(row)).get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option(label=action)
    page.get_by_role("button", name="Run").click()


def pick(page, label, term, wanted):
    """Type into a search box, and take what it offers."""
    page.get_by_role("combobox", name=re.compile(f"^{label}")).click()
    page.get_by_role("searchbox", name=label).press_sequentially(term)
    page.get_by_role("option", name=wanted).click()


def find(page, term):
    """Open the palette with the keys and type."""
    page.keyboard.press("Control+k")
    page.locator("#search-input-command").press_sequentially(term)


def product_page(product, step="change/"):
    return f"{PRODUCTS}{product.pk}/{step}"


def save(page):
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"**{PRODUCTS}")


def buy(http, app, *lines):
    """What the app of a customer does meanwhile."""
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
