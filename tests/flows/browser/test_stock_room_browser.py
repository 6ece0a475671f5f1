"""Goods received and shelves counted in the browser, with clicks, page loads and keys counted."""

import re

import pytest
from playwright.sync_api import expect
from support import factories
from support.browser import DESKTOP, PHONE
from support.effort import count_effort
from support.page_actions import PRODUCTS, run_list_action

from shop.models import ChangeSet, Product
from shop.services.goods import receive_goods
from shop.services.orders import place_order
from shop.services.stock import find_drift

RECEIVE, COUNT = f"{PRODUCTS}receive/", f"{PRODUCTS}count/"
#: A person who types needs longer for a key than a scanner.
TYPING = {"delay": 60}


def gtin(number):
    """Return a valid GTIN-13."""
    digits = f"400638{number:06}"
    total = sum(int(digit) * (3 if n % 2 else 1) for n, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


@pytest.fixture
def shelf(transactional_db):
    """Twenty products with a barcode and ten units each."""
    return [
        factories.create_product(f"Bowl {n:02}", sku=f"BOWL-{n:02}", barcode=gtin(n))
        for n in range(20)
    ]


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def device(request, window, ada):
    page = window(ada, request.param)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return page


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


def count_by_search(page, product, units):
    """Count a product on a phone: type a part of its name, tap the suggestion, type the number."""
    page.keyboard.type(product.name.lower())
    page.get_by_role("option", name=product.sku).click()
    expect(units_of(page, product)).to_be_focused()
    scan(page, str(units))
    expect(code_field(page)).to_be_focused()


@pytest.mark.parametrize("way", ["scanner", "search"])
def test_twenty_products_are_counted(device, shelf, way):
    effort = count_effort(device)
    device.goto(COUNT)
    effort.loads = 0
    for n, product in enumerate(shelf):
        units = 10 if n % 5 else 8
        if way == "scanner":
            scan_and_wait(device, product, units=units)
        else:
            count_by_search(device, product, units)
    assert (effort.loads, effort.clicks) == (0, 0 if way == "scanner" else 20)
    assert not has_sideways_scroll(device)
    press(device, "Review 20 counts")
    rows = device.get_by_role("region", name="Differences").locator("tbody tr")
    expect(rows).to_have_count(4)
    assert not has_sideways_scroll(device)
    press(device, "Book 4 differences")
    expect(device.get_by_text("The stock of 4 products was corrected.")).to_be_visible()
    assert effort.clicks <= 45, effort.clicks
    assert sorted(stocks().values()) == [8] * 4 + [10] * 16
    assert list(find_drift()) == []


def test_what_is_sold_while_counting_is_accounted_for(page, shelf, carl):
    page.goto(COUNT)
    scan_and_wait(page, shelf[0], units=9)
    scan_and_wait(page, shelf[1], units=0)
    factories.add_to_cart(carl, (shelf[0], 2))
    place_order(user=carl, shipping_address="1 Street")
    scan_and_wait(page, shelf[0])
    expect(units_of(page, shelf[0])).to_have_value("9")
    press(page, "Review 2 counts")
    expect(page.get_by_text("2 sold meanwhile: 8 → 7")).to_be_visible()
    page.get_by_role("link", name="Go back").click()
    expect(page.get_by_role("button", name="Review 2 counts")).to_be_enabled()
    press(page, "Review 2 counts")
    press(page, "Book 2 differences")
    expect(page.get_by_text("The stock of 2 products was corrected.")).to_be_visible()
    assert (stocks()["BOWL-00"], stocks()["BOWL-01"]) == (7, 0)
    assert list(find_drift()) == []


def test_what_was_not_counted_yet_is_kept(page, shelf):
    page.goto(COUNT)
    scan_and_wait(page, shelf[0], units=10)
    scan_and_wait(page, shelf[1])
    press(page, "Review 1 count")
    expect(page.get_by_text("is as expected")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(units_of(page, shelf[1])).to_have_value("")
    assert ChangeSet.objects.count() == 0


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


def test_a_selection_across_searches_is_received(page, shelf):
    page.goto(f"{PRODUCTS}?q=BOWL-00")
    page.locator("tr input.action-select").check()
    page.goto(f"{PRODUCTS}?q=BOWL-01")
    note = page.get_by_text("1 selected, 1 of them on other pages")
    expect(note).to_be_visible()
    run_list_action(page, f"{PRODUCTS}?q=BOWL-02", "Receive selected products", "BOWL-02")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(units_of(page, shelf[0])).to_be_focused()
    scan(page, "4")
    expect(units_of(page, shelf[2])).to_be_focused()
    scan(page, "5")
    expect(code_field(page)).to_be_focused()
    page.reload()
    press(page, "Receive 9 units of 2 products")
    expect(page.get_by_text("9 units received.")).to_be_visible()
    assert (stocks()["BOWL-00"], stocks()["BOWL-01"], stocks()["BOWL-02"]) == (14, 10, 15)
    page.goto(PRODUCTS)
    expect(page.locator("tr input.action-select:checked")).to_have_count(0)


def test_a_remembered_selection_serves_any_action_and_ends_with_it(page, shelf):
    page.goto(f"{PRODUCTS}?q=BOWL-00")
    page.locator("tr input.action-select").check()
    page.goto(f"{PRODUCTS}?q=BOWL-01")
    page.locator("tr input.action-select").check()
    expect(page.get_by_text("2 selected, 1 of them on other pages")).to_be_visible()
    page.reload()
    expect(page.locator("tr input.action-select")).to_be_checked()
    page.locator("select[name=action]").select_option(label="Archive selected products")
    press(page, "Run")
    expect(page.get_by_text("2 products changed.")).to_be_visible()
    assert Product.objects.filter(is_active=False).count() == 2
    expect(page.locator("tr input.action-select:checked")).to_have_count(0)

    page.goto(f"{PRODUCTS}?q=BOWL-03")
    page.locator("tr input.action-select").check()
    page.goto(f"{PRODUCTS}?q=BOWL-04")
    press(page, "Clear selection")
    page.goto(f"{PRODUCTS}?q=BOWL-03")
    expect(page.locator("tr input.action-select")).not_to_be_checked()


def test_all_that_match_are_still_selected_as_such(page, shelf):
    for n in range(20, 30):
        factories.create_product(f"Bowl {n}", sku=f"BOWL-{n}")
    factories.create_product("Jug", sku="JUG-1")
    page.goto(f"{PRODUCTS}?q=JUG-1")
    page.locator("tr input.action-select").check()
    page.goto(f"{PRODUCTS}?q=bowl")
    page.locator("#action-toggle").click()
    page.get_by_text("Select all 30 products").click()
    page.locator("select[name=action]").select_option(label="Archive selected products")
    press(page, "Run")
    expect(page.get_by_text("30 products changed.")).to_be_visible()
    assert list(Product.objects.filter(is_active=True).values_list("sku", flat=True)) == ["JUG-1"]
