"""URLs of uploaded files in responses."""

from typing import Any
from urllib.parse import urljoin

from django.core.files.storage import default_storage
from django.http import HttpRequest

from shop import exposure


def with_media_urls(
    root: str, model: exposure.Model, rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Replace, in place, each file's storage name with its absolute URL, or null if empty."""
    for name in exposure.media_fields(model):
        for row in rows:
            row[name] = urljoin(root, default_storage.url(row[name])) if row[name] else None
    return rows


def site_root(request: HttpRequest) -> str:
    """Return the site's root URL, such as `https://shop.example.com/`."""
    return request.build_absolute_uri("/")
