import pytest
from support import factories

from shop.models import CartItem, Product
from shop.models.cart import MAX_LINES
from shop.services.cart import add_to_cart, clear_cart, remove_from_cart, set_quantity
from shop.services.errors import CartFull, InsufficientStock, NotFound, ProductUnavailable


def cart_lines(user):
    return list(CartItem.objects.filter(user=user).values_list("product__name", "quantity"))


def archive_product(product):
    Product.objects.filter(pk=product.pk).update(is_active=False)


def test_adding_a_product_creates_a_line(carl, mug, statements):
    with statements(2):
        assert add_to_cart(user=carl, product_id=mug.pk, quantity=2) is True
    assert cart_lines(carl) == [("Mug", 2)]


def test_adding_the_same_product_again_increases_the_quantity(carl, mug):
    add_to_cart(user=carl, product_id=mug.pk, quantity=2)
    assert add_to_cart(user=carl, product_id=mug.pk, quantity=2) is False
    assert cart_lines(carl) == [("Mug", 4)]


def test_the_whole_stock_can_be_added(carl, mug):
    add_to_cart(user=carl, product_id=mug.pk, quantity=10)
    assert cart_lines(carl) == [("Mug", 10)]


@pytest.mark.parametrize(("held", "more"), [(0, 11), (10, 1), (4, 7)])
def test_adding_more_than_the_stock_is_refused(carl, mug, refused, held, more):
    if held:
        factories.add_to_cart(carl, (mug, held))
    with refused(InsufficientStock) as excinfo:
        add_to_cart(user=carl, product_id=mug.pk, quantity=more)
    assert excinfo.value.details == {"available": 10}


@pytest.mark.parametrize(("held", "more"), [(999, 1), (500, 500)])
def test_a_line_holds_at_most_999(carl, refused, held, more):
    nail = factories.create_product("Nail", stock=5000)
    factories.add_to_cart(carl, (nail, held))
    with refused(CartFull):
        add_to_cart(user=carl, product_id=nail.pk, quantity=more)


def test_a_cart_holds_at_most_100_lines(carl, mug, lamp, refused):
    Product.objects.bulk_create(Product(name=f"P{n}", price=1) for n in range(MAX_LINES - 1))
    others = Product.objects.filter(name__startswith="P")
    CartItem.objects.bulk_create(CartItem(user=carl, product=item, quantity=1) for item in others)
    assert add_to_cart(user=carl, product_id=mug.pk, quantity=1) is True
    with refused(CartFull):
        add_to_cart(user=carl, product_id=lamp.pk, quantity=1)
    assert add_to_cart(user=carl, product_id=mug.pk, quantity=2) is False


@pytest.mark.parametrize("reason", ["archived", "absent"])
def test_adding_an_archived_or_unknown_product_is_refused(carl, mug, refused, reason):
    archive_product(mug)
    with refused(NotFound):
        add_to_cart(user=carl, product_id=mug.pk + (reason == "absent"), quantity=1)


def test_adding_a_sold_out_product_is_refused(carl, refused):
    sold_out = factories.create_product("Vase", stock=0)
    with refused(InsufficientStock) as excinfo:
        add_to_cart(user=carl, product_id=sold_out.pk, quantity=1)
    assert excinfo.value.details == {"available": 0}


@pytest.mark.parametrize("quantity", [1, 10])
def test_setting_a_quantity(carl, mug, quantity):
    factories.add_to_cart(carl, (mug, 2))
    set_quantity(user=carl, item_id=carl.cart.get().pk, quantity=quantity)
    assert cart_lines(carl) == [("Mug", quantity)]


def test_setting_a_quantity_above_the_stock_is_refused(carl, mug, refused):
    factories.add_to_cart(carl, (mug, 2))
    with refused(InsufficientStock) as excinfo:
        set_quantity(user=carl, item_id=carl.cart.get().pk, quantity=11)
    assert excinfo.value.details == {"available": 10}


def test_setting_a_quantity_of_an_archived_product_is_refused(carl, mug, refused):
    factories.add_to_cart(carl, (mug, 2))
    archive_product(mug)
    with refused(ProductUnavailable):
        set_quantity(user=carl, item_id=carl.cart.get().pk, quantity=1)


def test_lines_of_another_customer_are_not_found(carl, dora, mug, refused):
    factories.add_to_cart(carl, (mug, 2))
    line = carl.cart.get().pk
    with refused(NotFound):
        set_quantity(user=dora, item_id=line, quantity=1)
    with refused(NotFound):
        remove_from_cart(user=dora, item_id=line)


def test_a_line_can_be_removed_once(carl, mug, lamp, refused):
    factories.add_to_cart(carl, (mug, 2), (lamp, 1))
    line = carl.cart.get(product=mug).pk
    remove_from_cart(user=carl, item_id=line)
    assert cart_lines(carl) == [("Lamp", 1)]
    with refused(NotFound):
        remove_from_cart(user=carl, item_id=line)


def test_clearing_leaves_other_carts_alone(carl, dora, mug, lamp):
    for user in (carl, dora):
        factories.add_to_cart(user, (mug, 2), (lamp, 1))
    clear_cart(user=carl)
    assert (cart_lines(carl), cart_lines(dora)) == ([], [("Mug", 2), ("Lamp", 1)])
    clear_cart(user=carl)
