"""Which fields of a model are readable and writable in the API, the admin and product files.

A field declares what it allows: `editable=False` makes it read-only everywhere, and a name in the
model's `STAFF_ONLY` attribute never appears in the API. All three interfaces take their lists of
fields from this module, so that a new model field appears in each of them without further code.
"""

import functools
import re
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models

type Model = type[models.Model]
type Field = models.Field[Any, Any]

SECRET_NAME_PATTERN = re.compile(
    r"pass|secret|token|hash|salt|otp|key$|cost|margin|internal|private|staff"
)
#: Field types whose values don't fit in a column of a list.
NON_COLUMN_TYPES = (models.TextField, models.JSONField, models.FileField)


def concrete_fields(model: Model) -> list[Field]:
    """Return the fields that have a column in the model's table, in declaration order."""
    return list(model._meta.concrete_fields)


def get_field(model: Model, name: str) -> Field:
    """Return the field with this name. Raises FieldDoesNotExist."""
    field: Field = model._meta.get_field(name)  # type: ignore[assignment]
    return field


def staff_only_fields(model: Model) -> frozenset[str]:
    """Return the names of the fields that only the admin and product files contain."""
    return getattr(model, "STAFF_ONLY", frozenset())


def api_readable_fields(model: Model) -> list[str]:
    """Return the names of the fields in an API response."""
    return [f.name for f in concrete_fields(model) if f.name not in staff_only_fields(model)]


def api_writable_fields(model: Model) -> list[str]:
    """Return the names of the fields in a JSON request body. Files have endpoints of their own."""
    return [name for name in file_fields(model) if name not in staff_only_fields(model)]


def editable_fields(model: Model) -> list[str]:
    """Return the names of the fields that staff edit in the admin's form."""
    return [f.name for f in concrete_fields(model) if f.editable and not f.primary_key]


def file_fields(model: Model) -> list[str]:
    """Return the names of the fields that are columns of a product file: editable, not uploads."""
    return [
        name
        for name in editable_fields(model)
        if not isinstance(get_field(model, name), models.FileField)
    ]


def read_only_fields(model: Model) -> list[str]:
    """Return the names of the fields that the admin shows but nobody edits."""
    return [f.name for f in concrete_fields(model) if not f.editable]


def list_columns(model: Model) -> list[str]:
    """Return the names of the fields whose values fit in a column of the admin's list."""
    return [
        f.name
        for f in concrete_fields(model)
        if not isinstance(f, NON_COLUMN_TYPES) and not f.primary_key
    ]


@functools.cache
def media_fields(model: Model) -> list[str]:
    """Return the names of the uploaded files in an API response, which are rendered as URLs."""
    return [
        name
        for name in api_readable_fields(model)
        if isinstance(get_field(model, name), models.FileField)
    ]


def exposed_models() -> list[Model]:
    """Return the exposed models: those with a `STAFF_ONLY` attribute, which may be empty."""
    return [m for m in apps.get_app_config("shop").get_models() if hasattr(m, "STAFF_ONLY")]


def find_staff_only_errors(model: Model) -> Iterator[str]:
    """Yield an error message for each public field with a secret-sounding name.

    Also for each name in `STAFF_ONLY` that is not a field. The system check `shop.E001` shows them.
    """
    names = {f.name for f in concrete_fields(model)}
    for name in sorted(names - staff_only_fields(model)):
        if SECRET_NAME_PATTERN.search(name):
            yield f"'{name}' sounds secret and would be public: add it to STAFF_ONLY or rename it"
    for name in sorted(staff_only_fields(model) - names):
        yield f"STAFF_ONLY names '{name}', which is not a field"
