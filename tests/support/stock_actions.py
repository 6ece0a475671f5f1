"""What a person and a scanner do on the pages "Receive goods" and "Count stock"."""

import re

from playwright.sync_api import expect

from shop.models import Product
from support.page_actions import PRODUCTS

RECEIVE, COUNT = f"{PRODUCTS}receive/", f"{PRODUCTS}count/"


def gtin(number):
    """Return a valid GTIN-13."""
    digits = f"400638{number:06}"
    total = sum(int(digit) * (3 if n % 2 else 1) for n, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def scan(page, code):
    """Do what a scanner does: type the code into what has the focus, and press Enter."""
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def code_field(page):
    return page.get_by_role("combobox", name="Barcode, SKU or name")


def units_of(page, product):
    return page.get_by_label(re.compile(f"^Units of {product.name} "))


def scan_and_wait(page, product, units=None):
    """Scan a product, wait for its row and type a number."""
    scan(page, product.barcode)
    expect(units_of(page, product)).to_be_focused()
    if units is not None:
        scan(page, str(units))
        expect(code_field(page)).to_be_focused()


def status(page):
    return page.locator("#stock-status")


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def stocks():
    return dict(Product.objects.values_list("sku", "stock"))


def has_sideways_scroll(page):
    return page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )


def type_like_a_scanner(page, code):
    """Type into what has the focus, all keys at the same moment."""
    page.evaluate(
        """code => {
          const field = document.activeElement;
          const press = key =>
            field.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
          for (const key of code) {
            press(key);
            document.execCommand("insertText", false, key);
          }
          press("Enter");
        }""",
        code,
    )


def count_by_search(page, product, units):
    """Count a product on a phone: type a part of its name, tap the suggestion, type the number."""
    page.keyboard.type(product.name.lower())
    page.get_by_role("option", name=product.sku).click()
    expect(units_of(page, product)).to_be_focused()
    scan(page, str(units))
    expect(code_field(page)).to_be_focused()
