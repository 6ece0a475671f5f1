"""Which fields of a model are seen or written where.

The admin, the product file and the API all ask here, so that a field added to a model arrives in each
of them by itself. A field says what it allows where it is declared: `editable=False` is read-only
everywhere, and a name in the model's `STAFF_ONLY` never leaves through the API.
"""

import functools
import re
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models

type Model = type[models.Model]
type Field = models.Field[Any, Any]

SOUNDS_SECRET = re.compile(
    r"pass|secret|token|hash|salt|otp|key$|cost|margin|internal|private|staff"
)
TOO_LONG_FOR_A_LIST = (models.TextField, models.JSONField, models.FileField)


def concrete_fields(model: Model) -> list[Field]:
    """The model's own columns, in the order of their declaration."""
    return list(model._meta.concrete_fields)


def get_field(model: Model, name: str) -> Field:
    """One column by its name."""
    found: Field = model._meta.get_field(name)  # type: ignore[assignment]
    return found


def staff_only_fields(model: Model) -> frozenset[str]:
    """Names that only the admin and the product file show."""
    return getattr(model, "STAFF_ONLY", frozenset())


def api_readable_fields(model: Model) -> list[str]:
    """Names that the API shows."""
    return [f.name for f in concrete_fields(model) if f.name not in staff_only_fields(model)]


def api_writable_fields(model: Model) -> list[str]:
    """Names that the API takes in a JSON body; a file has its own address."""
    return [name for name in file_fields(model) if name not in staff_only_fields(model)]


def editable_fields(model: Model) -> list[str]:
    """Names that staff edit, in the admin's form and in the product file."""
    return [f.name for f in concrete_fields(model) if f.editable and not f.primary_key]


def file_fields(model: Model) -> list[str]:
    """Names that a cell of a product file can hold: what staff edit, but for files."""
    return [
        name
        for name in editable_fields(model)
        if not isinstance(get_field(model, name), models.FileField)
    ]


def read_only_fields(model: Model) -> list[str]:
    """Names that staff see and nobody edits."""
    return [f.name for f in concrete_fields(model) if not f.editable]


def list_columns(model: Model) -> list[str]:
    """Names short enough to be a column of a list."""
    return [
        f.name
        for f in concrete_fields(model)
        if not isinstance(f, TOO_LONG_FOR_A_LIST) and not f.primary_key
    ]


def find_mistakes(model: Model) -> Iterator[str]:
    """What is wrong with the model's STAFF_ONLY, in words."""
    names = {f.name for f in concrete_fields(model)}
    for name in sorted(names - staff_only_fields(model)):
        if SOUNDS_SECRET.search(name):
            yield f"'{name}' sounds secret and would be public: add it to STAFF_ONLY or rename it"
    for name in sorted(staff_only_fields(model) - names):
        yield f"STAFF_ONLY names '{name}', which is no field"


@functools.cache
def media_fields(model: Model) -> list[str]:
    """Names that the API shows as addresses."""
    return [
        n for n in api_readable_fields(model) if isinstance(get_field(model, n), models.FileField)
    ]


def exposed_models() -> list[Model]:
    """The models that declare their surface: they have a `STAFF_ONLY`, be it empty."""
    return [m for m in apps.get_app_config("shop").get_models() if hasattr(m, "STAFF_ONLY")]
