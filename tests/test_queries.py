from concurrent.futures import ThreadPoolExecutor

import people
import pytest
from django.db import connection

from shop.models import CartItem, Product, User
from shop.queries import Given, Prepared


@pytest.fixture
def lines():
    mine = CartItem.objects.filter(user=Given("user", User._meta.pk))
    return Prepared(mine.select_related("product").order_by("-quantity"))


@pytest.fixture
def carts(db):
    mug, lamp = people.product("Mug", stock=9), people.product("Lamp", stock=9)
    carl, dora = people.carl(), people.dora()
    people.put_in_cart(carl, (mug, 1), (lamp, 2))
    people.put_in_cart(dora, (mug, 3))
    return carl, dora


def test_each_call_gives_the_rows_of_its_own_values(lines, carts):
    carl, dora = carts
    for _ in range(2):
        assert [line.quantity for line in lines(user=carl.pk)] == [2, 1]
        assert [line.quantity for line in lines(user=dora.pk)] == [3]
        assert lines(user=0) == []


def test_a_call_is_one_statement_and_rows_are_what_the_query_gives(lines, carts, django_assert_num_queries):
    lines(user=carts[1].pk)
    with django_assert_num_queries(1):
        names = [line.product.name for line in lines(user=carts[0].pk)]
    assert names == ["Lamp", "Mug"]
    asked = Prepared(
        Product.objects.filter(name=Given("name", Product._meta.get_field("name"))).values("name", "stock")
    )
    assert asked(name="Mug") == [{"name": "Mug", "stock": 9}]


def test_what_is_missing_is_an_error(lines, carts):
    with pytest.raises(KeyError, match="user"):
        lines()


@pytest.mark.django_db(transaction=True)
def test_each_thread_asks_over_its_own_connection(lines, carts):
    carl, dora = carts

    def quantities(user):
        try:
            return [line.quantity for line in lines(user=user.pk)]
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        assert one.submit(quantities, carl).result() == [2, 1]
        assert other.submit(quantities, dora).result() == [3]
    assert [line.quantity for line in lines(user=carl.pk)] == [2, 1]
