"""Files of pictures: stored as a whole, removed when nothing names them any more."""

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
from support.servers import PATIENCE

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


def contents(path):
    return {each.name: each.read_bytes() for each in path.parent.iterdir()}


def expected(picture):
    return {picture.name: picture.content, images.small_name(picture.name): picture.small}


def test_what_a_killed_process_left_half_written_is_made_good(picture):
    path = store(picture)
    path.write_bytes(b"half")
    path.with_suffix(".small.webp").write_bytes(b"")
    store(picture)
    assert contents(path) == expected(picture)


def test_many_who_store_the_same_at_once_leave_it_whole(picture):
    together = Barrier(8, timeout=PATIENCE)
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: (together.wait() and None) or store(picture), range(8)))
    assert contents(paths.pop()) == expected(picture)
    assert paths == set()


def test_a_picture_that_nobody_names_yet_is_left_for_a_day(picture):
    store(picture)
    assert (purge_pictures(), len(factories.stored_pictures())) == (0, 1)
    assert factories.pictures_after_purge() == []


def test_an_old_one_that_is_stored_again_is_young(picture):
    path = store(picture)
    for each in path.parent.iterdir():
        os.utime(each, (0, 0))
    store(picture)
    assert (purge_pictures(), factories.stored_pictures()) == (0, [path])
    factories.create_product("Mug", image=f"products/{picture.name}")
    assert factories.pictures_after_purge() == [path]
    assert contents(path) == expected(picture)


@pytest.mark.parametrize("save", [True, False])
def test_a_product_that_lets_go_of_a_picture_leaves_the_file(picture, save):
    path = store(picture)
    mug, lamp = (
        factories.create_product(name, image=f"products/{path.name}") for name in ("Mug", "Lamp")
    )
    mug.image.delete(save=save)
    assert (bool(mug.image), factories.pictures_after_purge()) == (False, [path])
    mug.refresh_from_db()
    lamp.refresh_from_db()
    assert (bool(mug.image), bool(lamp.image)) == (not save, True)


def test_what_is_not_ours_is_left_and_what_a_killed_process_left_is_not(picture):
    store(picture)
    lying = [
        "logo.webp",
        "products/mug.webp",
        f"{picture.name}.part",
        f"products/{'0' * 32}.webp_a1B2c3D.part",
    ]
    for name in lying:
        default_storage.save(name, ContentFile(b"x"))
    factories.pictures_after_purge()
    assert sorted(images.stored_files(default_storage)) == ["logo.webp", "products/mug.webp"]
