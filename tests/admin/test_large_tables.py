"""Lists of more rows than are counted, with limits as small as the tests' shop."""

import pytest
from support import factories, world

from shop.admin import changelists, dashboard, search
from shop.models import Order
from shop.services.sidebar_badges import get_badge_counts

LIST = "/admin/shop/order/"


@pytest.fixture
def orders(carl, dora, mug):
    made = [world.create_order(who, (mug, 1)) for who in (carl, carl, dora)]
    Order.objects.filter(pk=made[0].pk).update(status="delivered")
    return made


@pytest.fixture
def few(monkeypatch):
    """Two rows are as many as may be."""
    monkeypatch.setattr(changelists, "MAX_LISTED", 2)
    monkeypatch.setattr(search, "MAX_COUNTED", 2)


def shown(answer):
    return [order.pk for order in answer.context["cl"].result_list]


@pytest.mark.parametrize(
    ("asked", "found", "cost"),
    [
        ({}, [2, 1, 0], 4),
        ({"status__exact": "pending"}, [2, 1], 4),
        ({"status__exact": "shipped"}, [], 5),
        ({"q": "carl@example.com", "status__exact": "pending"}, [1], 5),
        ({"q": "buyer", "status__exact": "pending", "days": "7"}, [1], 5),
        ({"q": "buyer", "status__exact": "shipped"}, [], 5),
        ({"q": "NUMBER", "status__exact": "delivered"}, [0], 5),
        ({"q": "NUMBER", "status__exact": "pending"}, [], 5),
        ({"q": "nobody", "status__exact": "pending"}, [], 5),
    ],
)
def test_a_search_with_a_filter_is_five_queries(
    adas_browser, orders, statements, asked, found, cost
):
    """Session, person, what was looked for, the page with all its numbers, the kept filters."""
    asked = {name: value.replace("NUMBER", orders[0].order_number) for name, value in asked.items()}
    get_badge_counts()  # the menu's, which one page in half a minute asks
    with statements(cost):
        answer = adas_browser.get(LIST, asked)
    assert shown(answer) == [orders[number].pk for number in found]
    assert [tab["count"] for tab in answer.context["tabs"]] == [3, 2, 0, 0, 1, 0]


def test_who_types_a_whole_email_wants_that_customers_orders(adas_browser, orders):
    other = orders[2]
    other.shipping_address = "Care of carl@example.com"
    other.save()
    assert shown(adas_browser.get(LIST, {"q": " Carl@example.com"})) == [orders[1].pk, orders[0].pk]
    assert shown(adas_browser.get(LIST, {"q": "carl@example"})) == [
        order.pk for order in reversed(orders)
    ]


def test_of_a_list_too_long_to_count_the_page_says_so(adas_browser, orders, few):
    answer = adas_browser.get(LIST)
    listed = answer.context["cl"]
    assert (listed.result_count, listed.paginator.has_more) == (2, True)
    assert [tab["count_label"] for tab in answer.context["tabs"]] == ["2+", "2", "0", "0", "1", "0"]
    assert "These are not all" in answer.content.decode()
    assert (
        "These are not all"
        not in adas_browser.get(LIST, {"status__exact": "pending"}).content.decode()
    )


def test_of_a_list_too_long_to_count_nothing_is_done_to_all(adas_browser, orders, few):
    chosen = {
        "action": "move_to_confirmed",
        "select_across": "1",
        "_selected_action": [orders[1].pk],
    }
    answer = adas_browser.post(LIST, chosen, follow=True)
    assert factories.page_messages(answer) == ["Nothing was done: choose at most 2 at a time."]
    assert Order.objects.filter(status="confirmed").count() == 0


@pytest.mark.parametrize(
    ("column", "is_known"), [("5", False), ("6", True), ("1", True), ("-2", False)]
)
def test_a_list_too_long_to_sort_is_sorted_by_what_an_index_knows(
    adas_browser, orders, monkeypatch, column, is_known
):
    for number, order in enumerate(orders):
        Order.objects.filter(pk=order.pk).update(
            order_number=f"{number:04}-0000", total_amount=number
        )
    monkeypatch.setattr(changelists, "MAX_LISTED", 2)
    answer = adas_browser.get(LIST, {"o": column})
    said = "More than 2 are not sorted by this: search or filter first."
    assert factories.page_messages(answer) == ([] if is_known else [said])
    assert (
        shown(answer)[:2] == [order.pk for order in (orders if is_known else reversed(orders))][:2]
    )
    assert (
        factories.page_messages(adas_browser.get(LIST, {"o": column, "status__exact": "pending"}))
        == []
    )


def test_a_page_that_is_not_there_leads_back_to_the_list(adas_browser, orders):
    for page in ("2", "99999999999", "-1", "0"):
        assert adas_browser.get(LIST, {"p": page}).status_code in {200, 302}
    assert shown(adas_browser.get(LIST, {"p": "7"}, follow=True)) == [
        order.pk for order in reversed(orders)
    ]


def test_a_period_of_very_many_orders_is_counted_once_a_minute(
    adas_browser, orders, carl, mug, monkeypatch
):
    def orders_counted():
        answer = adas_browser.get("/admin/")
        is_kept = "counted once a minute" in answer.content.decode()
        return answer.context["dashboard"]["cards"][1][1], is_kept

    assert orders_counted() == ("3", False)
    monkeypatch.setattr(dashboard, "MANY_ORDERS", 3)
    world.create_order(carl, (mug, 1))
    assert orders_counted() == ("4", False)
    world.create_order(carl, (mug, 1))
    assert orders_counted() == ("4", True)
