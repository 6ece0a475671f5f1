"""A product whose stock is at its limit: nothing that adds units to it is half done."""

import pytest
from support import factories, world

from shop.models import Order, Product, StockMovement
from shop.models.products import MAX_STOCK
from shop.services.errors import StockLimitReached
from shop.services.order_moves import move_order, move_orders
from shop.services.stock import Kind, adjust_stock, find_drift


@pytest.fixture
def orders(ada, carl, mug, lamp):
    """Three orders: of mugs, of lamps and mugs, of lamps. The mugs' stock has room for one."""
    placed = [
        world.create_order(carl, (mug, 1)),
        world.create_order(carl, (lamp, 1), (mug, 1)),
        world.create_order(carl, (lamp, 1)),
    ]
    mug.refresh_from_db()
    room = MAX_STOCK - mug.stock - 1
    adjust_stock(product_id=mug.pk, delta=room, kind=Kind.RECEIVED, actor=ada)
    return placed


def statuses():
    return list(Order.objects.order_by("pk").values_list("status", flat=True))


def test_a_bulk_cancellation_refuses_only_what_does_not_fit(ada, mug, orders):
    result = move_orders(order_ids=[o.pk for o in orders], to="cancelled", actor=ada)
    assert [order.pk for order in result.moved] == [orders[0].pk, orders[2].pk]
    [(refused, error)] = result.refused
    assert (refused, type(error)) == (orders[1], StockLimitReached)
    assert statuses() == ["cancelled", "pending", "cancelled"]
    assert Product.objects.get(pk=mug.pk).stock == MAX_STOCK
    assert list(find_drift()) == []


@pytest.fixture
def full(ada, mug, orders):
    adjust_stock(product_id=mug.pk, delta=1, kind=Kind.RECEIVED, actor=ada)
    return orders[0]


@pytest.mark.parametrize("to", ["shipped", "pending"])
def test_one_cancellation_is_refused(ada, full, to):
    Order.objects.filter(pk=full.pk).update(status=to)
    before = factories.all_rows()
    with pytest.raises(StockLimitReached):
        move_order(order_id=full.pk, to="cancelled", actor=ada, by_staff=True)
    assert factories.all_rows() == before


def test_the_api_refuses_a_cancellation_with_409(adas_app, carls_app, full):
    before = factories.all_rows()
    answers = [
        carls_app.post(f"/orders/{full.pk}/cancel/"),
        adas_app.post(f"/orders/{full.pk}/cancel/"),
        adas_app.post(f"/orders/{full.pk}/status/", {"status": "cancelled"}),
    ]
    assert [factories.problem_code(answer) for answer in answers] == [(409, "stock-limit")] * 3
    after = factories.all_rows()
    assert {name: rows for name, rows in after.items() if name != "Session"} == {
        name: rows for name, rows in before.items() if name != "Session"
    }


def test_the_admin_shows_why_a_cancellation_is_refused(ada, full):
    browser, before = factories.staff_client(ada), StockMovement.objects.count()
    page = browser.post(f"/admin/shop/order/{full.pk}/move/cancelled/", {"note": "", "once": "k"})
    assert page.context["form"].non_field_errors() == [str(StockLimitReached.message)]
    assert (statuses()[0], StockMovement.objects.count()) == ("pending", before)


def test_the_list_names_the_orders_that_do_not_fit(ada, orders):
    browser = factories.staff_client(ada)
    values = {"action": "move_to_cancelled", "_selected_action": [o.pk for o in orders]}
    answer = browser.post("/admin/shop/order/", {**values, "once": "k"}, follow=True)
    [message] = factories.page_messages(answer)
    assert f"{orders[1]}</a> (stock limit)" in message
    assert statuses() == ["cancelled", "pending", "cancelled"]


def test_a_race_for_the_last_room_is_a_message(ada, full, monkeypatch):
    monkeypatch.setattr(
        "shop.services.order_moves.split_by_stock_limit", lambda orders: (list(orders), [])
    )
    browser, before = factories.staff_client(ada), factories.all_rows()
    values = {"action": "move_to_cancelled", "_selected_action": [full.pk], "once": "k"}
    page = browser.post("/admin/shop/order/", values)
    assert page.context["form"].non_field_errors() == [str(StockLimitReached.message)]
    assert factories.all_rows() == before
