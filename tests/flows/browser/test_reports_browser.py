"""The end of the month: sales by day, by product and tax by rate, each as a file."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import expect
from support import world
from support.browser import DESKTOP, PHONE
from support.effort import count_effort


def download(page):
    """Download the report as CSV, and return its rows."""
    with page.expect_download() as started:
        page.get_by_role("link", name="Download CSV").click()
    with Path(started.value.path()).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_end_of_the_month(window, ada, carl, dora, device):
    world.create_world(ada, carl, dora)
    page = window(ada, device)
    effort = count_effort(page)
    page.goto("/admin/")
    if device is PHONE:
        page.goto("/admin/reports/")
    else:
        page.get_by_role("link", name="Reports").first.click()
    page.get_by_role("link", name="Last 30 days").click()
    card = page.locator(".shop-cards > div", has_text="Sales").first
    shown = card.locator(".shop-figure").inner_text()
    sums = []
    for tab in ("Sales by day", "Sales by product", "Tax by rate"):
        if tab != "Sales by day":
            page.get_by_role("link", name=tab).click()
        expect(page.get_by_role("heading", name=tab)).to_be_visible()
        rows = download(page)
        sums.append(sum(round(float(row["Sales"]) * 100) for row in rows))
    assert len(set(sums)) == 1
    assert shown == f"{sums[0] / 100:,.2f} EUR"
    assert (effort.clicks, effort.loads) == ((6, 5) if device is PHONE else (7, 5))


def test_a_figure_leads_to_its_orders(page, ada, carl, dora):
    world.create_world(ada, carl, dora)
    page.goto("/admin/reports/product/?period=last_30_days")
    row = page.locator("tbody tr", has_text="Lamp")
    number = row.locator("td").nth(1).inner_text()
    row.get_by_role("link", name=number, exact=True).first.click()
    expect(page.locator("#result_list .field-order_number")).to_have_count(int(number))


def test_a_bad_date_shows_its_error_and_nothing_else(page, ada, carl, dora):
    world.create_world(ada, carl, dora)
    page.goto("/admin/reports/")
    page.get_by_label("From").fill("2026-03-02")
    page.get_by_label("To").fill("2026-03-01")
    page.get_by_role("button", name="Show period").click()
    expect(page.locator(".shop-report .shop-error")).to_have_count(1)
    expect(page.locator(".shop-report table")).to_have_count(0)
