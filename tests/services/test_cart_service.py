import pytest
from support import factories

from shop.models import CartItem, Product
from shop.models.cart import MAX_LINES
from shop.services.cart import add_to_cart, clear_cart, remove_from_cart, set_quantity
from shop.services.errors import CartFull, InsufficientStock, NotFound


def cart_of(user):
    return list(CartItem.objects.filter(user=user).values_list("product__name", "quantity"))


def archive(product):
    Product.objects.filter(pk=product.pk).update(is_active=False)


def test_a_first_add_is_a_new_line(carl, mug, statements):
    with statements(2):
        assert add_to_cart(user=carl, product_id=mug.pk, quantity=2) is True
    assert cart_of(carl) == [("Mug", 2)]


def test_a_second_add_counts_on_top(carl, mug):
    add_to_cart(user=carl, product_id=mug.pk, quantity=2)
    assert add_to_cart(user=carl, product_id=mug.pk, quantity=2) is False
    assert cart_of(carl) == [("Mug", 4)]


def test_a_cart_may_hold_all_that_is_in_stock(carl, mug):
    add_to_cart(user=carl, product_id=mug.pk, quantity=10)
    assert cart_of(carl) == [("Mug", 10)]


@pytest.mark.parametrize(("held", "more"), [(0, 11), (10, 1), (4, 7)])
def test_more_than_there_is_cannot_be_added(carl, mug, refused, held, more):
    if held:
        factories.add_to_cart(carl, (mug, held))
    with refused(InsufficientStock) as told:
        add_to_cart(user=carl, product_id=mug.pk, quantity=more)
    assert told.value.details == {"available": 10}


@pytest.mark.parametrize(("held", "more"), [(999, 1), (500, 500)])
def test_a_line_holds_at_most_999(carl, refused, held, more):
    nail = factories.create_product("Nail", stock=5000)
    factories.add_to_cart(carl, (nail, held))
    with refused(CartFull, match="at most 999 of one product"):
        add_to_cart(user=carl, product_id=nail.pk, quantity=more)


def test_a_cart_holds_at_most_100_lines(carl, mug, lamp, refused):
    Product.objects.bulk_create(Product(name=f"P{n}", price=1) for n in range(MAX_LINES - 1))
    others = Product.objects.filter(name__startswith="P")
    CartItem.objects.bulk_create(CartItem(user=carl, product=item, quantity=1) for item in others)
    assert add_to_cart(user=carl, product_id=mug.pk, quantity=1) is True
    with refused(CartFull, match="at most 100 different products"):
        add_to_cart(user=carl, product_id=lamp.pk, quantity=1)
    assert add_to_cart(user=carl, product_id=mug.pk, quantity=2) is False


@pytest.mark.parametrize("reason", ["archived", "absent"])
def test_what_is_not_for_sale_cannot_be_added(carl, mug, refused, reason):
    archive(mug)
    with refused(NotFound, match="no such product for sale"):
        add_to_cart(user=carl, product_id=mug.pk + (reason == "absent"), quantity=1)


def test_what_is_sold_out_cannot_be_added(carl, refused):
    gone = factories.create_product("Gone", stock=0)
    with refused(InsufficientStock) as told:
        add_to_cart(user=carl, product_id=gone.pk, quantity=1)
    assert told.value.details == {"available": 0}


@pytest.mark.parametrize("quantity", [1, 10])
def test_a_quantity_is_set(carl, mug, quantity):
    factories.add_to_cart(carl, (mug, 2))
    set_quantity(user=carl, item_id=carl.cart.get().pk, quantity=quantity)
    assert cart_of(carl) == [("Mug", quantity)]


def test_a_quantity_above_the_stock_is_refused(carl, mug, refused):
    factories.add_to_cart(carl, (mug, 2))
    with refused(InsufficientStock) as told:
        set_quantity(user=carl, item_id=carl.cart.get().pk, quantity=11)
    assert told.value.details == {"available": 10}


def test_a_quantity_of_what_is_not_for_sale_cannot_be_set(carl, mug, refused):
    factories.add_to_cart(carl, (mug, 2))
    archive(mug)
    with refused(NotFound):
        set_quantity(user=carl, item_id=carl.cart.get().pk, quantity=1)


def test_a_strangers_cart_is_not_found(carl, dora, mug, refused):
    factories.add_to_cart(carl, (mug, 2))
    line = carl.cart.get().pk
    with refused(NotFound):
        set_quantity(user=dora, item_id=line, quantity=1)
    with refused(NotFound):
        remove_from_cart(user=dora, item_id=line)


def test_a_line_is_taken_out_once(carl, mug, lamp, refused):
    factories.add_to_cart(carl, (mug, 2), (lamp, 1))
    line = carl.cart.get(product=mug).pk
    remove_from_cart(user=carl, item_id=line)
    assert cart_of(carl) == [("Lamp", 1)]
    with refused(NotFound):
        remove_from_cart(user=carl, item_id=line)


def test_only_ones_own_cart_is_cleared(carl, dora, mug, lamp):
    for user in (carl, dora):
        factories.add_to_cart(user, (mug, 2), (lamp, 1))
    clear_cart(user=carl)
    assert (cart_of(carl), cart_of(dora)) == ([], [("Mug", 2), ("Lamp", 1)])
    clear_cart(user=carl)
