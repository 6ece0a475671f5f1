"""Pictures that nothing shows any more."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

from django.apps import apps
from django.core.files.storage import default_storage
from django.db import models
from django.utils import timezone

from shop import images
from shop.models import ImportRow
from shop.services.import_pictures import FIELD

#: So long a stored picture is left alone, since the transaction that is to name it may still be under way.
LEFT_FOR = timedelta(days=1)
#: Our own files: whatever else lies in the storage is somebody's. Parts are of those who were killed.
OURS = re.compile(r"(?:.*/)?[0-9a-f]{32}(?:\.small)?\.webp(?:\w*\.part)?")


def purge_pictures() -> int:
    """Remove the files of pictures that no row names, nor would after an undo; returns how many.

    The one place where they are removed: named by their content, several products may show the same.
    """
    since, named, count = timezone.now() - LEFT_FOR, set(_named()), 0
    for name in filter(OURS.fullmatch, list(images.stored_files(default_storage))):
        if name not in named:
            with suppress(FileNotFoundError):
                # Asked last: whoever stores the same picture anew makes it young.
                if default_storage.get_modified_time(name) < since:
                    default_storage.delete(name)
                    count += 1
    return count


def _named() -> Iterator[str]:
    for name in _shown():
        yield name
        yield images.small_name(name)


def _shown() -> Iterator[str]:
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.FileField):
                yield from model._base_manager.exclude(**{field.name: ""}).values_list(
                    field.name, flat=True
                )
    yield from ImportRow.objects.filter(before__has_key=FIELD).values_list(
        f"before__{FIELD}", flat=True
    )
