"""Many orders at once in the browser: confirmed and shipped, with clicks and page loads counted."""

import re

import pytest
from playwright.sync_api import expect
from support import factories, world
from support.browser import DESKTOP, PHONE
from support.effort import count_effort
from support.page_actions import ORDERS, run_list_action

from shop.models import Carrier, Order, OutboxMessage
from shop.services.order_moves import move_order

NUMBERS = [f"JD 01460 {number:03}" for number in range(14)]
LINK = "https://dhl.example.com/"
MAX_CLICKS, MAX_LOADS = 20, 6
#: A person clicks a menu and then its entry, which Playwright does without a click.
CLICKS_OF_MENU = 2


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def run_on_all(page, effort, action):
    """Select all orders of the list that is shown and run an action."""
    page.locator("#action-toggle").click()
    page.locator("select[name=action]").select_option(label=action)
    effort.clicks += CLICKS_OF_MENU
    press(page, "Run")


@pytest.fixture
def place(carl, ada):
    """`place(3, "confirmed")`: orders in this status, newest first, as lists show them."""
    cup = factories.create_product("Cup", stock=100, sku="CUP-1")
    # The tests before this one have emptied the table.
    Carrier.objects.update_or_create(name="DHL", defaults={"tracking_url": f"{LINK}{{number}}"})

    def create(count, status="pending"):
        orders = [world.create_order(carl, (cup, 1)) for _ in range(count)]
        for to in Order.Status.path_to(status):
            for order in orders:
                move_order(order_id=order.pk, to=to, actor=ada, by_staff=True)
        OutboxMessage.objects.all().delete()
        return orders[::-1]

    return create


def copy_text(page, text):
    """Copy a text as from a spreadsheet."""
    page.evaluate("text => navigator.clipboard.writeText(text)", text)


def open_shipping(page, orders):
    run_list_action(page, ORDERS, "Ship selected orders", *orders)
    return page.locator("[data-ship=carrier]"), page.locator("[data-ship=tracking]")


def values_of(fields):
    return [field.input_value() for field in fields.all()]


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def device(request, window, ada):
    page = window(ada, request.param)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return page


@pytest.mark.parametrize("are_mailed", [True, False], ids=["mailed", "not mailed"])
def test_fourteen_orders_are_confirmed_and_shipped(device, place, are_mailed):
    orders = place(14)
    effort = count_effort(device)
    device.goto(f"{ORDERS}?status__exact=pending")
    run_on_all(device, effort, "Confirm selected orders")
    press(device, "Confirm 14 orders")
    expect(device.get_by_text("14 orders were confirmed.")).to_be_visible()
    device.get_by_role("link", name=re.compile("^Confirmed")).click()
    run_on_all(device, effort, "Ship selected orders")
    copy_text(device, "\n".join(NUMBERS))

    device.get_by_label("Carrier for all").click()
    device.keyboard.type("dhl")
    device.keyboard.press("Enter")
    device.keyboard.press("Control+v")
    if not are_mailed:
        device.get_by_label("Send 14 emails to the customers").click()
    has_scroll = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert device.evaluate(has_scroll) is False
    press(device, "Ship 14 orders")
    expect(device.get_by_text("14 orders were shipped.")).to_be_visible()

    assert effort.clicks <= MAX_CLICKS, effort.clicks
    assert effort.loads <= MAX_LOADS, effort.loads
    shipped = Order.objects.filter(pk__in=[order.pk for order in orders])
    parcels = shipped.values_list("status", "carrier", "tracking_number", "tracking_url")
    assert list(parcels) == [
        ("shipped", "DHL", number, LINK + number.replace(" ", "%20")) for number in NUMBERS
    ]
    messages = OutboxMessage.objects.filter(kind="order_shipped")
    assert messages.count() == (14 if are_mailed else 0)


