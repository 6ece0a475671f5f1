import errno
import json
import zipfile
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.tokens import default_token_generator
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import models
from django.test import Client
from support import factories, world
from support.backups import read_everything, read_hashes, run_elsewhere

from shop.management import backup
from shop.models import BrowserSession, Order, Product, Session, User
from shop.services.orders import place_order
from shop.services.products import update_product
from shop.services.stock import find_drift

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = django_settings.BASE_DIR
#: A migration that changes no column and that no other depends on.
LEAF_MIGRATION = ["admin", "0003_logentry_add_action_flag_choices"]
PICTURE = ROOT / "fixtures/demo/pictures/mug-stone-blue.webp"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "shop.zip"


@pytest.fixture
def shop(ada, carl, dora):
    """Rows of every model, and a picture."""
    world.create_world(ada, carl, dora)
    mug = Product.objects.get(sku="MUG-1")
    image = SimpleUploadedFile("mug.webp", PICTURE.read_bytes())
    update_product(
        product_id=mug.pk, actor=ada, changes={"image": image, "description": "Größe 1\n\u2028“L”"}
    )
    return read_everything()


@pytest.mark.usefixtures("shop")
def test_restore_brings_back_lost_data(file, ada, carl, capsys):
    before = read_everything()
    call_command("backup", file)
    assert capsys.readouterr().out.endswith("rows and 2 files, verified.\n")
    assert (file.stat().st_mode & 0o777, list(file.parent.glob("*.part"))) == (0o600, [])
    Order.objects.update(total_amount=0, credited_amount=0)
    Product.objects.update(stock=0, image="")
    next(Path(django_settings.MEDIA_ROOT).rglob("*.webp")).unlink()
    call_command("restore", file, "--replace")
    assert read_everything() == before
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
def test_a_restore_ends_every_session(file, ada, carl, capsys):
    """Sessions that the backup holds, also those that were signed out after it."""
    kept, signed_out = factories.api_client(carl), factories.api_client(carl)
    kept_browser, signed_out_browser = factories.staff_client(ada), factories.staff_client(ada)
    call_command("backup", file)
    assert signed_out.post("/auth/logout/").status_code == 204
    BrowserSession.objects.filter(pk=signed_out_browser.session.session_key).delete()
    new, new_browser = factories.api_client(carl), factories.staff_client(ada)

    call_command("restore", file, "--replace")
    assert "signed out" in capsys.readouterr().out
    for app in (kept, signed_out, new):
        assert factories.problem_code(app.get("/cart/")) == (401, "token-invalid")
    assert [
        browser.get("/admin/").status_code
        for browser in (kept_browser, signed_out_browser, new_browser)
    ] == [302] * 3
    assert not Session.objects.filter(revoked_at=None).exists()
    assert Session.objects.filter(revoked_because="restore").exists()
    assert not BrowserSession.objects.exists()


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("last_login", [None, datetime(2026, 1, 1, tzinfo=UTC)])
def test_a_used_link_to_reset_a_password_stays_used(file, carl, last_login):
    carl.last_login = last_login
    carl.save()
    token = default_token_generator.make_token(carl)
    call_command("backup", file)
    call_command("restore", file, "--replace")
    assert not default_token_generator.check_token(User.objects.get(pk=carl.pk), token)


@pytest.mark.usefixtures("shop")
def test_a_full_disk_restores_nothing(file, monkeypatch):
    call_command("backup", file)
    Product.objects.update(name="Another")
    before = read_everything()

    def copy(content, target):
        target.write(content.read(100))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(backup.shutil, "copyfileobj", copy)
    with pytest.raises(CommandError, match="No space left"):
        call_command("restore", file, "--replace")
    assert read_everything() == before


@pytest.mark.usefixtures("shop")
def test_existing_data_is_not_replaced_without_the_option(file):
    call_command("backup", file)
    Product.objects.update(name="Another")
    before = read_everything()
    with pytest.raises(CommandError, match="not empty"):
        call_command("restore", file)
    assert read_everything() == before


