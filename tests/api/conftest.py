from contextlib import contextmanager

import pytest
from support import factories

from shop.models.audit import SIGN_IN_ACTIONS
from shop.services.orders import place_order


def rows_without_sign_ins():
    rows = factories.all_rows()
    rows["AuditEntry"] = [e for e in rows["AuditEntry"] if e["action"] not in SIGN_IN_ACTIONS]
    return rows


@pytest.fixture
def unchanged():
    """`with unchanged():` asserts that the block changes no row but the trace of a sign-in."""

    @contextmanager
    def assert_unchanged():
        before = rows_without_sign_ins()
        yield
        assert rows_without_sign_ins() == before

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
