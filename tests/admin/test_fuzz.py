"""No request of a member of staff is a server error, whatever its parameters and form fields.

`ADMIN_FUZZ_SEED` and `ADMIN_FUZZ_REQUESTS` vary the long form.
"""

import os
from itertools import islice

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction
from support import admin_fuzz, factories, world
from support.invariants import assert_invariants

SEED = int(os.environ.get("ADMIN_FUZZ_SEED", "2026"))
REQUESTS = int(os.environ.get("ADMIN_FUZZ_REQUESTS", "5000"))


@pytest.fixture
def clients(ada, carl, dora):
    """Clients of a superuser and of a member of each group."""
    world.create_world(ada, carl, dora)
    clients = [factories.staff_client(ada, raise_request_exception=False)]
    for group in Group.objects.all():
        user = factories.create_user(group.name.split()[0], "Staff", role="admin")
        user.groups.add(group)
        clients.append(factories.staff_client(user, raise_request_exception=False))
    return clients


def attack_all(clients, seed, count):
    """Send the attacks, each in a transaction that is rolled back; return the server errors."""
    pages = admin_fuzz.read_pages(clients[0])
    keys = [client.cookies[settings.SESSION_COOKIE_NAME].value for client in clients]
    failed = {}
    for number, attack in enumerate(islice(admin_fuzz.attacks(pages, seed), count)):
        # Every second one by the superuser, who gets everywhere.
        who = 0 if number % 2 else number // 2 % len(clients)
        clients[who].cookies.clear()
        clients[who].cookies[settings.SESSION_COOKIE_NAME] = keys[who]
        with transaction.atomic():
            failure = send(clients[who], attack)
            if failure:
                failed[str(attack)] = failure
            elif attack.method == "post":
                assert_invariants()
            transaction.set_rollback(True)
    return failed


def send(client, attack):
    """Send a request; return the server error that it causes, or None."""
    try:
        response = attack.send(client)
        b"".join(response)
    except Exception as error:  # noqa: BLE001 - raised where Django makes no response of it
        return repr(error)
    if response.status_code < 500:
        return None
    exception = getattr(response, "exc_info", None)
    return f"{response.status_code} {exception and exception[1]!r}"


def test_hostile_requests_cause_no_server_error(clients):
    assert attack_all(clients, SEED, 300) == {}


@pytest.mark.slow
def test_thousands_of_hostile_requests_cause_no_server_error(clients):
    assert attack_all(clients, SEED, REQUESTS) == {}
