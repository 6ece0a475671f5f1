"""The health check of a persistent connection polls the socket before it queries the server."""

import select

import psycopg
import pytest
from django.db import connection
from support.servers import database_url

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="tests PostgreSQL's backend"),
]


@pytest.fixture
def driver_connection():
    connection.ensure_connection()
    yield connection.connection
    connection.close()


def execute_elsewhere(sql, params=()):
    with psycopg.connect(database_url(), autocommit=True) as other:
        other.execute(sql, params)


def wait_for_data(driver_connection):
    assert select.select([driver_connection], [], [], 10)[0], "The server sent nothing."


def test_a_good_connection_needs_no_query(driver_connection, monkeypatch):
    monkeypatch.setattr(driver_connection, "cursor", lambda *_, **__: pytest.fail("a query"))
    assert connection.is_usable()


def test_a_connection_that_the_server_has_closed_is_not_usable(driver_connection):
    execute_elsewhere("SELECT pg_terminate_backend(%s)", [driver_connection.info.backend_pid])
    wait_for_data(driver_connection)
    assert not connection.is_usable()


def test_a_connection_with_a_pending_notification_is_usable(driver_connection):
    driver_connection.execute("LISTEN news")
    driver_connection.commit()
    execute_elsewhere("NOTIFY news")
    wait_for_data(driver_connection)
    assert connection.is_usable()


def test_a_connection_that_was_closed_here_is_not_usable(driver_connection):
    driver_connection.close()
    assert not connection.is_usable()
