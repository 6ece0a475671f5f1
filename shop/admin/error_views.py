"""Django's `handler500`, which tells an outage of database, cache or disk from a bug."""

import sys

from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

from shop.caching import CacheUnavailable
from shop.images import STORAGE_FULL

OUTAGE_ERRORS = (OperationalError, InterfaceError, InternalError, CacheUnavailable)


def server_error(_request: HttpRequest) -> HttpResponse:
    """Return status 503 during an outage, else 500. Uses neither database nor cache itself."""
    error = sys.exception()
    is_full = isinstance(error, OSError) and error.errno in STORAGE_FULL
    is_outage = is_full or isinstance(error, OUTAGE_ERRORS)
    body = get_template("500.html").render({"is_outage": is_outage})
    if is_outage:
        return HttpResponse(body, status=503, headers={"Retry-After": "1"})
    return HttpResponse(body, status=500)
