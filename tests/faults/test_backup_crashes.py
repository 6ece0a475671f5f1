"""A backup of a busy shop is that shop at one moment, and brings a broken one back while orders come in."""

import shutil
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from support import factories
from support.crash_test import FINE, at_work, crowd
from support.invariants import assert_invariants

from shop.models import Order, Product

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PICTURE = "products/2026/03/mug.webp"


def more_orders(fire):
    enough = len(fire.told) + 5
    while len(fire.told) < enough:
        fire.over.wait(0.05)


def break_the_shop():
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM shop_stockmovement")
        cursor.execute("DELETE FROM shop_orderevent")
    for product in Product.objects.all():  # one by one, so as not to wait in a circle with buyers
        Product.objects.filter(pk=product.pk).update(stock=3, image="")
    shutil.rmtree(Path(default_storage.location) / "products")


def test_a_broken_shop_comes_back_while_orders_come_in(fire, ada, mug, tmp_path):
    default_storage.save(PICTURE, ContentFile(b"A mug."))
    Product.objects.filter(pk=mug.pk).update(image=PICTURE)
    persons, file = crowd(fire, ada), tmp_path / "shop.zip"

    with at_work(fire, persons):
        more_orders(fire)
        told_before = dict(fire.told)
        call_command("backup", file)
        more_orders(fire)
    call_command("restore", file, "--replace")
    assert_invariants()
    in_backup = dict(Order.objects.values_list("note", "order_number"))
    assert told_before.items() <= in_backup.items() < fire.told.items()
    contents = factories.all_rows()

    with at_work(fire, persons):
        more_orders(fire)
        break_the_shop()
        more_orders(fire)
        call_command("restore", file, "--replace")
        more_orders(fire)
    assert fire.answers.keys() <= FINE | {503}
    assert_invariants()
    assert Path(default_storage.path(PICTURE)).read_bytes() == b"A mug."

    call_command("restore", file, "--replace")
    assert factories.all_rows() == contents
    call_command("check_stock")
    login = {"email": ada.email, "password": factories.PASSWORD}
    assert factories.api_client(None).post("/auth/login/", login).status_code == 200
