"""Files leave as addresses."""

from typing import Any

from django.core.files.storage import default_storage
from django.http import HttpRequest

from shop import surface


def addressed(request: HttpRequest, model: surface.Model, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with each file's name made into its address, or null where there is none."""
    for name in surface.files(model):
        for row in rows:
            row[name] = request.build_absolute_uri(default_storage.url(row[name])) if row[name] else None
    return rows
