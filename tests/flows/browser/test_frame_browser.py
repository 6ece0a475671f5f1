"""The frame of the back office: header, focus, shortcuts, downloads and the audit log's groups."""

import pytest
from playwright.sync_api import expect
from support import factories
from support.page_actions import NEW_ORDER, ORDERS, PRODUCTS

from shop.models import Product
from shop.services import audit
from shop.services.stock import Kind, adjust_stock

FOCUSED = "document.activeElement.closest('.shop-field')?.querySelector('label')?.innerText"


def test_the_header_of_a_phone_has_a_readable_title_and_one_menu(phone, mug):
    phone.goto("/admin/shop/user/")
    title = phone.get_by_role("heading", name="Customers and staff")
    assert title.evaluate("e => e.firstElementChild.scrollWidth <= e.firstElementChild.clientWidth")
    phone.goto(PRODUCTS)
    export = phone.locator("#shop-tools").get_by_role("link", name="Export")
    expect(phone.get_by_role("link", name="New product")).to_be_visible()
    expect(export).to_be_hidden()
    phone.get_by_role("button", name="More", exact=True).tap()
    expect(export).to_be_visible()
    phone.touchscreen.tap(20, 800)
    expect(export).to_be_hidden()
    expect(phone.locator("#changelist-search kbd")).to_be_hidden()


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (NEW_ORDER, "Known customer"),
        (f"{ORDERS}export/", "Rows"),
        ("/admin/shop/product/1/stock/", "Change"),
        ("/admin/shop/changeset/add/", "File"),
        ("/admin/shop/user/two-factor/", "Code"),
    ],
)
def test_the_first_field_has_the_focus(page, mug, path, field):
    path = path.replace("/1/", f"/{mug.pk}/")
    page.goto(path)
    page.wait_for_function(f"({FOCUSED} ?? '').startsWith('{field}')")


def test_sign_in_begins_with_the_email(window):
    page = window(None)
    page.goto("/admin/")
    expect(page.locator("#id_username")).to_be_focused()


def test_tab_first_reaches_a_link_to_the_content(page, mug):
    page.goto(PRODUCTS)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#content') !== null")


def test_the_question_mark_lists_the_shortcuts(page, mug):
    page.goto(PRODUCTS)
    page.keyboard.press("Shift+?")
    dialog = page.get_by_role("dialog", name="Shortcuts")
    keys = dialog.locator("kbd").all_text_contents()
    assert {"j", "k", "/", "?", "Enter"} <= {*keys}
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_an_export_says_that_its_file_has_come(page, mug):
    page.goto(f"{PRODUCTS}export/")
    for _ in range(2):
        with page.expect_download() as download:
            page.get_by_role("button", name="Export 1 product").click()
        expect(page.get_by_role("status")).to_contain_text(download.value.suggested_filename)
        expect(page.get_by_role("button", name="Export 1 product")).to_be_enabled()


def test_entries_of_one_change_unfold(page, ada):
    audit.log_many(ada, [(factories.create_product(f"Mug {n}"), "") for n in range(25)])
    page.goto("/admin/shop/auditentry/")
    rows = page.locator("#result_list .data-row:visible")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="and 24 more").click()
    expect(rows).to_have_count(25)
    page.get_by_role("link", name="Mug 24", exact=True).click()
    product = Product.objects.get(name="Mug 24")
    expect(page).to_have_url(f"/admin/shop/product/{product.pk}/change/")


def test_a_selection_is_counted_against_the_whole_list(page):
    for number in range(27):
        factories.create_product(f"Mug {number:02}")
    page.goto(PRODUCTS)
    page.locator("#action-toggle").check()
    expect(page.locator(".action-counter")).to_have_text("25 of 27 selected")
    page.get_by_role("link", name="Select all 27").click()
    expect(page.locator(".shop-selection .all")).to_be_visible()


def test_a_products_ledger_fits_a_phone(phone, ada, mug):
    adjust_stock(
        product_id=mug.pk, delta=-1, kind=Kind.DAMAGED, actor=ada, reason="Fell off the shelf"
    )
    phone.goto(f"/admin/shop/product/{mug.pk}/change/")
    cell = phone.locator(".shop-ledger").get_by_text("Fell off the shelf")
    box = cell.bounding_box()
    assert box["x"] + box["width"] <= phone.viewport_size["width"]
