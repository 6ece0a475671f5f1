from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from support import factories

from shop.db.bulk_rows import MAX_COMPILED_ROWS, delete_rows, insert_rows
from shop.db.compiled_queries import CompiledQuery, Placeholder
from shop.models import CartItem, OrderItem, Product, User
from shop.services.orders import place_order


@pytest.fixture
def lines():
    mine = CartItem.objects.filter(user=Placeholder("user", User._meta.pk))
    return CompiledQuery(mine.select_related("product").order_by("-quantity"))


@pytest.fixture
def carts(db):
    mug, lamp = factories.create_product("Mug", stock=9), factories.create_product("Lamp", stock=9)
    carl, dora = factories.create_carl(), factories.create_dora()
    factories.add_to_cart(carl, (mug, 1), (lamp, 2))
    factories.add_to_cart(dora, (mug, 3))
    return carl, dora


def test_each_call_gives_the_rows_of_its_own_values(lines, carts):
    carl, dora = carts
    for _ in range(2):
        assert [line.quantity for line in lines(user=carl.pk)] == [2, 1]
        assert [line.quantity for line in lines(user=dora.pk)] == [3]
        assert lines(user=0) == []


def test_a_call_is_one_statement_and_rows_are_what_the_query_gives(
    lines, carts, django_assert_num_queries
):
    lines(user=carts[1].pk)
    with django_assert_num_queries(1):
        names = [line.product.name for line in lines(user=carts[0].pk)]
    assert names == ["Lamp", "Mug"]
    named = Product.objects.filter(name=Placeholder("name", Product._meta.get_field("name")))
    assert CompiledQuery(named.values("stock", "name"))(name="Mug") == [{"stock": 9, "name": "Mug"}]
    assert CompiledQuery(named.values_list("stock", "name"))(name="Mug") == [(9, "Mug")]


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


def written(story, number):
    """So many lines for an order that has none yet."""
    products = [factories.create_product(f"Cup {n}", price="1.50") for n in range(number)]
    return [
        OrderItem(
            order=story.order, product=one, sku=one.sku, name=one.name, price=one.price, quantity=2
        )
        for one in products
    ]


@pytest.mark.parametrize("number", [1, 3, MAX_COMPILED_ROWS, MAX_COMPILED_ROWS + 1])
def test_new_rows_are_one_statement_and_know_what_the_database_knows(carts, statements, number):
    story = place_order(user=carts[0], shipping_address="1 Fern Road")
    rows = written(story, number)
    with statements(1):
        insert_rows(rows)
    found = list(OrderItem.objects.filter(order=story.order, pk__in=[row.pk for row in rows]))
    names = [field.attname for field in OrderItem._meta.concrete_fields]
    assert [[getattr(row, name) for name in names] for row in rows] == [
        [getattr(row, name) for name in names] for row in sorted(found, key=lambda one: one.pk)
    ]
    assert {str(row.subtotal) for row in rows} == {"3.00"}
    assert not any(row._state.adding for row in rows)


def test_rows_are_deleted_in_one_statement_and_no_others(carts, statements):
    mine = list(CartItem.objects.filter(user=carts[0]))
    with statements(1):
        delete_rows(mine)
    assert list(CartItem.objects.values_list("user", flat=True)) == [carts[1].pk]
