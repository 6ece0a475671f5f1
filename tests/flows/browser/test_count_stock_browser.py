"""Shelves counted in the browser, with clicks and page loads counted."""

import pytest
from playwright.sync_api import expect
from support import factories
from support.effort import count_effort
from support.stock_actions import (
    COUNT,
    count_by_search,
    has_sideways_scroll,
    press,
    scan_and_wait,
    stocks,
    units_of,
)

from shop.models import ChangeSet
from shop.services.orders import place_order
from shop.services.stock import find_drift


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
