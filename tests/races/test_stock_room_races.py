"""Two people receive the same delivery or count the same shelf, while customers buy."""

from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from support import factories
from support.concurrency import run_concurrently

from shop.models import ChangeSet, Product
from shop.services.errors import DeliveryReceived, InsufficientStock
from shop.services.goods import Count, book_count, receive_goods
from shop.services.orders import place_order
from shop.services.stock import find_drift
from shop.services.stock_since import products_with_movement

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


def stocks():
    return dict(Product.objects.values_list("sku", "stock"))


def attempt(call):
    """Return a function that makes the call in a thread; it returns whether nobody refused it."""

    def run():
        try:
            call()
        except (DeliveryReceived, ValidationError, InsufficientStock):
            return False
        else:
            return True
        finally:
            connection.close()

    return run


def counts_of(numbers):
    """Return the counts of products as they are now, by the numbers counted."""
    products = products_with_movement().filter(sku__in=numbers)
    return {
        product.pk: Count(numbers[product.sku], product.stock, product.newest_movement)
        for product in products
    }


def test_one_of_two_receives_a_delivery_note(ada, carl, mug, lamp):
    for number in range(ROUNDS):
        delivery = {"delivery_note": f"note {number}", "supplier": "Kiln"}
        units = {mug.pk: 3, lamp.pk: 2}
        received = run_concurrently(
            *[
                attempt(partial(receive_goods, units=units, actor=who, **delivery))
                for who in (ada, carl)
            ]
        )
        assert sorted(received) == [False, True]
    assert stocks() == {"MUG-1": 10 + 3 * ROUNDS, "LAMP-1": 5 + 2 * ROUNDS}
    assert ChangeSet.objects.count() == ROUNDS
    assert list(find_drift()) == []


def test_one_of_two_books_the_count_of_a_shelf(ada, carl, mug, lamp):
    for number in range(ROUNDS):
        counts = counts_of({"MUG-1": 9 - number, "LAMP-1": 6 + number})
        booked = run_concurrently(
            *[attempt(partial(book_count, counts=counts, actor=who)) for who in (ada, carl)]
        )
        assert sorted(booked) == [False, True]
    assert stocks() == {"MUG-1": 10 - ROUNDS, "LAMP-1": 5 + ROUNDS}
    assert list(find_drift()) == []


def test_sales_while_a_shelf_is_counted_and_received_stay_sold(ada, mug, lamp):
    buyers = [
        factories.create_user(f"Buyer{number}", "Quick", role="customer") for number in range(6)
    ]
    for buyer in buyers:
        factories.add_to_cart(buyer, (mug, 1))
    counts = counts_of({"MUG-1": 9, "LAMP-1": 4})
    results = run_concurrently(
        attempt(partial(book_count, counts=counts, actor=ada)),
        attempt(partial(receive_goods, units={mug.pk: 5}, actor=ada)),
        *[attempt(partial(place_order, user=who, shipping_address="1 Street")) for who in buyers],
    )
    assert results == [True] * 8
    assert stocks() == {"MUG-1": 10 - 1 + 5 - 6, "LAMP-1": 4}
    assert list(find_drift()) == []
