"""Finding an order, and the orders of a month as a file, with clicks and page loads counted."""

import io
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from openpyxl import load_workbook
from playwright.sync_api import expect
from support import factories
from support.browser import DESKTOP, PHONE
from support.effort import count_effort
from support.page_actions import ORDERS

from shop.models import Order
from shop.services.orders import place_order

#: A person clicks a menu and then its entry, which Playwright does without a click.
CLICKS_OF_MENU = 2


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def device(request, window, ada):
    return window(ada, request.param)


def place(user, address, *lines):
    factories.add_to_cart(user, *lines)
    return place_order(user=user, shipping_address=address).order


def test_the_lady_from_leeds_with_two_mugs(device, carl, dora, mug, lamp):
    wanted = place(dora, "3 Mill Lane\nLeeds\nLS1 4AB", (mug, 2))
    place(dora, "3 Mill Lane\nLeeds\nLS1 4AB", (lamp, 1))
    place(carl, "1 Elm Street\nYork", (mug, 2))
    effort = count_effort(device)
    device.goto(ORDERS)
    device.keyboard.press("/")
    device.keyboard.type("leeds mug")
    device.keyboard.press("Enter")
    expect(device.locator("#result_list").get_by_text("2 × Mug")).to_be_visible()
    links = device.locator("#result_list").get_by_role("link", name=wanted.order_number)
    expect(links).to_have_count(1)
    expect(device.locator("#result_list").get_by_text("Leeds")).to_have_count(1)
    links.click()
    expect(device.locator("#content h1")).to_have_text(wanted.order_number)
    assert (effort.clicks, effort.loads) == (1, 3)


def test_enter_opens_the_first_or_the_chosen_result_of_the_command_search(page, carl, mug):
    first, second = place(carl, "1 Elm Street", (mug, 1)), place(carl, "1 Elm Street", (mug, 2))
    box = page.get_by_placeholder("Type to search")
    results = page.locator("#command-results-list")

    def open_search(term):
        page.goto(ORDERS)
        page.keyboard.press("Control+k")
        expect(box).to_be_focused()
        page.keyboard.type(term)

    open_search(first.order_number)
    page.keyboard.press("Enter")  # before the results are there
    expect(page).to_have_url(re.compile(f"/order/{first.pk}/change/"))

    open_search("carl")
    expect(results.locator("li.active")).to_contain_text(second.order_number)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/order/{first.pk}/change/"))

    open_search("nothing")
    expect(results).to_contain_text("Nothing matched")
    page.keyboard.press("Enter")
    expect(box).to_be_visible()


def test_the_orders_of_last_month_as_a_sheet(page, carl, dora, mug, lamp):
    last_month = timezone.localtime().replace(day=1, hour=12) - timedelta(days=2)
    orders = [
        place(carl, "1 Elm Street\nYork", (mug, 2), (lamp, 1)),
        place(dora, "3 Mill Lane\nLeeds", (mug, 1)),
    ]
    Order.objects.update(created_at=last_month)
    place(carl, "1 Elm Street\nYork", (lamp, 1))
    effort = count_effort(page)
    page.goto(ORDERS)
    page.get_by_role("button", name="Filters").click()
    page.get_by_text("Last month", exact=True).click()
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("link", name="Export").click()
    page.get_by_label("File format").select_option("xlsx")
    effort.clicks += CLICKS_OF_MENU
    with page.expect_download() as download:
        page.get_by_role("button", name="Export 2 orders").click()
    assert effort.clicks <= 7, effort.clicks
    assert effort.loads <= 3, effort.loads

    content = io.BytesIO(download.value.path().read_bytes())
    header, *rows = load_workbook(content).active.iter_rows(values_only=True)
    table = [dict(zip(header, row, strict=True)) for row in rows]
    assert {row["order number"] for row in table} == {order.order_number for order in orders}
    assert {row["placed"].date() for row in table} == {last_month.date()}
    gross = sum(Decimal(str(row["gross"])) for row in table)
    assert gross == sum(order.total_amount for order in orders)
