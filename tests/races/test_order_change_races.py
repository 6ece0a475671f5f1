"""Two clerks and a customer change the same order, or the same products, at the same time."""

from decimal import Decimal

import pytest
from support import factories
from support.concurrency import run_concurrently, tally
from support.invariants import assert_invariants

from shop.models import Order, Payment
from shop.services.order_moves import move_order
from shop.services.order_payments import mark_paid
from shop.services.orders import place_order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ordered(carl, ada):
    """`ordered("delivered", (mug, 2))`: an order of Carl in this status."""

    def create(status, *lines):
        factories.add_to_cart(carl, *lines)
        order = place_order(user=carl, shipping_address="1 Elm Street").order
        for to in Order.Status.path_to(status):
            move_order(order_id=order.pk, to=to, actor=ada, by_staff=True)
        return order

    return create


def test_of_two_edits_of_the_same_version_one_succeeds(adas_app, ordered, mug):
    order = ordered("pending", (mug, 2))
    path = f"/orders/{order.pk}/"
    etag = {"If-Match": adas_app("GET", path)().headers["ETag"]}
    edits = [
        adas_app("PATCH", path, {"items": [{"product_id": mug.pk, "quantity": n}]}, **etag)
        for n in (3, 4, 5, 6)
    ]
    answers = run_concurrently(*edits)
    assert tally(answers) == {200: 1, (412, "precondition-failed"): 3}
    winner = next(n for n, answer in zip((3, 4, 5, 6), answers, strict=True) if answer.is_success)
    assert Order.objects.get().items.get().quantity == winner
    assert_invariants()


def test_a_refund_is_paid_once(adas_app, ordered, ada, mug):
    order = ordered("pending", (mug, 2))
    mark_paid(order_id=order.pk, actor=ada)
    move_order(order_id=order.pk, to="cancelled", actor=ada, by_staff=True)
    answers = run_concurrently(*[adas_app("POST", f"/orders/{order.pk}/refunds/", {})] * 6)
    assert tally(answers) == {200: 1, (409, "nothing-to-refund"): 5}
    refund = Payment.objects.get(kind="refund")
    assert refund.amount == Order.objects.get().refunded_amount == Decimal("25.00")
    assert_invariants()


def test_units_come_back_once(adas_app, ordered, mug):
    order = ordered("delivered", (mug, 2))
    body = {"items": [{"product_id": mug.pk, "put_back": 1, "write_off": 1}]}
    answers = run_concurrently(*[adas_app("POST", f"/orders/{order.pk}/returns/", body)] * 4)
    assert tally(answers) == {200: 1, (422, "invalid"): 3}
    mug.refresh_from_db()
    assert mug.stock == 9
    assert_invariants()


def test_an_order_is_edited_before_it_is_shipped_or_not_at_all(adas_app, ordered, mug):
    for _ in range(8):
        order = ordered("confirmed", (mug, 1))
        path = f"/orders/{order.pk}/"
        body = {"items": [{"product_id": mug.pk, "quantity": 2}]}
        edit, ship = run_concurrently(
            adas_app("PATCH", path, body),
            adas_app("POST", f"{path}status/", {"status": "shipped"}),
        )
        assert ship.status_code == 200
        assert edit.status_code in {200, 409}
        assert Order.objects.get(pk=order.pk).items.get().quantity == 1 + edit.is_success
        adas_app("POST", f"{path}status/", {"status": "cancelled"})()
        assert_invariants()


def test_an_order_is_edited_or_cancelled_by_its_customer(adas_app, carls_app, ordered, mug):
    for _ in range(8):
        path = f"/orders/{ordered('pending', (mug, 1)).pk}/"
        body = {"items": [{"product_id": mug.pk, "quantity": 3}]}
        edit, cancel = run_concurrently(
            adas_app("PATCH", path, body), carls_app("POST", f"{path}cancel/", {})
        )
        assert (edit.status_code in {200, 409}, cancel.status_code) == (True, 200)
    assert_invariants()
    mug.refresh_from_db()
    assert mug.stock == 10


def test_edits_that_swap_the_same_products_do_not_block_each_other(adas_app, ordered, mug, lamp):
    first, second = ordered("pending", (mug, 2)), ordered("pending", (lamp, 2))
    for _ in range(6):
        answers = run_concurrently(
            *(
                adas_app(
                    "PATCH",
                    f"/orders/{order.pk}/",
                    {"items": [{"product_id": product.pk, "quantity": 2}]},
                )
                for order, product in ((first, lamp), (second, mug))
            )
        )
        assert tally(answers) == {200: 2}
        mug, lamp = lamp, mug
    assert_invariants()
