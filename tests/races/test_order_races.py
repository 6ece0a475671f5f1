import pytest
from support import factories
from support.concurrency import run_concurrently, tally

from shop.models import Order, Product, StockMovement
from shop.services.orders import move_order, place_order
from shop.services.stock import find_drift

pytestmark = pytest.mark.django_db(transaction=True)


def ordered(carl, ada, product, quantity=1):
    """A confirmed order."""
    factories.add_to_cart(carl, (product, quantity))
    order = place_order(user=carl, shipping_address="1 Elm Street").order
    return move_order(order_id=order.pk, to="confirmed", actor=ada, by_staff=True)


def test_either_the_customer_cancels_or_the_staff_ship(carl, ada, carls_app, adas_app):
    mat = factories.create_product("Mat", stock=20)
    cancelled = 0
    for _ in range(20):
        path = f"/orders/{ordered(carl, ada, mat).pk}"
        cancel = carls_app("POST", f"{path}/cancel/", {})
        ship = adas_app("POST", f"{path}/status/", {"status": "shipped"})
        answers = run_concurrently(cancel, ship)
        assert tally(answers) == {200: 1, (409, "invalid-transition"): 1}
        won = answers[0].is_success
        cancelled += won
        assert Order.objects.latest("pk").status == ("cancelled" if won else "shipped")
    assert Product.objects.get().stock == cancelled
    assert list(find_drift()) == []


def test_eight_cancels_give_the_stock_back_once(carl, ada, carls_app, mug):
    order = ordered(carl, ada, mug, quantity=3)
    answers = run_concurrently(*[carls_app("POST", f"/orders/{order.pk}/cancel/", {})] * 8)
    assert tally(answers) == {200: 1, (409, "invalid-transition"): 7}
    returned = StockMovement.objects.filter(kind="cancellation")
    assert [(movement.order_id, movement.delta) for movement in returned] == [(order.pk, 3)]
    assert Product.objects.get().stock == 10
    assert [event.status for event in order.events.all()] == ["pending", "confirmed", "cancelled"]
    assert list(find_drift()) == []
