"""Changes of many products beside customers who buy them, and two people who press together."""

from decimal import Decimal

import pytest
from support import factories
from support.concurrency import closing_connection, run_concurrently, tally

from shop.models import ChangeSet, Order, Product, StockMovement
from shop.services import bulk_pricing, goods
from shop.services.change_sets.undo import undo_change_set
from shop.services.errors import ImportNotReady, ProductsChanged
from shop.services.stock import find_drift

CHECKOUT = ("POST", "/orders/create/", {"shipping_address": "1 Elm Street"})
pytestmark = pytest.mark.django_db(transaction=True)


def test_customers_buy_while_goods_are_received_and_taken_back(buyers, ada):
    mats = [factories.create_product(f"Mat {n}", sku=f"M-{n}", stock=12) for n in range(6)]
    everyone = buyers(10)
    for number, (user, _app) in enumerate(everyone):
        factories.add_to_cart(user, *[(mat, 1) for mat in (mats if number % 2 else mats[::-1])])
    halves = [app(*CHECKOUT) for _user, app in everyone]
    units = {mat.pk: 5 for mat in mats}
    receive = closing_connection(lambda: goods.receive_goods(units=units, actor=ada))
    answers = run_concurrently(receive, *halves[:5])
    undo = closing_connection(lambda: undo_change_set(answers[0].pk, actor=ada))
    again = run_concurrently(undo, *halves[5:])
    assert tally(answers[1:] + again[1:]) == {201: 10}
    assert Order.objects.count() == 10
    assert {mat.stock for mat in Product.objects.all()} == {12 - 10}
    assert list(find_drift()) == []


def test_a_count_keeps_what_is_sold_meanwhile(buyers, ada):
    mat = factories.create_product("Mat", sku="M-1", stock=12)
    everyone = buyers(5)
    for user, _app in everyone:
        factories.add_to_cart(user, (mat, 1))
    counts = {mat.pk: goods.Count(counted=10, expected=12)}
    count = closing_connection(lambda: goods.book_count(counts=counts, actor=ada))
    answers = run_concurrently(count, *[app(*CHECKOUT) for _user, app in everyone])
    assert tally(answers[1:]) == {201: 5}
    assert Product.objects.get().stock == 10 - 5
    assert list(find_drift()) == []


def test_two_undos_take_back_once(ada):
    mat = factories.create_product("Mat", sku="M-1", stock=3)
    for _turn in range(6):
        change_set = goods.receive_goods(units={mat.pk: 4}, actor=ada)

        def press(change_set=change_set):
            try:
                return undo_change_set(change_set.pk, actor=ada)["restored"]
            except ImportNotReady:
                return "refused"

        pressed = run_concurrently(closing_connection(press), closing_connection(press))
        assert sorted(map(str, pressed)) == ["1", "refused"]
        assert Product.objects.get().stock == 3
    assert StockMovement.objects.filter(kind="undone").count() == 6
    assert list(find_drift()) == []


def test_two_price_changes_of_one_preview_change_prices_once(ada):
    pks = [factories.create_product(f"Mat {n}", price="10.00").pk for n in range(4)]
    values = {"product_ids": pks, "change": bulk_pricing.PriceChange(percent=Decimal(10))}
    fingerprint = bulk_pricing.preview_prices(**values).fingerprint

    def press():
        try:
            return bulk_pricing.change_prices(**values, fingerprint=fingerprint, actor=ada).kind
        except ProductsChanged:
            return "refused"

    pressed = run_concurrently(*[closing_connection(press) for _ in range(3)])
    assert sorted(pressed) == ["prices", "refused", "refused"]
    assert {str(product.price) for product in Product.objects.all()} == {"11.00"}
    assert ChangeSet.objects.count() == 1
