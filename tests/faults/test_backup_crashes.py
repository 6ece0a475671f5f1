"""Backups are taken and restored while customers and staff use the API."""

import shutil
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from support import factories
from support.crash_test import EXPECTED_STATUSES, create_clients, running
from support.invariants import assert_invariants

from shop.models import Order, Product

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PICTURE = "products/2026/03/mug.webp"


def wait_for_orders(crash_test):
    """Wait until five more orders are confirmed."""
    target = len(crash_test.confirmed) + 5
    while len(crash_test.confirmed) < target:
        crash_test.stopped.wait(0.05)


def damage_shop():
    """Delete stock movements, events and pictures, and set a wrong stock."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM shop_stockmovement")
        cursor.execute("DELETE FROM shop_orderevent")
    # One transaction per product, which can't deadlock with checkouts.
    for product in Product.objects.all():
        Product.objects.filter(pk=product.pk).update(stock=3, image="")
    shutil.rmtree(Path(default_storage.location) / "products")


def all_rows_but_sessions():
    """Return every row, without what a restore changes: sessions, and the last logins."""
    rows = factories.all_rows()
    del rows["Session"]
    for user in rows["User"]:
        del user["last_login"]
    return rows


def test_a_damaged_shop_is_restored_while_orders_are_placed(crash_test, ada, mug, tmp_path):
    default_storage.save(PICTURE, ContentFile(b"A mug."))
    Product.objects.filter(pk=mug.pk).update(image=PICTURE)
    clients, file = create_clients(crash_test, ada), tmp_path / "shop.zip"

    with running(crash_test, clients):
        wait_for_orders(crash_test)
        confirmed_before = dict(crash_test.confirmed)
        call_command("backup", file)
        wait_for_orders(crash_test)
    call_command("restore", file, "--replace")
    assert_invariants()
    restored = dict(Order.objects.values_list("note", "order_number"))
    assert confirmed_before.items() <= restored.items() < crash_test.confirmed.items()
    contents = all_rows_but_sessions()

    with running(crash_test, clients):
        wait_for_orders(crash_test)
        damage_shop()
        wait_for_orders(crash_test)
        call_command("restore", file, "--replace")
        wait_for_orders(crash_test)
    assert crash_test.statuses.keys() <= EXPECTED_STATUSES | {401, 503}
    assert crash_test.statuses[401] > 0
    assert_invariants()
    assert Path(default_storage.path(PICTURE)).read_bytes() == b"A mug."

    call_command("restore", file, "--replace")
    assert all_rows_but_sessions() == contents
    call_command("check_stock")
    login = {"email": ada.email, "password": factories.PASSWORD}
    assert factories.api_client(None).post("/auth/login/", login).status_code == 200