def damaged_copies(file):
    """Yield contents with a flipped byte, with other rows, cut, empty, and not a ZIP file."""
    content = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        member = archive.getinfo("rows/shop_product")
    start = member.header_offset + 30 + len(member.filename)  # the local header's length
    for share in (0.1, 0.5, 0.9):
        flipped = bytearray(content)
        flipped[start + int(member.compress_size * share)] ^= 0xFF
        yield bytes(flipped)
    yield rewrite_member(file, "rows/shop_product", b"[]\n")
    yield content[: len(content) // 2]
    yield b""
    yield b"not a ZIP file"


@pytest.mark.usefixtures("shop")
def test_damaged_file_is_refused_and_nothing_changes(file):
    call_command("backup", file)
    before = read_everything()
    for content in list(damaged_copies(file)):
        file.write_bytes(content)
        with pytest.raises(CommandError, match="damaged"):
            call_command("restore", file, "--replace")
        assert read_everything() == before


def rewrite_member(file, name, content):
    """Return a valid copy of the ZIP in which one member has other content."""
    other = file.with_suffix(".other")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w") as new:
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
    return other.read_bytes()


@pytest.mark.usefixtures("shop")
def test_backup_of_another_version_is_refused(file):
    call_command("backup", file)
    with zipfile.ZipFile(file) as archive:
        contents = json.loads(archive.read("contents.json"))
    applied = contents["migrations"]
    for message, migrations in {
        "is of a newer version: migration shop.9999_later": [*applied, ["shop", "9999_later"]],
        "is of another version": [name for name in applied if name != LEAF_MIGRATION],
    }.items():
        changed = json.dumps(contents | {"migrations": migrations}).encode()
        file.with_name("other.zip").write_bytes(rewrite_member(file, "contents.json", changed))
        before = read_everything()
        with pytest.raises(CommandError, match=message):
            call_command("restore", file.with_name("other.zip"), "--replace")
        assert read_everything() == before


@pytest.mark.usefixtures("shop")
def test_failed_restore_changes_nothing(file, monkeypatch):
    call_command("backup", file)
    Product.objects.update(name="Another")
    before = read_everything()
    monkeypatch.setattr(backup, "no_style", None)  # called after all rows were inserted
    with pytest.raises(TypeError):
        call_command("restore", file, "--replace")
    assert read_everything() == before


def test_unwritable_path_is_an_error(mug, tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("backup", tmp_path / "missing" / "shop.zip")


def test_existing_backup_is_replaced_only_by_a_verified_one(mug, file, monkeypatch):
    call_command("backup", file)
    earlier = file.read_bytes()
    monkeypatch.setattr(backup, "read_backup", lambda _: raise_damaged())
    with pytest.raises(CommandError, match="damaged"):
        call_command("backup", file)
    assert (file.read_bytes(), list(file.parent.glob("*.part"))) == (earlier, [])


def raise_damaged():
    raise backup.BackupRefused("damaged")


@pytest.mark.slow
@pytest.mark.usefixtures("shop")
def test_backup_moves_to_another_database_and_back(file, tmp_path):
    before = read_everything()
    back = file.with_name("back.zip")
    call_command("backup", file)
    run_elsewhere(tmp_path, ["restore", file], ["check_stock"], ["backup", back])
    assert read_hashes(back) == read_hashes(file)
    Product.objects.update(stock=0)
    call_command("restore", back, "--replace")
    assert read_everything() == before


@pytest.mark.slow
@pytest.mark.usefixtures("shop")
def test_backup_of_an_older_version_is_migrated(file, tmp_path):
    call_command("backup", file)
    with zipfile.ZipFile(file) as archive:
        contents = json.loads(archive.read("contents.json"))
    contents["migrations"].remove(LEAF_MIGRATION)
    file.write_bytes(rewrite_member(file, "contents.json", json.dumps(contents).encode()))
    run_elsewhere(tmp_path, ["restore", file], ["migrate", "--check"], ["check_stock"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (models.DurationField(), timedelta(days=-1, seconds=5, microseconds=7)),
        (models.TimeField(), time(7, 5, 3, 9)),
        (models.DateField(), date(2026, 3, 1)),
        (models.DateTimeField(), datetime(2026, 3, 1, 7, 5, tzinfo=UTC)),
        (models.UUIDField(), UUID(int=7)),
        (models.DecimalField(), Decimal("1.250")),
        (models.BinaryField(), b"\0a"),
    ],
)
def test_a_value_of_any_kind_is_read_as_it_was_written(field, value):
    text = json.loads(json.dumps(value, default=backup._encode_json))
    assert field.to_python(text) == value
