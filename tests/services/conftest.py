from contextlib import contextmanager

import pytest
from support import factories

from shop.services.orders import place_order


@pytest.fixture
def refused():
    """`with refused(SomeError) as told:` it rises, and no row of the shop is different afterwards."""

    @contextmanager
    def refused(error, **options):
        before = factories.all_rows()
        with pytest.raises(error, **options) as told:
            yield told
        assert factories.all_rows() == before

    return refused


@pytest.fixture
def carls_order(carl, mug, lamp):
    """Two mugs and a lamp, pending."""
    factories.add_to_cart(carl, (lamp, 1), (mug, 2))
    return place_order(user=carl, shipping_address="1 Elm Street").order
