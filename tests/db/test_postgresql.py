"""A kept connection is looked at before each request, without asking the server."""

import select

import psycopg
import pytest
from django.db import connection
from support.servers import database_url

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL"),
]


@pytest.fixture
def door():
    connection.ensure_connection()
    yield connection.connection
    connection.close()


def test_a_good_connection_costs_no_round_trip(door, monkeypatch):
    monkeypatch.setattr(door, "cursor", lambda *_, **__: pytest.fail("It asked the server."))
    assert connection.is_usable()


def test_one_that_the_server_has_ended_is_found(door):
    with psycopg.connect(database_url(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [door.info.backend_pid])
    assert select.select([door], [], [], 10)[0], "The server never told."
    assert not connection.is_usable()


def test_one_that_tells_something_else_is_kept(door):
    door.execute("LISTEN news")
    door.commit()
    with psycopg.connect(database_url(), autocommit=True) as other:
        other.execute("NOTIFY news")
    assert select.select([door], [], [], 10)[0], "The server never told."
    assert connection.is_usable()


def test_a_closed_one_is_none(door):
    door.close()
    assert not connection.is_usable()
