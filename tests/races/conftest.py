"""Users' apps that call the server of `support.servers` at the same time."""

import pytest
from support.concurrency import Caller

from shop.api import tokens
from shop.models import User
from shop.services.sessions import open_session


@pytest.fixture(autouse=True)
def _policy_of_the_server(settings):
    """Set the policy of `support.strict_wsgi`, which is part of the sessions of staff."""
    settings.SHOP_TWO_FACTOR = "optional"


@pytest.fixture
def app_of(http):
    """`app_of(user)`: a signed-in app of the user."""

    def app_of(user):
        return Caller(http, tokens.sign_token(open_session(user, "test"), "access"))

    return app_of


@pytest.fixture
def buyers(app_of):
    """`buyers(20)`: as many new customers, each with a signed-in app."""

    def buyers(count):
        users = [
            User(email=f"buyer{n}@example.com", password="!", first_name="Buyer", last_name=str(n))
            for n in range(count)
        ]
        return [(user, app_of(user)) for user in User.objects.bulk_create(users)]

    return buyers


@pytest.fixture
def carls_app(app_of, carl):
    return app_of(carl)


@pytest.fixture
def adas_app(app_of, ada):
    return app_of(ada)
