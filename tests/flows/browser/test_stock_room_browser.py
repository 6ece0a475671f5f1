"""Goods received and shelves counted in the browser, with clicks, page loads and keys counted."""

import re

from playwright.sync_api import expect
from support import factories
from support.browser import DESKTOP
from support.effort import count_effort
from support.page_actions import PRODUCTS
from support.stock_actions import (
    COUNT,
    RECEIVE,
    code_field,
    has_sideways_scroll,
    press,
    scan,
    scan_and_wait,
    status,
    stocks,
    type_like_a_scanner,
    units_of,
)

from shop.models import ChangeSet
from shop.services.goods import receive_goods
from shop.services.stock import find_drift

#: A person who types needs longer for a key than a scanner.
TYPING = {"delay": 60}


def test_fifteen_products_are_received_with_a_scanner(device, shelf, ada):
    effort = count_effort(device)
    device.goto(PRODUCTS)
    open_page(device, "Receive goods")
    effort.loads = 0
    for product in shelf[:15]:
        scan_and_wait(device, product, units=10)
    assert effort.loads == 0
    assert not has_sideways_scroll(device)
    press(device, "Receive 150 units of 15 products")
    expect(device.get_by_text("150 units received. Products: 15.")).to_be_visible()
    assert effort.clicks <= 4, effort.clicks
    assert effort.loads == 1
    assert sorted(stocks().values()) == [10] * 5 + [20] * 15
    assert ChangeSet.objects.get().actor == ada
    assert list(find_drift()) == []
    expect(device.locator("tbody tr")).to_have_count(0)


def open_page(page, name):
    """Open a page from the menu, which a phone hides behind a button."""
    if page.viewport_size["width"] < DESKTOP["viewport"]["width"]:
        page.get_by_role("button", name="Menu").first.click()
    page.locator("#nav-sidebar-apps").get_by_text(name, exact=True).click()
    expect(code_field(page)).to_be_focused()


def test_each_scan_is_a_unit_and_enter_never_books(page, shelf):
    page.goto(RECEIVE)
    page.get_by_label("Supplier").press("Enter")
    page.get_by_label("Delivery note").press("Enter")
    expect(code_field(page)).to_be_focused()
    bowl, other = shelf[:2]
    for _ in range(3):
        scan_and_wait(page, bowl)
    expect(units_of(page, bowl)).to_have_value("3")
    scan_and_wait(page, other, units=12)
    scan_and_wait(page, other)
    expect(units_of(page, other)).to_have_value("13")
    expect(page.get_by_role("button", name="Receive 16 units of 2 products")).to_be_enabled()
    expect(status(page)).to_contain_text("Bowl 01")
    page.get_by_role("button", name="Remove Bowl 01").click()
    expect(page.get_by_role("button", name="Receive 3 units of 1 product")).to_be_enabled()
    assert ChangeSet.objects.count() == 0


def test_a_code_scanned_into_a_quantity_is_no_quantity(page, transactional_db):
    """Also one of a few digits, if it comes as fast as a scanner's, and after a typed number."""
    bowl = factories.create_product("Bowl", sku="1234")
    jug = factories.create_product("Jug", sku="JUG-1")
    page.goto(RECEIVE)
    scan(page, "jug-1")
    expect(units_of(page, jug)).to_be_focused()
    page.keyboard.type("1234", **TYPING)
    page.keyboard.press("Enter")
    expect(code_field(page)).to_be_focused()
    expect(units_of(page, jug)).to_have_value("1234")

    scan(page, "jug-1")
    expect(units_of(page, jug)).to_have_value("1235")
    page.keyboard.type("12", **TYPING)
    page.wait_for_function("new Promise(done => setTimeout(() => done(true), 100))")
    type_like_a_scanner(page, "1234")
    expect(units_of(page, bowl)).to_be_focused()
    expect(units_of(page, jug)).to_have_value("12")
    expect(units_of(page, bowl)).to_have_value("1")


def test_an_unknown_code_is_said_and_scanning_goes_on(page, shelf):
    page.goto(RECEIVE)
    scan(page, "NOPE-1")
    expect(status(page)).to_contain_text("NOPE-1")
    assert page.evaluate("getSelection().toString()") == "NOPE-1"
    scan_and_wait(page, shelf[0])
    assert page.locator("tbody tr").count() == 1


def test_a_name_is_completed_with_the_keyboard(page, shelf):
    page.goto(RECEIVE)
    field = code_field(page)
    page.keyboard.type("bowl 1", **TYPING)
    expect(page.get_by_role("option")).to_have_count(8)
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(field).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option")).to_have_count(8)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    chosen = page.get_by_role("option", selected=True)
    expect(chosen).to_have_count(1)
    assert field.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    name = chosen.locator("strong").inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_label(f"Units of {name} received")).to_be_focused()
    scan(page, "2")
    scan(page, "BOWL 00")
    expect(units_of(page, shelf[0])).to_be_focused()


