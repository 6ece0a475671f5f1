import pytest
from support import factories
from support.concurrency import run_concurrently, tally

from shop.models import CartItem, Order, Product
from shop.services.stock import find_drift

pytestmark = pytest.mark.django_db(transaction=True)

CHECKOUT = ("POST", "/orders/create/", {"shipping_address": "1 Elm Street"})


def stock_of(product):
    return Product.objects.get(pk=product.pk).stock


def test_five_units_are_sold_to_five_of_twenty_buyers(buyers, lamp):
    customers = buyers(20)
    for user, _ in customers:
        factories.add_to_cart(user, (lamp, 1))
    answers = run_concurrently(*[app(*CHECKOUT) for _, app in customers])
    assert tally(answers) == {201: 5, (409, "insufficient-stock"): 15}
    assert (Order.objects.count(), CartItem.objects.count(), stock_of(lamp)) == (5, 15, 0)
    assert list(find_drift()) == []


def test_carts_with_opposite_item_order_do_not_deadlock(buyers):
    mat = factories.create_product("Mat", stock=100)
    rug = factories.create_product("Rug", stock=100)
    customers = buyers(8)
    for _ in range(10):
        for number, (user, _) in enumerate(customers):
            items = [(mat, 1), (rug, 1)]
            factories.add_to_cart(user, *(reversed(items) if number % 2 else items))
        answers = run_concurrently(*[app(*CHECKOUT) for _, app in customers])
        assert tally(answers) == {201: 8}
    assert (stock_of(mat), stock_of(rug), Order.objects.count()) == (20, 20, 80)
    assert list(find_drift()) == []


def test_concurrent_checkouts_of_a_cart_create_one_order(carl, carls_app, mug):
    for orders in range(1, 9):
        factories.add_to_cart(carl, (mug, 1))
        answers = run_concurrently(*[carls_app(*CHECKOUT)] * 2)
        assert tally(answers) == {201: 1, (409, "cart-empty"): 1}
        assert (Order.objects.count(), stock_of(mug)) == (orders, 10 - orders)
    assert list(find_drift()) == []


def test_concurrent_checkouts_with_an_idempotency_key_create_one_order(carl, carls_app, mug):
    factories.add_to_cart(carl, (mug, 2))
    answers = run_concurrently(*[carls_app(*CHECKOUT, **{"Idempotency-Key": "once"})] * 8)
    assert tally(answers) == {201: 8}
    assert len({answer.content for answer in answers}) == 1
    assert (
        sorted(answer.headers.get("Idempotent-Replayed", "") for answer in answers)
        == [""] + ["true"] * 7
    )
    assert answers[0].json()["order_number"] == Order.objects.get().order_number
    assert (stock_of(mug), CartItem.objects.count()) == (8, 0)
    assert list(find_drift()) == []


def test_an_item_added_during_a_checkout_is_ordered_or_stays_in_the_cart(
    carl, carls_app, mug, lamp
):
    for _ in range(5):
        factories.add_to_cart(carl, (mug, 1))
        add = carls_app("POST", "/cart/", {"product_id": lamp.pk, "quantity": 1})
        ordered, added = run_concurrently(carls_app(*CHECKOUT), add)
        assert (ordered.status_code, added.status_code) == (201, 201)
        in_order = {item["sku"] for item in ordered.json()["items"]}
        in_cart = set(CartItem.objects.values_list("product__sku", flat=True))
        assert in_order | in_cart == {"MUG-1", "LAMP-1"}
        assert in_order.isdisjoint(in_cart)
        CartItem.objects.all().delete()
    assert list(find_drift()) == []


def test_concurrent_adds_of_a_product_are_one_cart_item(carl, carls_app, mug):
    add = carls_app("POST", "/cart/", {"product_id": mug.pk, "quantity": 1})
    assert tally(run_concurrently(*[add] * 10)) == {201: 1, 200: 9}
    assert list(CartItem.objects.values_list("user", "product", "quantity")) == [
        (carl.pk, mug.pk, 10)
    ]
