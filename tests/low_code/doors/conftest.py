"""Fixtures for the tests that run in the grown copy; see `tests/low_code/changes.py`."""

from contextlib import contextmanager

import pytest
from django.apps import apps
from support import factories


@pytest.fixture
def adas_browser(ada):
    """A browser of staff with all rights, signed in to the admin."""
    return factories.staff_client(ada)


@pytest.fixture
def create_brand(db):
    """`create_brand("Kiln & Sons", founded_on=…)` returns a new brand."""

    def create(name="Kiln & Sons", **values):
        return apps.get_model("shop", "Brand").objects.create(name=name, **values)

    return create


@pytest.fixture
def create_tag(db):
    """`create_tag("gift")` returns a new tag."""

    def create(name="gift"):
        return apps.get_model("shop", "Tag").objects.create(name=name)

    return create


@pytest.fixture
def create_country(db):
    """`create_country("Japan")` returns a new country."""

    def create(name="Japan"):
        return apps.get_model("shop", "Country").objects.create(name=name)

    return create


@pytest.fixture
def brand(create_brand):
    return create_brand()


@pytest.fixture
def tags(create_tag):
    """The tags "gift" and "mug"."""
    return [create_tag("gift"), create_tag("mug")]


@pytest.fixture
def unchanged(db):
    """`with unchanged():` asserts that the block changes no row, many-to-many rows included."""

    def rows():
        models = apps.get_app_config("shop").get_models(include_auto_created=True)
        return {m.__name__: list(m._base_manager.order_by("pk").values()) for m in models}

    @contextmanager
    def assert_unchanged():
        before = rows()
        yield
        assert rows() == before

    return assert_unchanged
