import people
import pytest
from django.contrib.auth.models import Permission
from django.test import Client


@pytest.fixture
def adas_browser(ada):
    return browser_of(ada)


@pytest.fixture
def clerk_with(db):
    """`clerk_with("view_order")`: the browser of a member of staff with just these rights."""

    def make(*rights):
        clerk = people.User.objects.create_user(
            "cleo@example.com", people.PASSWORD, first_name="Cleo", last_name="Clerk", role="admin"
        )
        clerk.user_permissions.set(Permission.objects.filter(codename__in=rights))
        return browser_of(clerk)

    return make


def messages_of(answer):
    return [str(message) for message in answer.context["messages"]]


def browser_of(user, **options):
    browser = Client(**options)
    browser.force_login(user)
    return browser
