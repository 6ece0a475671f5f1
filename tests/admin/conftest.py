import pytest
from django.contrib.auth.models import Permission
from support import factories


@pytest.fixture
def adas_browser(ada):
    return factories.staff_client(ada)


@pytest.fixture
def staff_client_with(db):
    """`staff_client_with("view_order")`: a client of staff with these permissions only."""

    def create(*codenames):
        staff = factories.User.objects.create_user(
            "cleo@example.com",
            factories.PASSWORD,
            first_name="Cleo",
            last_name="Clerk",
            role="admin",
        )
        staff.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return factories.staff_client(staff)

    return create
