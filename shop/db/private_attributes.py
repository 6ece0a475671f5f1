"""Private attributes of Django's files, requests and responses that have no public counterpart."""

from collections.abc import Mapping
from typing import Any

from django.db.models.fields.files import FieldFile
from django.http import HttpRequest, HttpResponse


def is_committed(file: FieldFile) -> bool:
    """Return whether the file is in the storage; an upload that has not been saved is not."""
    return file._committed  # type: ignore[attr-defined, no-any-return]


def mark_committed(file: FieldFile) -> None:
    """Record that the file is in the storage, so that saving the instance won't store it."""
    file._committed = True  # type: ignore[attr-defined]


def parsed_form(request: HttpRequest) -> dict[str, list[str]]:
    """Return the request's form fields if they have been parsed; never read the body."""
    form = vars(request).get("_post")
    return dict(form.lists()) if form else {}


def read_body(request: HttpRequest) -> bytes:
    """Return the request's body if it has been read; never read it."""
    return vars(request).get("_body") or b""


def set_default_csp(response: HttpResponse, policy: Mapping[str, Any]) -> None:
    """Send this Content-Security-Policy unless the view's `csp_override` has set another one."""
    vars(response).setdefault("_csp_config", policy)
