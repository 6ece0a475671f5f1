"""Calls during a database error or a long lock: nothing is lost, and the response says to retry."""

import sqlite3
import threading
from contextlib import contextmanager

import psycopg
import pytest
from django.db import OperationalError, connection
from django.test import Client
from support import factories
from support.servers import database_url

from shop.db import transactions
from shop.db.transactions import atomically
from shop.models import Order, Product
from shop.services.stock import Kind, adjust_stock, lock_product

pytestmark = pytest.mark.django_db(transaction=True)
on_postgres = pytest.mark.skipif(connection.vendor != "postgresql", reason="tests PostgreSQL")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="tests SQLite")
#: An order that needs a new page of the database.
CHECKOUT = ("/orders/create/", {"shipping_address": "Ä" * 1000, "note": "Ö" * 1000})
KEY = {"Idempotency-Key": "again"}


def execute(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


@contextmanager
def read_only():
    """The database accepts no writes, as after a failover."""
    if connection.vendor == "sqlite":
        on, off = "PRAGMA query_only = 1", "PRAGMA query_only = 0"
    else:
        on = "SET default_transaction_read_only = on"
        off = "SET default_transaction_read_only = off"
    execute(on)
    yield
    execute(off)


@contextmanager
def full():
    """The disk has no room for another page. PostgreSQL raises the same class as for an outage."""
    execute("VACUUM")
    execute("PRAGMA max_page_count = 1")  # never less than the current number
    yield
    execute("PRAGMA max_page_count = 1073741823")


@contextmanager
def locked(product):
    """Another connection locks what a checkout needs; ours waits for 50 ms instead of seconds."""
    if connection.vendor == "sqlite":
        execute("PRAGMA busy_timeout = 50")
        other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
    else:
        execute("SET lock_timeout = 50")
        other = psycopg.connect(database_url())
        other.execute("SELECT 1 FROM shop_product WHERE id = %s FOR UPDATE", [product.pk])
    yield
    other.rollback()
    other.close()
    connection.close()  # which resets the timeout


READ_ONLY = pytest.param(lambda _: read_only(), "unavailable", id="read-only")
FULL = pytest.param(lambda _: full(), "unavailable", id="full", marks=on_sqlite)
LOCKED = pytest.param(locked, "busy", id="locked")


@pytest.mark.parametrize(("fault", "code"), [READ_ONLY, FULL, LOCKED])
def test_a_checkout_can_be_repeated_after_the_fault(carl, carls_app, mug, fault, code):
    factories.add_to_cart(carl, (mug, 2))
    before = factories.all_rows()
    with fault(mug):
        responses = [carls_app.post(*CHECKOUT, **headers) for headers in ({}, KEY)]
        assert carls_app.get("/cart/").json()["total_quantity"] == 2
    for response in responses:
        assert factories.problem_code(response) == (503, code)
        assert response["Retry-After"] == "1"
    assert factories.all_rows() == before
    assert carls_app.post(*CHECKOUT, **KEY).status_code == 201
    assert (Order.objects.count(), Product.objects.get().stock) == (1, 8)


@pytest.mark.parametrize(("fault", "_code"), [READ_ONLY, LOCKED])
def test_a_page_can_be_sent_again_after_the_fault(ada, mug, fault, _code):
    browser = Client(raise_request_exception=False)
    browser.force_login(ada)
    change = {"delta": "3", "kind": "received", "reason": ""}
    url = f"/admin/shop/product/{mug.pk}/stock/"
    before = factories.all_rows()
    with fault(mug):
        response = browser.post(url, change)
    assert (response.status_code, response["Retry-After"]) == (503, "1")
    assert response["Content-Type"].startswith("text/html")
    assert factories.all_rows() == before
    assert browser.post(url, change).status_code == 302
    assert Product.objects.get().stock == 13


@on_sqlite
def test_a_checkout_waits_for_another_writer_of_sqlite(carl, carls_app, mug):
    factories.add_to_cart(carl, (mug, 2))
    other = sqlite3.connect(
        connection.settings_dict["NAME"], isolation_level=None, check_same_thread=False
    )
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, other.rollback)
    timer.start()
    assert carls_app.post(*CHECKOUT).status_code == 201
    timer.join()
    other.close()


@pytest.fixture
def other_connection():
    with psycopg.connect(database_url(), autocommit=True) as other:
        yield other


@on_postgres
@pytest.mark.parametrize(("failures", "succeeds"), [(1, True), (2, True), (3, False)])
def test_a_serialization_failure_is_retried_twice(
    other_connection, ada, mug, monkeypatch, failures, succeeds
):
    monkeypatch.setattr(transactions.time, "sleep", lambda _: None)
    execute("SET default_transaction_isolation = 'repeatable read'")
    attempts = []

    @atomically
    def sell():
        Product.objects.get(pk=mug.pk)
        attempts.append(1)
        if len(attempts) <= failures:
            other_connection.execute("UPDATE shop_product SET name = name WHERE id = %s", [mug.pk])
        return adjust_stock(product_id=mug.pk, delta=-1, kind=Kind.DAMAGED, actor=ada)

    if succeeds:
        assert sell().stock == 9
    else:
        with pytest.raises(OperationalError, match="could not serialize"):
            sell()
    assert len(attempts) == min(failures + 1, 3)
    connection.close()
    assert Product.objects.get().stock == 10 - succeeds


@on_postgres
def test_a_deadlock_is_retried(other_connection, mug, lamp):
    # Our connection notices the deadlock first, so that PostgreSQL ends ours.
    execute("SET deadlock_timeout = 10")
    other_connection.execute("SET deadlock_timeout = 10000")
    lock = "SELECT 1 FROM shop_product WHERE id = %s FOR UPDATE"
    attempts = []
    other_connection.execute("BEGIN")
    other_connection.execute(lock, [lamp.pk])

    def lock_mug_elsewhere():
        other_connection.execute(lock, [mug.pk])
        other_connection.execute("ROLLBACK")

    thread = threading.Thread(target=lock_mug_elsewhere)

    @atomically
    def lock_both():
        attempts.append(lock_product(mug.pk))
        if len(attempts) == 1:
            thread.start()
        return lock_product(lamp.pk)

    assert lock_both() == lamp
    thread.join()
    assert len(attempts) == 2
    connection.close()


@pytest.mark.parametrize(
    ("error", "status"), [(OperationalError("SECRET"), 503), (ValueError("SECRET"), 500)]
)
@pytest.mark.parametrize("url", ["/admin/login/", "/api/products/"])
def test_an_error_in_a_middleware_hides_its_details(monkeypatch, error, status, url):
    def fail(*_):
        raise error

    monkeypatch.setattr("django.middleware.security.SecurityMiddleware.process_response", fail)
    response = Client(raise_request_exception=False).get(url)
    retry_after = "1" if status == 503 else None
    assert (response.status_code, response.get("Retry-After")) == (status, retry_after)
    assert b"SECRET" not in response.content
