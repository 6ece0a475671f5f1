"""Every page that the back office has, one after the other."""

from collections import defaultdict
from urllib.parse import urlsplit

from support import admin_urls
from support.page_actions import (
    NEW_ORDER,
    ORDERS,
    PRODUCTS,
    SECOND_FACTOR,
    act,
    find,
    pick,
    set_up_telephone,
)

REFUSED = 403
#: Answers that are no pages of their own: pieces for scripts, and what only a POST may do.
PIECES = {"search", "autocomplete", "shop_order_pick", "jsi18n", "logout"}
DOWNLOADS = {
    "shop_productimport_sample",
    "shop_productimport_to_mend",
    "shop_productimport_addresses",
}


def every_page(page, troubles):
    """Visit each in turn and yield its name: all that answers an address, then what clicks lead to.

    What is closed to everybody (nobody adds an event by hand) answers with the same refusal everywhere, and
    every History with the audit log: these are looked at once.
    """
    seen = set()
    for found in admin_urls.admin_urls():
        if found.name not in PIECES | DOWNLOADS and _is_new(page, found, troubles, seen):
            yield f"{found.name} {found.path}"
    for visit in VISITS:
        visit(page)
        yield visit.__name__
    answer = page.goto("/admin/nowhere/")
    troubles.remove(f"404 GET {answer.url}")
    yield "nowhere"


def _is_new(page, found, troubles, seen):
    answer = page.goto(found.path)
    if answer.status == REFUSED:
        troubles.remove(f"{REFUSED} GET {answer.url}")
    like = urlsplit(answer.url).path if answer.request.redirected_from else found.path
    kind = REFUSED if answer.status == REFUSED else like
    is_new = kind not in seen
    seen.add(kind)
    return is_new


def lists(page):
    """Visit each list as it is while there is nothing on it."""
    for found in admin_urls.admin_urls(only="_changelist"):
        page.goto(found.path)
        yield f"empty {found.name}"


def nothing_found(page):
    page.goto(f"{ORDERS}?q=nothing-has-this-name")


def filters(page):
    page.goto(f"{ORDERS}?status__exact=pending&days=7")
    page.locator("a[x-on\\:click*=filterOpen]:visible").first.click()
    page.locator("#changelist-filter").get_by_role("button", name="Apply").wait_for()


def chosen(page):
    page.goto(ORDERS)
    page.locator("[name=_selected_action]").first.check()


def cancelling_many(page):
    act(page, ORDERS, "Cancel selected orders", "12.50 EUR")
    page.get_by_role("heading", name="Cancel").wait_for()


def printed(page):
    page.goto(ORDERS)
    page.locator(".field-order_number a").first.click()
    page.get_by_role("link", name="Invoice").click()
    page.get_by_role("button", name="Print invoice").click()
    page.get_by_role("button", name="Download PDF").wait_for()


def refused_form(page):
    page.goto(f"{PRODUCTS}add/")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("This field is required").first.wait_for()


def refused_step(page):
    page.goto(PRODUCTS)
    page.locator(".field-name a").first.click()
    page.get_by_role("link", name="Adjust stock").click()
    page.get_by_role("button", name="Adjust stock").click()
    page.get_by_text("This field is required").wait_for()


def _import(page, name):
    page.goto("/admin/shop/productimport/")
    page.get_by_role("link", name=name).click()
    page.get_by_role("heading", name=name).wait_for()


def applied_import(page):
    _import(page, "winter.csv")


def waiting_import(page):
    _import(page, "summer.csv")


def failed_import(page):
    _import(page, "photo.csv")


def new_prices(page):
    act(page, PRODUCTS, "Change prices of selected products", "MUG-1", "LAMP-1")
    page.get_by_label("Value").fill("5")
    page.get_by_role("button", name="Show new prices").click()
    page.get_by_role("button", name="Change 2 prices").wait_for()


def receiving(page):
    act(page, PRODUCTS, "Receive stock of selected products", "MUG-1", "LAMP-1")
    page.get_by_role("heading", name="Receive stock").wait_for()


def searching(page):
    page.goto(NEW_ORDER)
    page.get_by_role("combobox", name="Product 1").click()
    page.get_by_role("option", name="Lamp").wait_for()


def refused_order(page):
    page.goto(NEW_ORDER)
    page.get_by_role("button", name="Check order").click()
    page.get_by_text("Choose at least one product.").wait_for()


def checked_order(page):
    page.goto(NEW_ORDER)
    pick(page, "Known customer", "carl", "Carl Buyer")
    pick(page, "Product 1", "LAMP", "Lamp")
    page.get_by_role("button", name="Check order").click()
    page.get_by_role("button", name="Place order").wait_for()


def keeping(page):
    page.goto(f"{ORDERS}?q=carl")
    page.get_by_role("link", name="Keep this filter").click()
    page.get_by_label("Name").wait_for()


def palette(page):
    page.goto(ORDERS)
    find(page, "carl")
    page.locator("#command-results").get_by_role("link", name="Carl Buyer").first.wait_for()


def recovery_codes(page):
    set_up_telephone(page)


def own_second_factor(page):
    page.goto(SECOND_FACTOR)


VISITS = (
    *(nothing_found, filters, chosen, cancelling_many, printed, refused_form, refused_step),
    *(new_prices, receiving, searching, refused_order, checked_order, keeping, palette),
    *(applied_import, waiting_import, failed_import),
    *(recovery_codes, own_second_factor),  # the last ones: other browsers are signed out
)


def outside(page):
    """The pages of somebody who is not signed in."""
    page.goto("/admin/")
    yield "login"
    page.locator("[name=username]").fill("nobody@example.com")
    page.locator("[name=password]").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Please enter the correct").wait_for()
    yield "login refused"


class Findings:
    """What is wrong, told once with the pages on which it was seen."""

    def __init__(self):
        self.pages = defaultdict(list)

    def add(self, what, page):
        self.pages[what].append(page)

    def __str__(self):
        return "\n".join(
            f"{what}\n    on {len(pages)}: {', '.join(pages[:3])}"
            for what, pages in sorted(self.pages.items())
        )
