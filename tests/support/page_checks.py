"""Visits every page of the admin, one after the other."""

from collections import defaultdict
from urllib.parse import urlsplit

from support import admin_urls
from support.page_actions import (
    NEW_ORDER,
    ORDERS,
    PRODUCTS,
    TWO_FACTOR,
    choose_option,
    command_search,
    run_list_action,
    set_up_two_factor,
)

FORBIDDEN = 403
#: Responses that are no pages: fragments for scripts, and what answers POST only.
FRAGMENTS = {
    *("search", "autocomplete", "shop_order_search_choices", "jsi18n", "logout"),
    "shop_product_quick_edit",
}
DOWNLOADS = {
    "shop_invoice_download_pdf",
    "shop_changeset_sample",
    "shop_changeset_error_report",
    "shop_changeset_picture_urls",
}


def every_page(page, troubles):
    """Visit each page and yield its name: first every URL, then what clicks lead to.

    A page that several URLs lead to is yielded once: the 403 page, and the audit log as History.
    """
    seen = set()
    for url in admin_urls.admin_urls():
        if url.name not in FRAGMENTS | DOWNLOADS and _is_new(page, url, troubles, seen):
            yield f"{url.name} {url.path}"
    for visit in VISITS:
        visit(page)
        yield visit.__name__
    response = page.goto("/admin/nowhere/")
    troubles.remove(f"404 GET {response.url}")
    yield "not found"


def _is_new(page, url, troubles, seen):
    response = page.goto(url.path)
    if response.status == FORBIDDEN:
        troubles.remove(f"{FORBIDDEN} GET {response.url}")
    path = urlsplit(response.url).path if response.request.redirected_from else url.path
    identity = FORBIDDEN if response.status == FORBIDDEN else path
    is_new = identity not in seen
    seen.add(identity)
    return is_new


def empty_lists(page):
    """Visit each list of a shop without data."""
    for url in admin_urls.admin_urls(only="_changelist"):
        page.goto(url.path)
        yield f"empty {url.name}"


def no_matches(page):
    page.goto(f"{ORDERS}?q=nothing-has-this-name")


def filter_panel(page):
    page.goto(f"{ORDERS}?status__exact=pending&days=7")
    page.locator("a[x-on\\:click*=filterOpen]:visible").first.click()
    page.locator("#changelist-filter").get_by_role("button", name="Apply").wait_for()


def selection(page):
    page.goto(ORDERS)
    page.locator("[name=_selected_action]").first.check()


def bulk_cancel(page):
    run_list_action(page, ORDERS, "Cancel selected orders", "12.50 EUR")
    page.get_by_role("heading", name="Cancel").wait_for()


def bulk_ship(page):
    run_list_action(page, ORDERS, "Ship selected orders", "Confirmed")
    page.get_by_text("Show the email").click()


def printed(page):
    page.goto(ORDERS)
    page.locator(".field-order_number a").first.click()
    page.get_by_role("link", name="Print invoice").click()
    page.get_by_role("button", name="Print invoice").click()
    page.get_by_role("button", name="Download PDF").wait_for()


def invalid_form(page):
    page.goto(f"{PRODUCTS}add/")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("This field is required").first.wait_for()


def invalid_action(page):
    page.goto(PRODUCTS)
    page.locator(".field-name a").first.click()
    page.get_by_role("link", name="Adjust stock").click()
    page.get_by_role("button", name="Adjust stock").click()
    page.get_by_text("This field is required").wait_for()


def _import(page, name):
    page.goto("/admin/shop/changeset/")
    page.get_by_role("link", name=name).click()
    page.get_by_role("heading", name=name).wait_for()


def applied_import(page):
    _import(page, "winter.csv")


def waiting_import(page):
    _import(page, "summer.csv")


def failed_import(page):
    _import(page, "photo.csv")


def price_preview(page):
    run_list_action(page, PRODUCTS, "Change prices of selected products", "MUG-1", "LAMP-1")
    page.get_by_label("Value").fill("5")
    page.get_by_role("button", name="Show new prices").click()
    page.get_by_role("button", name="Change 2 prices").wait_for()


def large_price_preview(page):
    run_list_action(page, PRODUCTS, "Change prices of selected products", "MUG-1", "LAMP-1")
    page.get_by_label("Value").fill("500")
    page.get_by_role("button", name="Show new prices").click()
    page.get_by_role("checkbox", name="Yes, change").wait_for()


def table_with_errors(page):
    page.goto(PRODUCTS)
    page.get_by_role("link", name="Edit this page in a table").click()
    page.get_by_role("textbox", name="Name LAMP-1").fill("")
    page.get_by_text("Columns").click()
    page.get_by_role("button", name="Save 1 change").click()
    page.get_by_text("This field is required").wait_for()
    page.once("dialog", lambda dialog: dialog.accept())


def quick_edit(page):
    page.goto(PRODUCTS)
    page.get_by_role("button", name="Edit the price of Lamp").click()


def receive_stock(page):
    run_list_action(page, PRODUCTS, "Receive stock of selected products", "MUG-1", "LAMP-1")
    page.get_by_role("heading", name="Receive stock").wait_for()


def product_search(page):
    page.goto(NEW_ORDER)
    page.get_by_role("combobox", name="Product 1").click()
    page.get_by_role("option", name="Lamp").wait_for()


def invalid_order(page):
    page.goto(NEW_ORDER)
    page.get_by_role("button", name="Check order").click()
    page.get_by_text("Choose at least one product.").wait_for()


def checked_order(page):
    page.goto(NEW_ORDER)
    choose_option(page, "Known customer", "carl", "Carl Buyer")
    choose_option(page, "Product 1", "LAMP", "Lamp")
    page.get_by_role("button", name="Check order").click()
    page.get_by_role("button", name="Place order").wait_for()


def save_view(page):
    page.goto(f"{ORDERS}?q=carl")
    page.get_by_role("link", name="Save this view").click()
    page.get_by_label("Name").wait_for()


def command_search_results(page):
    page.goto(ORDERS)
    command_search(page, "carl")
    page.locator("#command-results").get_by_role("link", name="Carl Buyer").first.wait_for()


def recovery_codes(page):
    set_up_two_factor(page)


def own_two_factor(page):
    page.goto(TWO_FACTOR)


VISITS = (
    *(no_matches, filter_panel, selection, bulk_cancel, bulk_ship, printed),
    *(invalid_form, invalid_action),
    *(price_preview, large_price_preview, table_with_errors, quick_edit),
    *(receive_stock, product_search, invalid_order, checked_order),
    *(save_view, command_search_results),
    *(applied_import, waiting_import, failed_import),
    *(recovery_codes, own_two_factor),  # last, since other sessions are signed out
)


def signed_out_pages(page):
    """Visit the pages of a browser that is not signed in."""
    page.goto("/admin/")
    yield "login"
    page.locator("[name=username]").fill("nobody@example.com")
    page.locator("[name=password]").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("don't match").wait_for()
    yield "failed login"


class Findings:
    """Collects problems, each with the pages on which it was seen."""

    def __init__(self):
        self.pages = defaultdict(list)

    def add(self, problem, page):
        self.pages[problem].append(page)

    def __str__(self):
        return "\n".join(
            f"{problem}\n    on {len(pages)}: {', '.join(pages[:3])}"
            for problem, pages in sorted(self.pages.items())
        )
