"""Django's error handlers: in the back office's frame for signed-in staff, else a page alone."""

import logging
import sys

from django.contrib import admin
from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from shop.caching import CacheUnavailable
from shop.images import STORAGE_FULL

logger = logging.getLogger(__name__)
OUTAGE_ERRORS = (OperationalError, InterfaceError, InternalError, CacheUnavailable)
#: The templates that an error page may extend; its context names one as `frame`.
ADMIN_FRAME, NO_FRAME = "admin/error_page.html", "error_page.html"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Return status 400."""
    return _error_page(request, 400, "400.html")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Return status 403."""
    return _error_page(request, 403, "403.html")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """Return status 403 for a form whose token is missing or belongs to an earlier session."""
    return _error_page(request, 403, "403_csrf.html")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Return status 404."""
    return _error_page(request, 404, "404.html")


def server_error(request: HttpRequest) -> HttpResponse:
    """Return status 503 in an outage, without database and cache; else 500."""
    error = sys.exception()
    is_full = isinstance(error, OSError) and error.errno in STORAGE_FULL
    if is_full or isinstance(error, OUTAGE_ERRORS):
        body = render_to_string("500.html", {"is_outage": True, "frame": NO_FRAME})
        return HttpResponse(body, status=503, headers={"Retry-After": "1"})
    return _error_page(request, 500, "500.html")


def _error_page(request: HttpRequest, status: int, template: str) -> HttpResponse:
    """Render the page in the admin's frame if it can be; the frame may be what failed."""
    try:
        if request.path.startswith(reverse("admin:index")) and admin.site.has_permission(request):
            context = {**admin.site.each_context(request), "frame": ADMIN_FRAME}
            return HttpResponse(render_to_string(template, context, request), status=status)
    except Exception:  # no session yet, none to be read, or a bug of the frame
        logger.warning("The error page is shown without the admin's frame.", exc_info=True)
    return HttpResponse(render_to_string(template, {"frame": NO_FRAME}), status=status)
