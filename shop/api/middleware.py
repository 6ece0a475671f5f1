"""Middleware for every path under `/api/`, including those without an endpoint."""

import sys
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import resolve
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt

from shop.api.problems import (
    MALFORMED,
    PROBLEM_MEDIA_TYPE,
    SERVER_ERROR,
    UNAVAILABLE,
    problem_response,
)
from shop.images import MAX_IMAGE_BYTES

API_PREFIX = "/api/"
HEALTH_URL = "/api/health/"
FORM_OVERHEAD = 64 * 1024
#: More digits than any limit has. Python refuses to parse thousands of them.
_MAX_LENGTH_DIGITS = 15
#: Details of the problems that replace Django's error pages, by status.
ERROR_DETAILS = {
    400: MALFORMED,
    403: gettext_lazy("The request was refused."),
    404: gettext_lazy("There is no endpoint at this URL."),
    405: gettext_lazy("This URL doesn't support the request's method."),
    411: gettext_lazy("Send a Content-Length."),
    413: gettext_lazy("The body is too large."),
    415: gettext_lazy("Send the body as UTF-8."),
    500: SERVER_ERROR,
    503: UNAVAILABLE,
}


class ApiMiddleware:
    """Check the body's size, answer HEAD, and turn Django's error pages into problem details."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not f"{request.path_info}/".startswith(API_PREFIX):
            return self.get_response(request)
        if request.method != "HEAD":
            return self._respond(request)

        request.method = "GET"
        response = self._respond(request)
        request.method = "HEAD"
        response.setdefault("Content-Length", str(len(response.content)))
        response.content = b""
        return response

    def _respond(self, request: HttpRequest) -> HttpResponse:
        refusal = _reject_plain_http(request) or _reject_body(request)
        response = refusal or self.get_response(request)
        status = response.status_code
        if status in ERROR_DETAILS and response.get("Content-Type") != PROBLEM_MEDIA_TYPE:
            allow = response.get("Allow")
            response = problem_response(status, ERROR_DETAILS[status])
            if allow:
                response["Allow"] = _with_head(allow)
        if "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        return response


def _with_head(allow: str) -> str:
    """Return an `Allow` header in alphabetical order, with HEAD where it has GET."""
    methods = set(allow.split(", "))
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


@csrf_exempt
def unknown_url(request: HttpRequest, *_args: str) -> HttpResponse:
    """Respond 404 to every URL under `/api/` that has no endpoint.

    Without this view, Django would redirect to add a slash, and clients would lose the body.
    """
    if request.path.endswith("/"):
        return problem_response(404, ERROR_DETAILS[404])
    return problem_response(404, _("There is no endpoint at this URL. URLs end with a slash."))


def body_length(request: HttpRequest) -> int | None:
    """Return the Content-Length, 0 if there is none, or None if it is malformed."""
    digits = request.META.get("CONTENT_LENGTH") or "0"
    if not (digits.isascii() and digits.isdigit()):
        return None
    return int(digits) if len(digits) <= _MAX_LENGTH_DIGITS else sys.maxsize


def _reject_plain_http(request: HttpRequest) -> HttpResponse | None:
    """Return a 403 response where HTTPS is required: a redirect would hide that a token leaked.

    The health check is exempt: load balancers call it over plain HTTP.
    """
    if not settings.SECURE_SSL_REDIRECT or request.is_secure():
        return None
    if request.path_info == HEALTH_URL:
        return None
    return problem_response(403, _("Use HTTPS."), code="https-required")


def _reject_body(request: HttpRequest) -> HttpResponse | None:
    """Return an error response for a body over the limit or without an endpoint."""
    length = body_length(request)
    if not length:
        return None
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if request.path_info.endswith("/image/"):
        limit = MAX_IMAGE_BYTES + FORM_OVERHEAD
    if length > limit:
        detail = _("The body is larger than %(limit)d KB.") % {"limit": limit // 1024}
        return problem_response(413, detail)
    # A form is parsed before its URL is resolved, and a malformed one would be 400.
    is_form = request.content_type != "application/json"
    if is_form and resolve(request.path_info).func is unknown_url:
        return unknown_url(request)
    return None