def test_enter_goes_on_and_submits_nothing(page, place):
    orders = place(3, "confirmed")
    _, numbers = open_shipping(page, orders)
    numbers.first.click()
    for number in ("A1", "B2", "C3"):
        page.keyboard.type(number)
        page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Ship 3 orders")
    expect(button).to_be_focused()
    assert values_of(numbers) == ["A1", "B2", "C3"]
    assert set(Order.objects.values_list("status", flat=True)) == {"confirmed"}
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 orders were shipped.")).to_be_visible()
    assert list(Order.objects.values_list("tracking_number", flat=True)) == ["A1", "B2", "C3"]


@pytest.mark.parametrize(
    ("table", "carriers", "numbers"),
    [
        ("A1\r\nB2\r\n", ["", "", ""], ["A1", "B2", ""]),
        ("DHL\tA1\nUPS\tB2", ["DHL", "UPS", ""], ["A1", "B2", ""]),
        ("A1\n\nC3\nD4", ["", "", ""], ["A1", "", "C3"]),
        ("{2}\tA1\n#{0}\tUPS\tB2", ["UPS", "", ""], ["B2", "", "A1"]),
    ],
    ids=["numbers", "carriers and numbers", "a gap and too many", "order numbers"],
)
def test_columns_of_a_spreadsheet_are_pasted(page, place, table, carriers, numbers):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    orders = place(3, "confirmed")
    carrier_fields, number_fields = open_shipping(page, orders)
    copy_text(page, table.format(*orders))
    number_fields.first.click()
    page.keyboard.press("Control+v")
    assert (values_of(carrier_fields), values_of(number_fields)) == (carriers, numbers)
    expect(page.locator("[data-ship-status]")).to_be_visible()


@pytest.mark.parametrize(
    ("table", "numbers", "left_out"),
    [
        ("Order\tNumber\n{1}\tB2\nXXXX-9999\tX9", ["", "B2", ""], "2 (Order, XXXX-9999)"),
        ("XXXX-9999\tX9\nYYYY-9999\tY9", ["", "", ""], "2 (XXXX-9999, YYYY-9999)"),
        ("Tracking number\nA1\nB2", ["A1", "B2", ""], "1 (Tracking number)"),
        ("Carrier\tTracking\nDHL\tA1", ["A1", "", ""], "1 (Carrier)"),
        ("A1\nB2\nC3\nD4", ["A1", "B2", "C3"], "1 (D4)"),
    ],
    ids=["titles and a foreign order", "foreign orders", "a title", "titles", "too many"],
)
def test_pasted_rows_of_no_order_are_left_out_and_named(page, place, table, numbers, left_out):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    orders = place(3, "confirmed")
    _, number_fields = open_shipping(page, orders)
    copy_text(page, table.format(*orders))
    number_fields.first.click()
    page.keyboard.press("Control+v")
    assert values_of(number_fields) == numbers
    expect(page.locator("[data-ship-status]")).to_contain_text(left_out)


def test_the_carrier_for_all_fills_rows_without_their_own(page, place):
    carriers, _ = open_shipping(page, place(3, "confirmed"))
    carriers.nth(1).fill("UPS")
    for name in ("DPD", "DHL"):
        page.get_by_label("Carrier for all").fill(name)
    assert values_of(carriers) == ["DHL", "UPS", "DHL"]


def test_shipping_works_without_its_script(page, place):
    page.route("**/shop/bulk*.js", lambda route: route.fulfill(body=""))
    _, numbers = open_shipping(page, place(2, "confirmed"))
    page.get_by_label("Carrier for all").fill("DHL")
    page.keyboard.press("Enter")  # submits nothing, as from a scanner
    numbers.nth(1).fill("B2")
    page.get_by_role("button", name="Ship 2 orders").click()
    expect(page.get_by_text("2 orders were shipped.")).to_be_visible()
    parcels = Order.objects.values_list("carrier", "tracking_number")
    assert list(parcels) == [("DHL", ""), ("DHL", "B2")]
