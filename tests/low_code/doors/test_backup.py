"""Backups hold new fields, relations, further models and their pictures."""

import os
from datetime import date
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from support import backups, world
from support.image_files import make_image

from shop.models import Order, Product, User
from shop.services import crud
from shop.services.stock import find_drift

pytestmark = pytest.mark.django_db(transaction=True)
#: A backup of the demo from before the changes, made by `growth.py`.
BEFORE = Path("before.zip")
PRODUCT_VALUES = {
    "colour": "green",
    "season": "ss",
    "weight": 300,
    "is_fragile": True,
    "released_on": date(2026, 3, 1),
    "tare": "1.250",
    "facts": {"dishwasher": ["yes", 1, None]},
    "supplier_code": "4006381333931",
    "cost": "3.20",
}


def upload(name, colour):
    return SimpleUploadedFile(f"{name}.jpg", make_image(colour=colour))


def get_model(name):
    return apps.get_model("shop", name)


@pytest.fixture
def shop(ada, carl, dora, tags):
    """Rows of every model, with values in the new fields and a file in each file field."""
    world.create_world(ada, carl, dora)
    japan = crud.create_record(get_model("Country"), actor=ada, values={"name": "Japan"})
    logo = {"logo": upload("logo", "red"), "country": japan, "founded_on": date(1901, 2, 3)}
    kiln = crud.create_record(
        get_model("Brand"), actor=ada, values={"name": "Kiln & Sons", "margin": "0.40", **logo}
    )
    mug = Product.objects.get(sku="MUG-1")
    manual = SimpleUploadedFile("manual.txt", b"Do not boil.")
    values = PRODUCT_VALUES | {"back": upload("back", "blue"), "manual": manual}
    crud.update_record(
        Product, pk=mug.pk, actor=ada, changes={**values, "brand": kiln, "tags": tags}
    )
    Order.objects.update(gift_message="For you", pickup_on=date(2026, 3, 2), channel="web")
    User.objects.update(company="Fern Ltd", birthday=date(1990, 5, 6), credit="1.50")
    return backups.read_everything()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "shop.zip"


def test_restore_brings_back_all_changes(shop, file):
    rows, files = shop
    assert len(rows["Product_tags"]) == 2
    assert {path.parts[0] for path in files} == {"brands", "manuals", "products"}
    call_command("backup", file)
    Product.objects.update(colour="", facts={}, brand=None)
    Product.objects.get(sku="MUG-1").tags.clear()
    get_model("Brand").objects.all().delete()
    Order.objects.update(gift_message="")
    for path in files:
        (Path(settings.MEDIA_ROOT) / path).unlink()

    call_command("restore", file, "--replace")
    assert backups.read_everything() == shop
    get_model("Brand").objects.create(name="Its key is free")


def test_a_backup_moves_to_another_database_and_back(shop, file, tmp_path):
    """From PostgreSQL to SQLite and back, or between two of SQLite."""
    back = file.with_name("back.zip")
    call_command("backup", file)
    backups.run_elsewhere(tmp_path, ["restore", file], ["check_stock"], ["backup", back])
    assert backups.read_hashes(back) == backups.read_hashes(file)
    get_model("Brand").objects.filter(name="Kiln & Sons").update(name="Lost")
    call_command("restore", back, "--replace")
    assert backups.read_everything() == shop


def test_a_backup_from_before_the_changes_is_restored(file, tmp_path):
    """An older backup is restored into an empty database, and migrated there."""
    old = BEFORE.resolve()
    backups.run_elsewhere(tmp_path, ["restore", old], ["migrate", "--check"], ["backup", file])
    call_command("restore", file, "--replace")
    assert Product.objects.count() > 50
    assert set(Product.objects.values_list("colour", "weight", "brand", "tags")) == {
        ("", None, None, None)
    }
    assert set(Order.objects.values_list("gift_message", "channel")) == {("", "app")}
    assert not get_model("Brand").objects.exists()
    assert list(find_drift()) == []


def test_a_purge_keeps_the_files_of_new_fields(shop):
    _, files = shop
    lost = Path(settings.MEDIA_ROOT) / "brands" / ("0" * 32 + ".webp")
    lost.write_bytes(b"no row refers to it")
    for path in Path(settings.MEDIA_ROOT).rglob("*.*"):
        os.utime(path, (0, 0))
    call_command("purge")
    assert not lost.exists()
    assert backups.read_everything()[1] == files
