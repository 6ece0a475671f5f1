from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from support import factories

from shop.db.compiled_queries import CompiledQuery, Placeholder
from shop.models import CartItem, Product, User


@pytest.fixture
def cart_of():
    """`cart_of(user=7)`: the user's cart items, the largest quantity first."""
    items = CartItem.objects.filter(user=Placeholder("user", User._meta.pk))
    return CompiledQuery(items.select_related("product").order_by("-quantity"))


@pytest.fixture
def users(db):
    """Carl with a mug and two lamps in his cart, Dora with three mugs."""
    mug, lamp = factories.create_product("Mug", stock=9), factories.create_product("Lamp", stock=9)
    carl, dora = factories.create_carl(), factories.create_dora()
    factories.add_to_cart(carl, (mug, 1), (lamp, 2))
    factories.add_to_cart(dora, (mug, 3))
    return carl, dora


def quantities(cart_of, user):
    return [item.quantity for item in cart_of(user=user.pk)]


def test_each_call_binds_its_own_values(cart_of, users):
    carl, dora = users
    for _ in range(2):
        assert quantities(cart_of, carl) == [2, 1]
        assert quantities(cart_of, dora) == [3]
        assert cart_of(user=0) == []


def test_instances_come_with_their_related_ones_in_one_query(
    cart_of, users, django_assert_num_queries
):
    carl, dora = users
    cart_of(user=dora.pk)
    with django_assert_num_queries(1):
        assert [item.product.name for item in cart_of(user=carl.pk)] == ["Lamp", "Mug"]


def test_rows_are_dicts_of_values_and_tuples_of_values_list(users):
    mugs = Product.objects.filter(name=Placeholder("name", Product._meta.get_field("name")))
    assert CompiledQuery(mugs.values("stock", "name"))(name="Mug") == [{"stock": 9, "name": "Mug"}]
    assert CompiledQuery(mugs.values_list("stock", "name"))(name="Mug") == [(9, "Mug")]


def test_a_missing_value_is_a_key_error(cart_of, users):
    with pytest.raises(KeyError, match="user"):
        cart_of()


@pytest.mark.django_db(transaction=True)
def test_each_thread_uses_its_own_connection(cart_of, users):
    carl, dora = users

    def quantities_in_thread(user):
        try:
            return quantities(cart_of, user)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        assert first.submit(quantities_in_thread, carl).result() == [2, 1]
        assert second.submit(quantities_in_thread, dora).result() == [3]
    assert quantities(cart_of, carl) == [2, 1]
