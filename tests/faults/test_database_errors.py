"""A database that refuses, or makes wait: nothing is lost, the caller is told when to come again."""

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
on_postgres = pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite")
#: More than a page of the database holds.
CHECKOUT = ("/orders/create/", {"shipping_address": "Ä" * 1000, "note": "Ö" * 1000})
KEY = {"Idempotency-Key": "again"}


def run(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


@contextmanager
def read_only():
    """What a failover leaves us with, or a file that lost its owner."""
    if connection.vendor == "sqlite":
        on, off = "PRAGMA query_only = 1", "PRAGMA query_only = 0"
    else:
        on = "SET default_transaction_read_only = on"
        off = "SET default_transaction_read_only = off"
    run(on)
    yield
    run(off)


@contextmanager
def full():
    """A disk without room for one page more; PostgreSQL says it in the same words as when it is away."""
    run("VACUUM")
    run("PRAGMA max_page_count = 1")  # that is: no more than there are
    yield
    run("PRAGMA max_page_count = 1073741823")


@contextmanager
def locked(product):
    """A rival holds what a checkout needs, and we wait for 50 ms instead of seconds."""
    if connection.vendor == "sqlite":
        run("PRAGMA busy_timeout = 50")
        rival = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        rival.execute("BEGIN IMMEDIATE")
    else:
        run("SET lock_timeout = 50")
        rival = psycopg.connect(database_url())
        rival.execute("SELECT 1 FROM shop_product WHERE id = %s FOR UPDATE", [product.pk])
    yield
    rival.rollback()
    rival.close()
    connection.close()  # and with it the short patience


READ_ONLY = pytest.param(lambda _: read_only(), "unavailable", id="read-only")
FULL = pytest.param(lambda _: full(), "unavailable", id="full", marks=on_sqlite)
LOCKED = pytest.param(locked, "busy", id="locked")


@pytest.mark.parametrize(("trouble", "code"), [READ_ONLY, FULL, LOCKED])
def test_an_order_is_not_lost_over_it(carl, carls_app, mug, trouble, code):
    factories.add_to_cart(carl, (mug, 2))
    before = factories.all_rows()
    with trouble(mug):
        answers = [carls_app.post(*CHECKOUT, **headers) for headers in ({}, KEY)]
        assert carls_app.get("/cart/").json()["total_quantity"] == 2
    for answer in answers:
        assert factories.problem_code(answer) == (503, code)
        assert answer["Retry-After"] == "1"
    assert factories.all_rows() == before
    assert carls_app.post(*CHECKOUT, **KEY).status_code == 201
    assert (Order.objects.count(), Product.objects.get().stock) == (1, 8)


@pytest.mark.parametrize(("trouble", "_"), [READ_ONLY, LOCKED])
def test_staff_are_told_in_words(ada, mug, trouble, _):
    browser = Client(raise_request_exception=False)
    browser.force_login(ada)
    change = {"delta": "3", "kind": "received", "reason": ""}
    address = f"/admin/shop/product/{mug.pk}/stock/"
    before = factories.all_rows()
    with trouble(mug):
        answer = browser.post(address, change)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert "temporarily unavailable" in answer.content.decode()
    assert factories.all_rows() == before
    assert browser.post(address, change).status_code == 302
    assert Product.objects.get().stock == 13


@on_sqlite
def test_a_short_wait_for_sqlite_is_no_trouble(carl, carls_app, mug):
    factories.add_to_cart(carl, (mug, 2))
    rival = sqlite3.connect(
        connection.settings_dict["NAME"], isolation_level=None, check_same_thread=False
    )
    rival.execute("BEGIN IMMEDIATE")
    soon = threading.Timer(0.3, rival.rollback)
    soon.start()
    assert carls_app.post(*CHECKOUT).status_code == 201
    soon.join()
    rival.close()


@pytest.fixture
def rival():
    with psycopg.connect(database_url(), autocommit=True) as rival:
        yield rival


@on_postgres
@pytest.mark.parametrize(("rivals", "succeeds"), [(1, True), (2, True), (3, False)])
def test_a_transaction_that_saw_too_old_rows_runs_again(
    rival, ada, mug, monkeypatch, rivals, succeeds
):
    monkeypatch.setattr(transactions.time, "sleep", lambda _: None)
    run("SET default_transaction_isolation = 'repeatable read'")
    attempts = []

    @atomically
    def sell():
        Product.objects.get(pk=mug.pk)
        attempts.append(1)
        if len(attempts) <= rivals:
            rival.execute("UPDATE shop_product SET name = name WHERE id = %s", [mug.pk])
        return adjust_stock(product_id=mug.pk, delta=-1, kind=Kind.DAMAGED, actor=ada)

    if succeeds:
        assert sell().stock == 9
    else:
        with pytest.raises(OperationalError, match="could not serialize"):
            sell()
    assert len(attempts) == min(rivals + 1, 3)
    connection.close()
    assert Product.objects.get().stock == 10 - succeeds


@on_postgres
def test_who_loses_a_deadlock_runs_again(rival, mug, lamp):
    run("SET deadlock_timeout = 10")
    rival.execute("SET deadlock_timeout = 10000")  # it is we who notice first
    lock = "SELECT 1 FROM shop_product WHERE id = %s FOR UPDATE"
    attempts = []
    rival.execute("BEGIN")
    rival.execute(lock, [lamp.pk])

    def wait_for_ours():
        rival.execute(lock, [mug.pk])
        rival.execute("ROLLBACK")

    waiting = threading.Thread(target=wait_for_ours)

    @atomically
    def take_both():
        attempts.append(lock_product(mug.pk))
        if len(attempts) == 1:
            waiting.start()
        return lock_product(lamp.pk)

    assert take_both() == lamp
    waiting.join()
    assert len(attempts) == 2
    connection.close()


@pytest.mark.parametrize(
    ("error", "status"), [(OperationalError("SECRET"), 503), (ValueError("SECRET"), 500)]
)
@pytest.mark.parametrize("address", ["/admin/login/", "/api/products/"])
def test_what_fails_around_a_page_is_told_as_well(monkeypatch, error, status, address):
    def fail(*_):
        raise error

    monkeypatch.setattr("django.middleware.security.SecurityMiddleware.process_response", fail)
    answer = Client(raise_request_exception=False).get(address)
    assert (answer.status_code, answer.get("Retry-After")) == (
        status,
        "1" if status == 503 else None,
    )
    assert (b"unavailable" in answer.content, b"SECRET" in answer.content) == (
        status == 503,
        False,
    )
