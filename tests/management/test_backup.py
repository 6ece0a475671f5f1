"""A backup is the whole shop, and what comes back is what it was."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from support import factories, world

from shop.management import backup
from shop.models import Order, Product
from shop.services.orders import place_order
from shop.services.products import update_product
from shop.services.stock import find_drift

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = django_settings.BASE_DIR
LAST = [
    "admin",
    "0003_logentry_add_action_flag_choices",
]  # nothing rests on it, and no column is of it
PICTURE = ROOT / "fixtures/demo/pictures/mug-stone-blue.webp"


def everything():
    """Every row of every table, and every picture."""
    tables = apps.get_models(include_auto_created=True)
    rows = {model.__name__: list(model._base_manager.order_by("pk").values()) for model in tables}
    media = Path(django_settings.MEDIA_ROOT)
    return rows, {
        path.relative_to(media): path.read_bytes() for path in media.rglob("*") if path.is_file()
    }


@pytest.fixture
def file(tmp_path):
    return tmp_path / "shop.zip"


@pytest.fixture
def shop(ada, carl, dora):
    """A day's worth of everything, with a picture."""
    world.create_world(ada, carl, dora)
    mug = Product.objects.get(sku="MUG-1")
    image = SimpleUploadedFile("mug.webp", PICTURE.read_bytes())
    update_product(
        product_id=mug.pk, actor=ada, changes={"image": image, "description": "Größe 1\n\u2028“L”"}
    )
    return everything()


@pytest.mark.usefixtures("shop")
def test_what_was_lost_comes_back(file, carl, capsys):
    before = everything()
    call_command("backup", file)
    assert capsys.readouterr().out.endswith("rows and 2 files, checked.\n")
    assert (file.stat().st_mode & 0o777, list(file.parent.glob("*.part"))) == (0o600, [])
    Order.objects.update(total_amount=0)
    Product.objects.update(stock=0, image="")
    carl.sessions.all().delete()
    next(Path(django_settings.MEDIA_ROOT).rglob("*.webp")).unlink()
    call_command("restore", file, "--replace")
    assert everything() == before
    login = {"email": carl.email, "password": factories.PASSWORD}
    assert factories.api_client(None).post("/auth/login/", login).status_code == 200
    assert Client().login(username="ada@example.com", password=factories.PASSWORD)
    mug = Product.objects.get(sku="MUG-1")
    factories.add_to_cart(factories.User.objects.get(email="dora@example.com"), (mug, 1))
    place_order(
        user=factories.User.objects.get(email="dora@example.com"), shipping_address="1 Elm Street"
    )
    assert list(find_drift()) == []


@pytest.mark.usefixtures("shop")
def test_a_shop_is_not_replaced_unasked(file):
    call_command("backup", file)
    Product.objects.update(name="Another")
    before = everything()
    with pytest.raises(CommandError, match="holds a shop already"):
        call_command("restore", file)
    assert everything() == before


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("where", [0.1, 0.5, 0.9, "rows", "cut", "empty", "text"])
def test_a_damaged_file_is_refused_before_anything_is_touched(file, where):
    call_command("backup", file)
    content = bytearray(file.read_bytes())
    if isinstance(where, float):
        with zipfile.ZipFile(file) as archive:
            member = archive.getinfo("rows/shop_product")
        start = member.header_offset + 30 + len(member.filename)  # the local header's length
        content[start + int(member.compress_size * where)] ^= 0xFF
    elif where == "rows":
        content = rewritten(file, "rows/shop_product", b"[]\n")
    else:
        content = {
            "cut": content[: len(content) // 2],
            "empty": b"",
            "text": b"A shop, I promise.",
        }[where]
    file.write_bytes(content)
    before = everything()
    with pytest.raises(CommandError, match="damaged"):
        call_command("restore", file, "--replace")
    assert everything() == before


def rewritten(file, name, content):
    """The same ZIP, sound in itself, with other words in one place."""
    other = file.with_suffix(".other")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w") as new:
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
    return other.read_bytes()


@pytest.mark.usefixtures("shop")
def test_a_newer_or_another_shop_is_refused(file):
    call_command("backup", file)
    with zipfile.ZipFile(file) as archive:
        contents = json.loads(archive.read("contents.json"))
    noted = contents["migrations"]
    for said, migrations in {
        "is of a newer shop: shop.9999_later": [*noted, ["shop", "9999_later"]],
        "is of another version": [name for name in noted if name != LAST],
    }.items():
        changed = json.dumps(contents | {"migrations": migrations}).encode()
        file.with_name("other.zip").write_bytes(rewritten(file, "contents.json", changed))
        before = everything()
        with pytest.raises(CommandError, match=said):
            call_command("restore", file.with_name("other.zip"), "--replace")
        assert everything() == before


@pytest.mark.usefixtures("shop")
def test_what_fails_half_way_leaves_all_as_it_was(file, monkeypatch):
    call_command("backup", file)
    Product.objects.update(name="Another")
    before = everything()
    monkeypatch.setattr(backup, "no_style", None)  # by then every row is in its place
    with pytest.raises(TypeError):
        call_command("restore", file, "--replace")
    assert everything() == before


def test_what_cannot_be_written_is_told(mug, tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("backup", tmp_path / "nowhere" / "shop.zip")


def test_an_earlier_backup_stays_until_the_new_one_was_read(mug, file, monkeypatch):
    call_command("backup", file)
    earlier = file.read_bytes()
    monkeypatch.setattr(backup, "read_backup", lambda _: damaged())
    with pytest.raises(CommandError, match="damaged"):
        call_command("backup", file)
    assert (file.read_bytes(), list(file.parent.glob("*.part"))) == (earlier, [])


def damaged():
    raise backup.BackupRefused("damaged")


@pytest.fixture
def elsewhere(tmp_path):
    """Commands on a database that nothing is in yet."""
    url = f"sqlite:///{tmp_path}/other.sqlite3"
    places = {"DATABASE_URL": url, "MEDIA_ROOT": str(tmp_path / "other")}
    env = os.environ | places | {"DJANGO_SETTINGS_MODULE": "settings.development"}

    def run(*command):
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=env, check=True)

    return run


def hashes_of(file):
    with zipfile.ZipFile(file) as archive:
        return json.loads(archive.read("contents.json"))["hashes"]


@pytest.mark.usefixtures("shop")
def test_it_moves_to_another_database_and_back(file, elsewhere):
    before = everything()
    back = file.with_name("back.zip")
    call_command("backup", file)
    elsewhere("restore", file)
    elsewhere("check_stock")
    elsewhere("backup", back)
    assert hashes_of(back) == hashes_of(file)
    Product.objects.update(stock=0)
    call_command("restore", back, "--replace")
    assert everything() == before


@pytest.mark.usefixtures("shop")
def test_one_of_an_older_shop_is_brought_up_to_date(file, elsewhere):
    call_command("backup", file)
    with zipfile.ZipFile(file) as archive:
        contents = json.loads(archive.read("contents.json"))
    contents["migrations"].remove(LAST)
    file.write_bytes(rewritten(file, "contents.json", json.dumps(contents).encode()))
    elsewhere("restore", file)
    elsewhere("migrate", "--check")
    elsewhere("check_stock")
