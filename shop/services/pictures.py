"""Deletion of image files that no row refers to."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

from django.apps import apps
from django.core.files.storage import default_storage
from django.db import models
from django.utils import timezone

from shop import images
from shop.models import ChangeRow
from shop.services.change_sets.pictures import PICTURE_FIELDS

#: Age from which an unreferenced file is deleted; a younger one's transaction may still be open.
MIN_AGE = timedelta(days=1)
#: Names of our own files, incomplete ones of killed processes included. Others are left alone.
OWN_FILES = re.compile(r"(?:.*/)?[0-9a-f]{32}(?:\.small)?\.webp(?:\w*\.part)?")


def purge_pictures() -> int:
    """Delete image files that no row names, nor would after undoing an import; return the count.

    Files are deleted only here: they are named by content, so several products may share one.
    """
    since, named, count = timezone.now() - MIN_AGE, set(_referenced_files()), 0
    for name in filter(OWN_FILES.fullmatch, list(images.stored_files(default_storage))):
        if name not in named:
            with suppress(FileNotFoundError):
                # Checked last: storing the same image again renews the file's time.
                if default_storage.get_modified_time(name) < since:
                    default_storage.delete(name)
                    count += 1
    return count


def _referenced_files() -> Iterator[str]:
    for name in _image_names():
        yield name
        yield images.small_name(name)


def _image_names() -> Iterator[str]:
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.FileField):
                yield from model._base_manager.exclude(**{field.name: ""}).values_list(
                    field.name, flat=True
                )
    for name in PICTURE_FIELDS:
        rows = ChangeRow.objects.filter(before__has_key=name)
        yield from rows.values_list(f"before__{name}", flat=True)
