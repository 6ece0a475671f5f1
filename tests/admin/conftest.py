import pytest
from django.contrib.auth.models import Permission
from support import factories


@pytest.fixture
def adas_browser(ada):
    return factories.staff_client(ada)


@pytest.fixture
def clerk_with(db):
    """`clerk_with("view_order")`: the browser of a member of staff with just these rights."""

    def make(*rights):
        clerk = factories.User.objects.create_user(
            "cleo@example.com",
            factories.PASSWORD,
            first_name="Cleo",
            last_name="Clerk",
            role="admin",
        )
        clerk.user_permissions.set(Permission.objects.filter(codename__in=rights))
        return factories.staff_client(clerk)

    return make