def test_lines_of_a_spreadsheet_are_added(page, shelf):
    page.goto(RECEIVE)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    lines = [
        "SKU\tQuantity",
        f"BOWL-00\t5\n{shelf[0].barcode}\t2\nbowl-01;7\nBOWL-02,1\n\n",
        "NOPE-1\t3\nBOWL-03\tx",
    ]
    page.evaluate("text => navigator.clipboard.writeText(text)", "\n".join(lines))
    code_field(page).focus()
    page.keyboard.press("Control+v")
    expect(page.get_by_label("Lines", exact=True)).to_have_value("NOPE-1\t3\nBOWL-03\tx")
    assert [units_of(page, bowl).input_value() for bowl in shelf[:3]] == ["7", "7", "1"]
    page.get_by_label("Lines", exact=True).fill("BOWL-03\t4")
    press(page, "Add lines")
    expect(page.get_by_role("button", name="Receive 19 units of 4 products")).to_be_enabled()
    page.get_by_text("Paste lines or choose a file").click()
    content = "\n".join(f'"{bowl.sku}";"2"' for bowl in shelf).encode()
    page.get_by_label("Text or CSV file").set_input_files(
        {"name": "note.csv", "mimeType": "text/csv", "buffer": content}
    )
    expect(page.get_by_role("button", name="Receive 59 units of 20 products")).to_be_enabled()


def test_a_delivery_note_that_came_before_is_asked_about(page, shelf, ada):
    receive_goods(units={shelf[0].pk: 1}, actor=ada, supplier="Kiln", delivery_note="4711")
    page.goto(RECEIVE)
    page.get_by_label("Supplier").fill("Kiln")
    page.get_by_label("Delivery note").fill("4711")
    code_field(page).focus()
    scan_and_wait(page, shelf[0], units=5)
    press(page, "Receive 5 units of 1 product")
    expect(page.get_by_role("alert")).to_contain_text("4711")
    expect(units_of(page, shelf[0])).to_have_value("5")
    assert stocks()["BOWL-00"] == 11
    press(page, "Receive it again")
    expect(page.get_by_text("5 units received.")).to_be_visible()
    assert stocks()["BOWL-00"] == 16


def test_a_draft_survives_until_it_is_booked(page, shelf):
    page.goto(RECEIVE)
    page.get_by_label("Delivery note").fill("4711")
    code_field(page).focus()
    scan_and_wait(page, shelf[0], units=5)
    page.goto(PRODUCTS)
    page.goto(RECEIVE)
    notice = page.get_by_text(re.compile("Draft of .* restored"))
    expect(notice).to_be_visible()
    expect(page.get_by_label("Delivery note")).to_have_value("4711")
    press(page, "Receive 5 units of 1 product")
    expect(page.get_by_text("5 units received.")).to_be_visible()
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(0)
    expect(notice).to_be_hidden()

    scan_and_wait(page, shelf[0], units=3)
    page.reload()
    press(page, "Discard draft")
    expect(page.locator("tbody tr")).to_have_count(0)
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(0)


def test_a_draft_whose_answer_was_lost_is_not_booked_twice(page, shelf, troubles):
    page.goto(RECEIVE)
    scan_and_wait(page, shelf[0], units=5)
    page.route(f"**{RECEIVE}", lambda route: (route.fetch(max_redirects=0), route.abort()))
    press(page, "Receive 5 units of 1 product")
    page.wait_for_url("chrome-error://**")
    page.unroute(f"**{RECEIVE}")
    troubles.clear()
    page.goto(RECEIVE)
    press(page, "Receive 5 units of 1 product")
    expect(page.get_by_text("You already submitted this form.")).to_be_visible()
    assert stocks()["BOWL-00"] == 15


def test_rows_are_kept_while_the_shop_cannot_be_reached(page, shelf, troubles):
    page.goto(RECEIVE)
    scan_and_wait(page, shelf[0], units=5)
    page.context.set_offline(True)
    scan(page, shelf[1].barcode)
    expect(status(page)).to_have_class(re.compile("shop-error"))
    troubles.clear()
    page.context.set_offline(False)
    code_field(page).select_text()
    scan_and_wait(page, shelf[1], units=2)
    expect(page.get_by_role("button", name="Receive 7 units of 2 products")).to_be_enabled()


FAKE_CAMERA = """
  window.BarcodeDetector = class {
    static async getSupportedFormats() { return ["ean_13", "qr_code"]; }
    async detect() { return (window.inView ?? []).map(rawValue => ({rawValue})); }
  };
  navigator.mediaDevices.getUserMedia = async ({video}) => {
    window.askedFor = video;
    const canvas = document.createElement("canvas");
    canvas.getContext("2d").fillRect(0, 0, 9, 9);
    return canvas.captureStream();
  };
"""


def test_a_barcode_is_read_by_the_camera(phone, shelf):
    phone.add_init_script(FAKE_CAMERA)
    phone.goto(RECEIVE)
    phone.get_by_role("button", name="Scan with the camera").click()
    expect(phone.locator("video")).to_be_visible()
    phone.evaluate("code => { window.inView = [code]; }", shelf[0].barcode)
    expect(units_of(phone, shelf[0])).to_have_value("1")
    phone.evaluate("code => { window.inView = [code]; }", shelf[1].barcode)
    expect(units_of(phone, shelf[1])).to_have_value("1")
    expect(units_of(phone, shelf[0])).to_have_value("1")
    assert phone.evaluate("window.askedFor.facingMode") == "environment"
    phone.get_by_role("button", name="Stop the camera").click()
    expect(phone.locator("video")).to_be_hidden()


def test_a_browser_without_a_detector_shows_no_camera(page, shelf):
    page.add_init_script("delete window.BarcodeDetector")
    page.goto(COUNT)
    expect(code_field(page)).to_be_focused()
    expect(page.get_by_role("button", name="Scan with the camera")).to_be_hidden()
