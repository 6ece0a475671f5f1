import pytest
from support import factories

from shop.db.bulk_rows import MAX_COMPILED_ROWS, delete_rows, insert_rows
from shop.models import CartItem, OrderItem, Product
from shop.services.orders import place_order


@pytest.fixture
def order(carl, mug):
    factories.add_to_cart(carl, (mug, 1))
    return place_order(user=carl, shipping_address="1 Fern Road").order


def unsaved_items(order, count):
    products = [factories.create_product(f"Cup {n}", price="1.50") for n in range(count)]
    return [
        OrderItem(order=order, product=cup, sku=cup.sku, name=cup.name, price=cup.price, quantity=2)
        for cup in products
    ]


@pytest.mark.parametrize("count", [1, 3, MAX_COMPILED_ROWS, MAX_COMPILED_ROWS + 1])
def test_rows_are_inserted_by_one_statement_with_generated_values(order, statements, count):
    items = unsaved_items(order, count)
    with statements(1):
        insert_rows(items)
    stored = OrderItem.objects.order_by("pk").filter(pk__in=[item.pk for item in items])
    names = [field.attname for field in OrderItem._meta.concrete_fields]
    assert [[getattr(item, name) for name in names] for item in items] == [
        [getattr(item, name) for name in names] for item in stored
    ]
    assert {str(item.subtotal) for item in items} == {"3.00"}
    assert not any(item._state.adding for item in items)


def test_the_given_rows_are_deleted_by_one_statement(carl, dora, mug, lamp, statements):
    factories.add_to_cart(carl, (mug, 1), (lamp, 2))
    factories.add_to_cart(dora, (mug, 3))
    carls_items = list(CartItem.objects.filter(user=carl))
    with statements(1):
        delete_rows(carls_items)
    assert list(CartItem.objects.values_list("user", flat=True)) == [dora.pk]


def test_deleting_no_rows_is_no_statement(statements, db):
    with statements(0):
        delete_rows([])
    assert Product.objects.count() == 0
