import json
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from support import factories

from shop.admin.dashboard import format_comparison
from shop.models import Order, Product
from shop.services.order_moves import move_order
from shop.services.order_payments import mark_paid, refund_order
from shop.services.orders import place_order

MONEY = re.compile(r"\d EUR")


@pytest.fixture
def buy(carl):
    """`buy((mug, 2), days_ago=7)` places an order of Carl's."""

    def buy(*lines, days_ago=0):
        factories.add_to_cart(carl, *lines)
        order = place_order(user=carl, shipping_address="1 Street").order
        order.created_at -= timedelta(days=days_ago)
        order.save()
        return order

    return buy


def dashboard(browser, query=""):
    return browser.get(f"/admin/{query}").context["dashboard"]


def cards(context):
    """Return label -> figure and comparison."""
    return {label: (figure, comparison) for label, figure, comparison in context["cards"]}


def test_cards_equal_the_sums_of_the_orders(adas_browser, buy, mug, lamp):
    buy((mug, 2), (lamp, 1))
    buy((mug, 1))
    buy((mug, 1), days_ago=7)
    text = adas_browser.get("/admin/").content.decode()
    recent = Order.objects.filter(created_at__gt=timezone.now() - timedelta(days=6))
    revenue = sum(order.total_amount for order in recent)
    assert cards(dashboard(adas_browser)) == {
        "Revenue": (f"{revenue} EUR", "+599% vs. the previous 7 days"),
        "Orders": (str(len(recent)), "+100% vs. the previous 7 days"),
        "Average order": (f"{revenue / 2} EUR", "+250% vs. the previous 7 days"),
        "Units sold": ("4", "+300% vs. the previous 7 days"),
    }
    assert f'<dd class="shop-figure">{revenue} EUR</dd>' in text


def test_a_chart_and_its_table_have_the_same_numbers(adas_browser, buy, mug):
    buy((mug, 2))
    buy((mug, 1), days_ago=2)
    revenue, orders = dashboard(adas_browser)["charts"]
    assert json.loads(revenue["data"])["datasets"][0]["data"] == [0, 0, 0, 0, 12.5, 0, 25]
    assert [text for _, text in revenue["rows"]][:3] == ["25.00 EUR", "0.00 EUR", "12.50 EUR"]
    assert json.loads(orders["data"])["datasets"][0]["data"] == [0, 0, 0, 0, 1, 0, 1]
    assert [text for _, text in orders["rows"]] == ["1", "0", "1", "0", "0", "0", "0"]
    assert revenue["rows"][0][0] == timezone.now().date()


@pytest.mark.parametrize(
    ("query", "title", "revenue", "days"),
    [
        ("", "Last 7 days", "25.00 EUR", 7),
        ("?days=1", "Today", "12.50 EUR", 7),
        ("?days=7", "Last 7 days", "25.00 EUR", 7),
        ("?days=30", "Last 30 days", "37.50 EUR", 30),
        ("?days=365", "Last 7 days", "25.00 EUR", 7),
        ("?days=07", "Last 7 days", "25.00 EUR", 7),
        ("?days=x", "Last 7 days", "25.00 EUR", 7),
    ],
)
def test_the_period_is_chosen_by_the_url(adas_browser, buy, mug, query, title, revenue, days):
    for days_ago in (0, 6, 29, 30):
        buy((mug, 1), days_ago=days_ago)
    context = dashboard(adas_browser, query)
    assert (context["title"], cards(context)["Revenue"][0]) == (title, revenue)
    assert [len(chart["rows"]) for chart in context["charts"]] == [days, days]
    assert [url for _, url, is_current in context["periods"] if is_current] == [
        {"Today": "?days=1", "Last 30 days": "?days=30"}.get(title, "?days=7")
    ]


def test_each_open_status_has_a_tile_that_leads_to_its_orders(adas_browser, ada, buy, mug):
    buy((mug, 1))
    for status in ("confirmed", "cancelled"):
        order = buy((mug, 1))
        for to in Order.Status.path_to(status):
            move_order(order_id=order.pk, to=to, actor=ada, by_staff=True)
    tiles = dashboard(adas_browser)["waiting"]
    statuses = [status for status in Order.Status if status.facts.next]
    assert [tile.orders for tile in tiles] == [
        int(status in {"pending", "confirmed"}) for status in statuses
    ]
    for tile, status in zip(tiles, statuses, strict=True):
        listed = adas_browser.get(tile.url).context["cl"].result_list
        assert [order.status for order in listed] == [status] * tile.orders


