from contextlib import contextmanager

import people
import pytest

from shop.services.orders import place_order


@pytest.fixture
def refused():
    """`with refused(SomeError) as told:` it rises, and no row of the shop is different afterwards."""

    @contextmanager
    def refused(error, **options):
        before = people.contents()
        with pytest.raises(error, **options) as told:
            yield told
        assert people.contents() == before

    return refused


@pytest.fixture
def carls_order(carl, mug, lamp):
    """Two mugs and a lamp, pending."""
    people.put_in_cart(carl, (lamp, 1), (mug, 2))
    return place_order(user=carl, shipping_address="1 Elm Street").order
