"""Products with and without the new fields, and more staff."""

import datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from support import factories

DAY = datetime.date(2026, 3, 1)
NOON = datetime.datetime(2026, 3, 1, 12, 0, 30, 5, tzinfo=datetime.UTC)


@pytest.fixture
def second_browser(db):
    bea = factories.create_user("Bea", "Second", **factories.SUPERUSER_FIELDS)
    return factories.staff_client(bea)


@pytest.fixture
def clerk(db):
    """`clerk("view_brand")` returns a browser of staff with these permissions only."""

    def create(*codenames):
        user = factories.create_user("Cleo", "Clerk", role="admin")
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return factories.staff_client(user)

    return create


@pytest.fixture
def mug(brand, tags):
    """A product with a value in each new field."""
    mug = factories.create_product(
        "Mug",
        season="ss",
        colour="Green",
        weight=300,
        is_fragile=True,
        released_on=DAY,
        drawn_at=NOON,
        tare=Decimal("1.250"),
        site="https://example.com/",
        facts={"dishwasher": True},
        manual="manuals/mug.pdf",
        cost=Decimal("3.20"),
        supplier_code="4006381333931",
        brand=brand,
    )
    mug.tags.set(tags)
    return mug


@pytest.fixture
def lamp(create_brand):
    """A product with a value in few of them."""
    return factories.create_product("Lamp", season="aw", brand=create_brand("Lux"))


@pytest.fixture
def jug(db):
    """A product with none."""
    return factories.create_product("Jug")
