"""Transactions that wait for a locked product see the change that was committed meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal

import pytest
from django.db import connection, transaction
from support import factories
from support.concurrency import TIMEOUT_SECONDS, on_postgresql, wait_for_waiting

from shop.db.transactions import atomically
from shop.models import CartItem, IdempotencyKey, Order, OrderItem, Product
from shop.services.errors import ProductUnavailable
from shop.services.phone_orders import place_phone_order
from shop.services.products import remove_product, update_product
from shop.services.stock import (
    Kind,
    StockChange,
    adjust_stock,
    find_drift,
    lock_product,
    take_stock,
)

pytestmark = [pytest.mark.django_db(transaction=True), on_postgresql]


@contextmanager
def waiting_for(change, call):
    """Start the call in a thread while `change` is not committed; yield the call's future.

    The change is committed once the call waits for its lock.
    """

    def run():
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            change()
            future = pool.submit(run)
            wait_for_waiting(1)
        yield future


def test_a_checkout_reports_the_units_that_another_change_left(carl, ada, carls_app, lamp, mug):
    factories.add_to_cart(carl, (mug, 6), (lamp, 4))
    order = carls_app(
        "POST",
        "/orders/create/",
        {"shipping_address": "1 Elm Street"},
        **{"Idempotency-Key": "once"},
    )

    def sell():
        adjust_stock(product_id=lamp.pk, delta=-3, kind=Kind.DAMAGED, actor=ada)

    with waiting_for(sell, order) as call:
        answer = call.result(TIMEOUT_SECONDS)
    assert (answer.status_code, answer.json()["code"]) == (409, "insufficient-stock")
    assert answer.json()["items"] == [{"product_id": lamp.pk, "requested": 4, "available": 2}]
    kept = (CartItem.objects.count(), Order.objects.count(), OrderItem.objects.count())
    assert (*kept, IdempotencyKey.objects.count()) == (2, 0, 0, 0)
    assert list(find_drift()) == []


def test_units_received_meanwhile_can_be_sold(ada, mug):
    @atomically
    def sell():
        take_stock([StockChange(mug.pk, -12)], actor=ada)

    def receive():
        adjust_stock(product_id=mug.pk, delta=5, kind=Kind.RECEIVED, actor=ada)

    with waiting_for(receive, sell) as call:
        call.result(TIMEOUT_SECONDS)
    assert Product.objects.get().stock == 3
    assert list(find_drift()) == []


def test_a_checkout_charges_the_price_it_has_read(carl, ada, carls_app, lamp):
    factories.add_to_cart(carl, (lamp, 2))
    body = {"shipping_address": "1 Elm Street", "expected_total": str(2 * lamp.price)}

    def change():
        update_product(
            product_id=lamp.pk, actor=ada, changes={"price": Decimal("60.00"), "is_active": False}
        )

    with waiting_for(change, carls_app("POST", "/orders/create/", body)) as call:
        answer = call.result(TIMEOUT_SECONDS)
    assert (answer.status_code, answer.json()["total_amount"]) == (201, body["expected_total"])
    assert list(find_drift()) == []


def test_a_product_removed_meanwhile_is_unavailable(carl, ada, mug, lamp):
    def order():
        lines = {mug.pk: 10, lamp.pk: 1}
        place_phone_order(customer=carl, lines=lines, actor=ada, shipping_address="1 Elm Street")

    def erase():
        remove_product(product_id=lamp.pk, actor=ada)

    with waiting_for(erase, order) as call, pytest.raises(ProductUnavailable) as refused:
        call.result(TIMEOUT_SECONDS)
    assert refused.value.details == {"items": [{"product_id": lamp.pk}]}
    assert Order.objects.count() == 0
    assert list(find_drift()) == []


def test_products_are_locked_in_id_order(ada, mug, lamp):
    @atomically
    def sell():
        take_stock([StockChange(lamp.pk, -1), StockChange(mug.pk, -1)], actor=ada)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            lock_product(mug.pk)
            call = pool.submit(lambda: (sell(), connection.close()))
            wait_for_waiting(1)
            Product.objects.select_for_update(nowait=True).get(pk=lamp.pk)
        call.result(TIMEOUT_SECONDS)
    assert list(Product.objects.order_by("pk").values_list("stock", flat=True)) == [9, 4]
