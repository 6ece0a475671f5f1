from contextlib import contextmanager

import people
import pytest
from django.apps import apps

from shop.services.orders import place_order


def contents():
    """Every row of the shop's tables."""
    models = apps.get_app_config("shop").get_models()
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


@pytest.fixture
def refused():
    """`with refused(SomeError) as told:` it rises, and no row of the shop is different afterwards."""

    @contextmanager
    def refused(error, **options):
        before = contents()
        with pytest.raises(error, **options) as told:
            yield told
        assert contents() == before

    return refused


@pytest.fixture
def carls_order(carl, mug, lamp):
    """Two mugs and a lamp, pending."""
    people.put_in_cart(carl, (lamp, 1), (mug, 2))
    return place_order(user=carl, shipping_address="1 Elm Street").order