def test_refunds_that_are_due_have_a_tile(adas_browser, ada, buy, mug):
    for units in (1, 2):
        order = buy((mug, units))
        mark_paid(order_id=order.pk, actor=ada)
        move_order(order_id=order.pk, to="cancelled", actor=ada, by_staff=True)
    tile = dashboard(adas_browser)["waiting"][-1]
    assert (tile.orders, tile.text) == (2, "37.50 EUR")
    listed = adas_browser.get(tile.url).context["cl"].result_list
    assert [order.refund_due for order in listed] == [Decimal("25.00"), Decimal("12.50")]
    for order in listed:
        refund_order(order_id=order.pk, actor=ada)
    assert all("refund" not in tile.url for tile in dashboard(adas_browser)["waiting"])


def test_without_permission_for_revenue_there_are_units_but_no_sums(
    adas_browser, staff_client_with, buy, mug
):
    buy((mug, 2))
    context = dashboard(staff_client_with("view_order"))
    assert cards(context).keys() == {"Orders", "Units sold"}
    assert [chart["label"] for chart in context["charts"]] == ["Orders"]
    assert [(row.units, revenue) for row, revenue in context["sellers"]] == [(2, "")]
    context = dashboard(adas_browser)
    assert cards(context).keys() > {"Revenue", "Average order"}
    assert [revenue for _, revenue in context["sellers"]] == ["25.00 EUR"]


def test_products_and_orders_link_to_their_pages(adas_browser, buy, lamp):
    order = buy((lamp, 2))
    text = adas_browser.get("/admin/").content.decode()
    for url in (
        f"/admin/shop/product/{lamp.pk}/change/",
        f"/admin/shop/order/{order.pk}/change/",
    ):
        assert f'<a href="{url}">' in text
        assert adas_browser.get(url).status_code == 200
    assert "3 left" in text
    assert "45 days" in text
    assert "2 sold in 30 days" in text


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        (112, 100, "+12% vs. last week"),
        (Decimal("94.50"), Decimal("100.00"), "-6% vs. last week"),
        (0, 3, "-100% vs. last week"),
        (3001, 3000, "About the same as last week"),
        (5, 5, "Same as last week"),
        (5, 0, "Nothing to compare with"),
        (0, 0, "Nothing to compare with"),
    ],
)
def test_format_comparison(now, before, text):
    assert format_comparison(now, before, "last week") == text


@pytest.mark.parametrize("orders", [1, 3])
def test_the_page_runs_fourteen_queries(adas_browser, buy, mug, lamp, statements, orders):
    for _ in range(orders):
        buy((mug, 1), (lamp, 1))
    with statements(14):
        adas_browser.get("/admin/")


def test_without_permission_for_orders_there_are_no_sales_and_no_queries_for_them(
    staff_client_with, buy, lamp
):
    buy((lamp, 1))
    browser = staff_client_with("view_product")
    with CaptureQueriesContext(connection) as captured:
        response = browser.get("/admin/", {"days": "30"})
    queries = [query["sql"] for query in captured if '"shop_order' in query["sql"]]
    assert queries == []
    text = response.content.decode()
    assert MONEY.search(text) is None
    assert "/admin/shop/order" not in text
    assert response.context["dashboard"].keys() == {
        "sees_orders",
        "sees_products",
        "low",
        "has_products",
    }
    assert "4 left" in text


def test_without_permission_for_products_there_is_no_stock(staff_client_with, buy, lamp):
    buy((lamp, 1))
    response = staff_client_with("view_order").get("/admin/")
    text = response.content.decode()
    assert "low" not in response.context["dashboard"]
    assert "/admin/shop/product" not in text
    assert "49.90 EUR" in text


def test_without_both_permissions_there_are_no_figures(staff_client_with, buy, lamp):
    buy((lamp, 1))
    response = staff_client_with("view_user").get("/admin/")
    assert MONEY.search(response.content.decode()) is None
    assert response.context["dashboard"] == {"sees_orders": False, "sees_products": False}


def test_an_empty_shop_links_to_its_first_product(adas_browser):
    text = adas_browser.get("/admin/").content.decode()
    assert '<a class="shop-button shop-button-primary" href="/admin/shop/product/add/">' in text
    assert MONEY.search(text) is None


def test_the_link_to_add_a_product_needs_its_permission(staff_client_with):
    text = staff_client_with("view_product").get("/admin/").content.decode()
    assert "No products yet" in text
    assert "/admin/shop/product/add/" not in text


def test_a_shop_without_recent_sales_and_low_stock(adas_browser, buy, mug):
    Product.objects.update(low_stock_threshold=0)
    buy((mug, 1), days_ago=60)
    context = dashboard(adas_browser)
    assert (context["low"], context["sellers"]) == ([], [])
    assert {figure for figure, _ in cards(context).values()} == {"0.00 EUR", "0"}
