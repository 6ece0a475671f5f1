from contextlib import contextmanager

import pytest
from support import factories

from shop.services.orders import place_order


@pytest.fixture
def refused():
    """`with refused(SomeError) as excinfo:` the error is raised and no row of the shop changes."""

    @contextmanager
    def refused(error, **options):
        before = factories.all_rows()
        with pytest.raises(error, **options) as excinfo:
            yield excinfo
        assert factories.all_rows() == before

    return refused


@pytest.fixture
def carls_order(carl, mug, lamp):
    """A pending order of two mugs and a lamp."""
    factories.add_to_cart(carl, (lamp, 1), (mug, 2))
    return place_order(user=carl, shipping_address="1 Elm Street").order
