import people
import pytest
from django.contrib.auth.models import Permission


@pytest.fixture
def adas_browser(ada):
    return people.browser_of(ada)


@pytest.fixture
def clerk_with(db):
    """`clerk_with("view_order")`: the browser of a member of staff with just these rights."""

    def make(*rights):
        clerk = people.User.objects.create_user(
            "cleo@example.com", people.PASSWORD, first_name="Cleo", last_name="Clerk", role="admin"
        )
        clerk.user_permissions.set(Permission.objects.filter(codename__in=rights))
        return people.browser_of(clerk)

    return make
