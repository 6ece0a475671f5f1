"""A full disk: the request is refused, nothing is half done, and no part of a file stays."""

import errno
import io
import tempfile
import zipfile
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.core.management import CommandError, call_command
from support import factories, image_files, import_client

from shop.models import ChangeSet, Product
from shop.product_files.imports.runner import WORKER_TIMEOUT

ERRORS = [errno.ENOSPC, errno.EDQUOT, errno.EROFS]
TABLE = "sku,name,price\nMUG-1,Mug,13.00\nVASE,Vase,30\n"


@pytest.fixture
def disk(monkeypatch):
    """`disk(2)` lets two files be written and refuses the third half-way; `disk(None)` all."""
    write_bytes, room = Path.write_bytes, {"files": None, "errno": errno.ENOSPC}

    def write(path, content):
        if room["files"] is None or room["files"]:
            room["files"] = room["files"] and room["files"] - 1
            return write_bytes(path, content)
        write_bytes(path, content[:10])
        raise OSError(room["errno"], "No space left on device")

    def set_room(files, number=errno.ENOSPC):
        room.update(files=files, errno=number)

    monkeypatch.setattr(Path, "write_bytes", write)
    return set_room


def media_files():
    return [path for path in Path(django_settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def rows():
    """Return all rows but those of sign-ins."""
    return {name: found for name, found in factories.all_rows().items() if name != "Session"}


def picture():
    return SimpleUploadedFile("red.png", image_files.make_image("PNG"), "image/png")


@pytest.mark.parametrize("files", [0, 1])
@pytest.mark.parametrize("number", ERRORS)
def test_the_api_answers_503(adas_app, mug, disk, files, number):
    before = rows()
    disk(files, number)
    response = image_files.send_image(adas_app, mug.pk, image_files.make_image())
    assert factories.problem_code(response) == (503, "storage-full")
    assert response["Retry-After"] == "1"
    assert (rows(), media_files()) == (before, [])

    disk(None)
    response = image_files.send_image(adas_app, mug.pk, image_files.make_image())
    assert (response.status_code, len(media_files())) == (200, 2)


def test_another_error_of_the_disk_stays_a_server_error(adas_app, mug, disk):
    disk(0, errno.EIO)
    response = image_files.send_image(adas_app, mug.pk, image_files.make_image())
    assert factories.problem_code(response) == (500, "internal-error")
    assert media_files() == []


@pytest.mark.parametrize("page", ["add/", "change/"])
def test_the_admin_shows_the_error_at_the_field(ada, mug, disk, page):
    browser = factories.staff_client(ada)
    url = f"/admin/shop/product/{'add/' if page == 'add/' else f'{mug.pk}/change/'}"
    form = browser.get(url).context["adminform"].form
    values = {name: form[name].value() for name in form.fields if name != "image"}
    values = {name: value for name, value in values.items() if value is not None}
    values |= {"name": "Red vase", "price": "5.00", "image": picture()}
    before = rows()

    disk(0)
    response = browser.post(url, values)
    errors = response.context["adminform"].form.errors.as_data()
    assert {name: error.code for name, [error] in errors.items()} == {"image": "storage_full"}
    assert (rows(), media_files()) == (before, [])

    disk(None)
    assert browser.post(url, values | {"image": picture()}).status_code == 302
    assert Product.objects.get(name="Red vase").image
    assert len(media_files()) == 2


@pytest.fixture
def zip_file(tmp_path):
    """A table and pictures of both its products."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("table.csv", TABLE)
        for name, colour in (("MUG-1", "red"), ("VASE", "blue")):
            image = image_files.make_image("PNG", colour=colour)
            archive.writestr(f"{name}.png", image)
    return packed.getvalue()


def with_pictures():
    return sorted(Product.objects.exclude(image="").values_list("sku", flat=True))


def test_an_import_goes_on_where_the_disk_was_full(ada, mug, zip_file, disk):
    browser = factories.staff_client(ada)
    import_client.upload(browser, zip_file, name="spring.zip")
    disk(2)
    page = import_client.apply(browser)
    change_set = import_client.latest_import()
    assert page.status_code == 200
    assert (change_set.state, change_set.pending_step["step"]) == ("applied", "pictures")
    assert change_set.error == page.context["change_set"].error != ""
    assert (with_pictures(), len(media_files())) == (["MUG-1"], 2)

    pending = change_set.pending_step
    long_ago = change_set.heartbeat_at - 2 * WORKER_TIMEOUT
    pending["at"] = long_ago.isoformat()
    ChangeSet.objects.update(pending_step=pending, heartbeat_at=long_ago)
    disk(None)
    browser.post(import_client.step_url("run-now"))
    change_set.refresh_from_db()
    assert (change_set.error, change_set.pending_step) == ("", {})
    assert change_set.result["pictures"] == 2
    assert (with_pictures(), len(media_files())) == (["MUG-1", "VASE"], 4)


def test_the_import_command_says_what_was_done(ada, mug, zip_file, disk, tmp_path):
    file = tmp_path / "spring.zip"
    file.write_bytes(zip_file)
    disk(0)
    with pytest.raises(CommandError, match="Run it again"):
        call_command("import_products", file)
    assert (with_pictures(), media_files()) == ([], [])
    disk(None)
    call_command("import_products", file)
    assert (with_pictures(), len(media_files())) == (["MUG-1", "VASE"], 4)


def raise_full(*_args, **_options):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_an_export_without_room_for_its_file_is_503(ada, mug, monkeypatch):
    browser = factories.staff_client(ada, raise_request_exception=False)
    monkeypatch.setattr(tempfile, "TemporaryFile", raise_full)
    values = {"file_format": "csv", "layout": "own"}
    response = browser.post("/admin/shop/product/export/", values)
    assert (response.status_code, response["Retry-After"]) == (503, "1")


@pytest.mark.parametrize("url", ["/admin/shop/changeset/add/", "/admin/login/"])
def test_an_upload_without_room_for_its_file_is_503(ada, monkeypatch, url):
    browser = factories.staff_client(ada, raise_request_exception=False)
    monkeypatch.setattr(TemporaryFileUploadHandler, "new_file", raise_full)
    values = {"file": SimpleUploadedFile("a.csv", b"x" * 3_000_000)}
    assert browser.post(url, values).status_code == 503
    assert not ChangeSet.objects.exists()


def test_a_picture_without_room_for_its_upload_is_503(adas_app, mug, monkeypatch):
    adas_app.client.raise_request_exception = False
    monkeypatch.setattr(TemporaryFileUploadHandler, "new_file", raise_full)
    response = image_files.send_image(adas_app, mug.pk, b"x" * 3_000_000)
    assert factories.problem_code(response) == (503, "unavailable")


@pytest.mark.django_db(transaction=True)
def test_a_backup_without_room_leaves_nothing(mug, tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile.ZipFile, "writestr", raise_full)
    with pytest.raises(CommandError, match="No space left"):
        call_command("backup", tmp_path / "shop.zip")
    assert [path.name for path in tmp_path.iterdir() if "zip" in path.name] == []
