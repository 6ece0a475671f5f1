import re

import pytest
from django.db.models import F
from support import factories

from shop.models import Order
from shop.services.order_moves import move_order
from shop.services.order_payments import mark_paid
from shop.services.orders import place_order

LIST = "/admin/shop/order/"
CELL = re.compile(r'<t[dh] class="field-(\w+)[^>]*>(.*?)</t[dh]>', re.DOTALL)
TAGS = re.compile(r"<[^>]+>")


def place(buyer, *lines, address="1 Street\n10115 Berlin"):
    factories.add_to_cart(buyer, *lines)
    return place_order(user=buyer, shipping_address=address).order


def rows(browser, query=""):
    """Return the texts of each row's cells, by column."""
    cells = CELL.findall(browser.get(f"{LIST}?{query}").content.decode())
    names = [name for name, _ in cells]
    width = len(set(names))
    texts = [(name, TAGS.sub("", text).strip()) for name, text in cells]
    return [dict(texts[start : start + width]) for start in range(0, len(texts), width)]


def test_a_row_shows_items_town_and_total(adas_browser, carl, mug, lamp):
    place(carl, (mug, 2), (lamp, 1), address="1 Fern Lane\nLeeds\nLS1 4AP")
    place(carl, (lamp, 1))
    shown = [(row["items_column"], row["town"], row["total"]) for row in rows(adas_browser)]
    assert shown == [
        ("1 × Lamp", "Berlin", "49.90 EUR"),
        ("2 × Mug, +1", "Leeds", "74.90 EUR"),
    ]


def test_an_order_that_owes_nothing_has_no_payment_label(adas_browser, ada, carl, mug):
    for is_paid in (True, False):
        order = place(carl, (mug, 1))
        if is_paid:
            mark_paid(order_id=order.pk, actor=ada)
        move_order(order_id=order.pk, to="cancelled", actor=ada, by_staff=True)
    place(carl, (mug, 1))
    assert [row["payment_column"] for row in rows(adas_browser)] == [
        "Not yet paid",
        "-",
        "Refund due",
    ]


@pytest.mark.parametrize("orders", [1, 3])
def test_the_list_runs_six_queries(adas_browser, carl, mug, lamp, statements, orders):
    for _ in range(orders):
        place(carl, (mug, 1), (lamp, 1))
    with statements(6):
        adas_browser.get(LIST)


@pytest.mark.parametrize(
    ("query", "keys"),
    [("o=3", [1, 2]), ("o=-3", [2, 1]), ("o=7", [2, 1]), ("o=-7", [1, 2])],
)
def test_orders_are_sorted_by_units_and_by_total(adas_browser, carl, mug, lamp, query, keys):
    orders = [place(carl, (lamp, 1)), place(carl, (mug, 2))]
    listed = adas_browser.get(f"{LIST}?{query}").context["cl"].result_list
    assert [order.pk for order in listed] == [orders[key - 1].pk for key in keys]


@pytest.mark.parametrize(
    ("path", "column"),
    [
        ("order", "total"),
        ("orderitem", "price"),
        ("orderitem", "quantity"),
        ("cartitem", "quantity"),
        ("product", "money"),
        ("product", "level"),
        ("stockmovement", "balance_after"),
        ("user", "order_count"),
        ("user", "total_spent"),
    ],
)
def test_numbers_are_aligned_right(adas_browser, carl, mug, lamp, path, column):
    place(carl, (mug, 2))
    factories.add_to_cart(carl, (lamp, 1))
    text = adas_browser.get(f"/admin/shop/{path}/").content.decode()
    cell = re.search(rf'<td class="(field-{column} [^"]*)"', text)
    assert "!text-end" in cell[1]
    header = re.search(rf'<th[^>]*column-{column}\b[^>]*>\s*<div class="([^"]*)"', text)
    assert "justify-end" in header[1]


def test_a_column_of_numbers_is_sortable(adas_browser, carl, mug):
    place(carl, (mug, 2))
    text = adas_browser.get("/admin/shop/orderitem/").content.decode()
    assert re.search(r"<th[^>]*sortable column-quantity\b", text)


def empty_tab(browser, query):
    return getattr(browser.get(f"{LIST}?{query}").context["cl"], "empty_tab", None)


def test_an_empty_tab_leads_to_the_orders_that_wait_next(adas_browser, ada, carl, mug):
    orders = [place(carl, (mug, 1)) for _ in range(3)]
    for order in orders:
        move_order(order_id=order.pk, to="confirmed", actor=ada, by_staff=True)
    waiting = {"label": "3 orders wait to be shipped", "query": "status__exact=confirmed"}
    assert empty_tab(adas_browser, "status__exact=pending") == {"title": "All confirmed", **waiting}
    for status in ("shipped", "delivered", "cancelled"):
        tab = empty_tab(adas_browser, f"status__exact={status}")
        assert (tab["label"], tab["query"]) == tuple(waiting.values())
    text = adas_browser.get(f"{LIST}?status__exact=pending").content.decode()
    assert f'href="?{waiting["query"]}"' in text
    Order.objects.filter(pk=orders[0].pk).update(status="pending")
    Order.objects.exclude(pk=orders[0].pk).update(status="delivered")
    tab = empty_tab(adas_browser, "status__exact=confirmed")
    following = str(Order.Status("confirmed").facts.next[0])
    assert (tab["title"], tab["query"]) == (f"All {following}", "status__exact=pending")


@pytest.mark.parametrize(
    "query", ["status__exact=pending&q=x", "status__exact=nowhere", "payment_status__exact=paid"]
)
def test_a_search_without_matches_says_so(adas_browser, carl, mug, query):
    place(carl, (mug, 1))
    Order.objects.update(status="delivered", paid_amount=F("total_amount"))
    response = adas_browser.get(f"{LIST}?{query}")
    assert not hasattr(response.context["cl"], "empty_tab")
    assert 'href="?"' in response.content.decode()


def test_an_empty_tab_of_another_list_leads_to_all_of_its_rows(adas_browser, carl, mug):
    place(carl, (mug, 1))
    response = adas_browser.get("/admin/shop/outboxmessage/?status__exact=failed")
    assert response.context["cl"].empty_tab["query"] == ""
