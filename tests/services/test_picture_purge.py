"""Image files are stored completely, and deleted when no row refers to them."""

import os
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import Barrier

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image
from support import factories
from support.servers import TIMEOUT_SECONDS

from shop import images
from shop.services.pictures import purge_pictures

pytestmark = pytest.mark.django_db


@pytest.fixture
def picture():
    target = BytesIO()
    Image.new("RGB", (900, 900), "red").save(target, "PNG")
    return images.normalize_image(target)


def store(picture):
    images.store_picture(default_storage, f"products/{picture.name}", picture)
    return Path(default_storage.path(f"products/{picture.name}"))


def stored_contents(path):
    return {file.name: file.read_bytes() for file in path.parent.iterdir()}


def expected_contents(picture):
    return {picture.name: picture.content, images.small_name(picture.name): picture.small}


def test_storing_again_replaces_incomplete_files(picture):
    path = store(picture)
    path.write_bytes(b"half")
    path.with_suffix(".small.webp").write_bytes(b"")
    store(picture)
    assert stored_contents(path) == expected_contents(picture)


def test_concurrent_stores_of_one_image_leave_complete_files(picture):
    barrier = Barrier(8, timeout=TIMEOUT_SECONDS)
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: (barrier.wait() and None) or store(picture), range(8)))
    assert stored_contents(paths.pop()) == expected_contents(picture)
    assert paths == set()


def test_an_unreferenced_image_is_kept_for_a_day(picture):
    store(picture)
    assert (purge_pictures(), len(factories.stored_pictures())) == (0, 1)
    assert factories.pictures_after_purge() == []


def test_storing_an_old_image_again_renews_its_age(picture):
    path = store(picture)
    for file in path.parent.iterdir():
        os.utime(file, (0, 0))
    store(picture)
    assert (purge_pictures(), factories.stored_pictures()) == (0, [path])
    factories.create_product("Mug", image=f"products/{picture.name}")
    assert factories.pictures_after_purge() == [path]
    assert stored_contents(path) == expected_contents(picture)


@pytest.mark.parametrize("save", [True, False])
def test_clearing_a_picture_keeps_a_shared_file(picture, save):
    path = store(picture)
    mug, lamp = (
        factories.create_product(name, image=f"products/{path.name}") for name in ("Mug", "Lamp")
    )
    mug.image.delete(save=save)
    assert (bool(mug.image), factories.pictures_after_purge()) == (False, [path])
    mug.refresh_from_db()
    lamp.refresh_from_db()
    assert (bool(mug.image), bool(lamp.image)) == (not save, True)


def test_purging_deletes_incomplete_files_and_keeps_foreign_ones(picture):
    store(picture)
    names = [
        "logo.webp",
        "products/mug.webp",
        f"{picture.name}.part",
        f"products/{'0' * 32}.webp_a1B2c3D.part",
    ]
    for name in names:
        default_storage.save(name, ContentFile(b"x"))
    factories.pictures_after_purge()
    assert sorted(images.stored_files(default_storage)) == ["logo.webp", "products/mug.webp"]
