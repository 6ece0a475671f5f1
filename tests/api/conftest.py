from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone
from support import factories, further_models

from shop.api import model_resource
from shop.api.products import PRODUCTS
from shop.db import compiled_queries
from shop.models import Product
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
def one_hit_is_counted(monkeypatch):
    """From now on, more than one hit of a filtered list is counted apart, as a thousand are."""
    for module in (compiled_queries, model_resource):
        monkeypatch.setattr(module, "MAX_COUNTED_HITS", 1)
    PRODUCTS._search.cache_clear()
    yield
    PRODUCTS._search.cache_clear()


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
    """Values for the path parameters: a product, and an order and a cart line of Carl.

    `pk` is a record of each further model.
    """
    further_models.create_records(pk=further_models.KNOWN_KEY)
    return {
        "product_id": mug.pk,
        "order_id": carls_order.pk,
        "item_id": carls_line.pk,
        "pk": further_models.KNOWN_KEY,
    }


@pytest.fixture
def catalogue(mug, lamp):
    """Mug 12.50, Lamp 49.90, Vase 12.50 (out of stock) and Old 1.00 (inactive)."""
    vase = factories.create_product(
        "Vase", price="12.50", stock=0, sku="VASE-1", description="Blue, 100% glass_ware"
    )
    old = factories.create_product("Old", price="1.00", sku="OLD-1", is_active=False)
    now = timezone.now()
    for age, product in enumerate([mug, lamp, vase, old]):
        Product.objects.filter(pk=product.pk).update(created_at=now - timedelta(days=age))
    return {product.name: product for product in (mug, lamp, vase, old)}
