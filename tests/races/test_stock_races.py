from threading import Barrier

import pytest
from django.db import connection, transaction
from support import factories
from support.concurrency import TIMEOUT_SECONDS, on_postgresql, run_concurrently, tally

from shop.db.transactions import atomically
from shop.models import Order, Product
from shop.services.stock import Kind, adjust_stock, find_drift, lock_product

pytestmark = pytest.mark.django_db(transaction=True)


def test_stock_is_adjusted_during_checkouts(buyers, adas_app):
    mat = factories.create_product("Mat", stock=50)
    customers = buyers(10)
    for user, _ in customers:
        factories.add_to_cart(user, (mat, 2))
    checkouts = [
        app("POST", "/orders/create/", {"shipping_address": "1 Elm Street"}) for _, app in customers
    ]
    changes = [{"delta": delta} for delta in (5, -3, 7, -1, 4)]
    adjusting = [adas_app("POST", f"/products/{mat.pk}/stock/", change) for change in changes]
    renaming = [adas_app("PATCH", f"/products/{mat.pk}/", {"name": f"Mat {n}"}) for n in range(3)]
    answers = run_concurrently(*checkouts, *adjusting, *renaming)
    assert tally(answers) == {201: 10, 200: 8}
    assert Order.objects.count() == 10
    assert Product.objects.get().stock == 50 - 20 + 12
    assert list(find_drift()) == []


def test_one_of_two_concurrent_counts_is_refused(adas_app, mug):
    counts = [{"counted": number, "expected": 10} for number in (7, 8)]
    answers = run_concurrently(
        *[adas_app("POST", f"/products/{mug.pk}/stock/", count) for count in counts]
    )
    assert tally(answers) == {200: 1, (409, "stock-changed"): 1}
    counted = next(answer.json()["stock"] for answer in answers if answer.is_success)
    assert Product.objects.get().stock == counted
    assert list(find_drift()) == []


def test_concurrent_creates_with_a_sku_create_one_product(adas_app):
    body = {"name": "Mat", "price": "9.00", "sku": "MAT-1", "stock": 3}
    answers = run_concurrently(*[adas_app("POST", "/products/", body)] * 8)
    assert tally(answers) == {201: 1, (422, "invalid"): 7}
    assert list(Product.objects.values_list("sku", "stock")) == [("MAT-1", 3)]
    assert list(find_drift()) == []


def sell_in_threads(read, mat):
    """Sell single units in eight threads; return the units that they believe to have sold."""

    def sell():
        try:
            for sold in range(1000):
                with transaction.atomic():
                    product = read(mat.pk)
                    if not product.stock:
                        return sold
                    Product.objects.filter(pk=mat.pk).update(stock=product.stock - 1)
        finally:
            connection.close()

    return sum(run_concurrently(*[sell] * 8))


@on_postgresql
def test_without_a_lock_units_are_sold_twice():
    mat = factories.create_product("Mat", stock=50)
    assert sell_in_threads(lambda pk: Product.objects.get(pk=pk), mat) > 50


def test_with_a_lock_each_unit_is_sold_once():
    mat = factories.create_product("Mat", stock=50)
    assert sell_in_threads(lock_product, mat) == 50
    assert Product.objects.get().stock == 0


@on_postgresql
def test_a_deadlock_between_two_adjustments_is_retried(ada, mug, lamp):
    """Two transactions lock two products in opposite order; PostgreSQL ends one of them."""
    both_have_one_lock = Barrier(2, timeout=TIMEOUT_SECONDS)
    attempts = []

    @atomically
    def adjust_both(first, second):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL deadlock_timeout = '10ms'")
        attempts.append(first)
        adjust_stock(product_id=first.pk, delta=1, kind=Kind.RECEIVED, actor=ada)
        if len(attempts) <= 2:
            both_have_one_lock.wait()
        adjust_stock(product_id=second.pk, delta=1, kind=Kind.RECEIVED, actor=ada)

    def call(*products):
        try:
            adjust_both(*products)
        finally:
            connection.close()

    run_concurrently(lambda: call(mug, lamp), lambda: call(lamp, mug))
    assert len(attempts) == 3
    assert list(Product.objects.order_by("pk").values_list("stock", flat=True)) == [12, 7]
    assert list(find_drift()) == []
