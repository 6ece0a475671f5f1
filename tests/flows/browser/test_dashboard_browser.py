"""The dashboard's figures in the browser equal those computed here in plain Python."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from support import world

from shop.models import Order, Product


@pytest.mark.parametrize(("link", "days"), [("Today", 1), ("7 days", 7), ("30 days", 30)])
def test_figures_equal_the_data(page, ada, carl, dora, link, days):
    world.create_world(ada, carl, dora)
    page.goto("/admin/")
    with page.expect_navigation():
        page.get_by_role("navigation", name="Period").get_by_role(
            "link", name=link, exact=True
        ).click()
    first = datetime.now(UTC).date() - timedelta(days=days - 1)
    placed = list(Order.objects.prefetch_related("items"))
    sold = [
        order
        for order in placed
        if order.created_at.date() >= first and order.status != "cancelled"
    ]
    revenue = sum(order.total_amount for order in sold)
    assert figures(page) == {
        "Revenue": f"{revenue:,} EUR",
        "Orders": str(len(sold)),
        "Average order": f"{revenue / len(sold):,.2f} EUR",
        "Units sold": str(sum(item.quantity for order in sold for item in order.items.all())),
    }


def figures(page):
    cards = page.locator(".shop-cards > div")
    return dict(
        zip(
            cards.locator("dt").all_inner_texts(),
            cards.locator(".shop-figure").all_inner_texts(),
            strict=True,
        )
    )


def test_open_orders_and_low_stock(page, ada, carl, dora):
    world.create_world(ada, carl, dora)
    page.goto("/admin/")
    waiting = page.get_by_role("list", name="Open orders").get_by_role("link")
    for number, status in enumerate(s for s in Order.Status if s.facts.next):
        count = sum(order.status == status for order in Order.objects.all())
        assert waiting.nth(number).locator("strong").inner_text() == str(count)
    low = [
        item.name
        for item in Product.objects.all()
        if item.is_active and item.stock <= item.low_stock_threshold
    ]
    box = page.locator("section", has=page.get_by_role("heading", name="Running low"))
    assert box.locator("tbody a").all_inner_texts() == low
    waiting.first.click()
    expect(page.locator("#result_list .field-order_number")).to_have_count(2)
