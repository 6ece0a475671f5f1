from contextlib import contextmanager

import pytest
from support import factories

from shop.services.orders import place_order


@pytest.fixture
def unchanged():
    """`with unchanged():` asserts that the block changes no row in the database."""

    @contextmanager
    def assert_unchanged():
        before = factories.all_rows()
        yield
        assert factories.all_rows() == before

    return assert_unchanged


@pytest.fixture
def carls_order(carl, lamp):
    factories.add_to_cart(carl, (lamp, 2))
    return place_order(user=carl, shipping_address="1 Fern Road").order


@pytest.fixture
def carls_line(carl, mug):
    factories.add_to_cart(carl, (mug, 3))
    return carl.cart.get()


@pytest.fixture
def ids(carls_order, carls_line, mug):
    """Values for the path parameters: a product, and an order and a cart line of Carl."""
    return {"product_id": mug.pk, "order_id": carls_order.pk, "item_id": carls_line.pk}
