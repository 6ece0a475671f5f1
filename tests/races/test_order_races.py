import pytest
from support import factories
from support.concurrency import run_concurrently, tally

from shop.models import Order, Product, StockMovement
from shop.services.order_moves import move_order
from shop.services.orders import place_order
from shop.services.stock import find_drift

pytestmark = pytest.mark.django_db(transaction=True)


def create_confirmed_order(carl, ada, product, quantity=1):
    factories.add_to_cart(carl, (product, quantity))
    order = place_order(user=carl, shipping_address="1 Elm Street").order
    return move_order(order_id=order.pk, to="confirmed", actor=ada, by_staff=True)


def test_an_order_is_cancelled_or_shipped(carl, ada, carls_app, adas_app):
    mat = factories.create_product("Mat", stock=20)
    cancelled = 0
    for _ in range(20):
        path = f"/orders/{create_confirmed_order(carl, ada, mat).pk}"
        cancel = carls_app("POST", f"{path}/cancel/", {})
        ship = adas_app("POST", f"{path}/status/", {"status": "shipped"})
        answers = run_concurrently(cancel, ship)
        assert tally(answers) == {200: 1, (409, "invalid-transition"): 1}
        is_cancelled = answers[0].is_success
        cancelled += is_cancelled
        assert Order.objects.latest("pk").status == ("cancelled" if is_cancelled else "shipped")
    assert Product.objects.get().stock == cancelled
    assert list(find_drift()) == []


def test_concurrent_cancellations_return_the_stock_once(carl, ada, carls_app, mug):
    order = create_confirmed_order(carl, ada, mug, quantity=3)
    answers = run_concurrently(*[carls_app("POST", f"/orders/{order.pk}/cancel/", {})] * 8)
    assert tally(answers) == {200: 1, (409, "invalid-transition"): 7}
    returned = StockMovement.objects.filter(kind="cancellation")
    assert [(movement.order_id, movement.delta) for movement in returned] == [(order.pk, 3)]
    assert Product.objects.get().stock == 10
    assert [event.status for event in order.events.all()] == ["pending", "confirmed", "cancelled"]
    assert list(find_drift()) == []
