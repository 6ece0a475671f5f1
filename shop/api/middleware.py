"""Middleware for every path under `/api/`, including those without an endpoint."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shop.api.problems import PROBLEM_MEDIA_TYPE, SERVER_ERROR, UNAVAILABLE, problem_response
from shop.images import MAX_IMAGE_BYTES

API_PREFIX = "/api/"
FORM_OVERHEAD = 64 * 1024
#: Details of the problems that replace Django's error pages, by status.
ERROR_DETAILS = {
    400: gettext_lazy("The request is malformed."),
    403: gettext_lazy("The request was refused."),
    404: gettext_lazy("There is no endpoint at this URL."),
    405: gettext_lazy("This URL doesn't support the request's method."),
    413: gettext_lazy("The body is too large."),
    415: gettext_lazy("Send the body as UTF-8."),
    500: SERVER_ERROR,
    503: UNAVAILABLE,
}


class ApiMiddleware:
    """Check the body's size and type, and turn Django's error pages into problem details."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(API_PREFIX):
            return self.get_response(request)

        response = _reject_body(request) or self.get_response(request)
        status = response.status_code
        if status in ERROR_DETAILS and response.get("Content-Type") != PROBLEM_MEDIA_TYPE:
            allow = response.get("Allow")
            response = problem_response(status, ERROR_DETAILS[status])
            if allow:
                response["Allow"] = allow
        if "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        return response


def unknown_url(request: HttpRequest, *_args: str) -> HttpResponse:
    """Respond 404 to every URL under `/api/` that has no endpoint.

    Without this view, Django would redirect to add a slash, and clients would lose the body.
    """
    if request.path.endswith("/"):
        return problem_response(404, ERROR_DETAILS[404])
    return problem_response(404, _("There is no endpoint at this URL. URLs end with a slash."))


def _reject_body(request: HttpRequest) -> HttpResponse | None:
    """Return an error response if the body's length or type is wrong, before the body is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) == 0:
        return None

    limit, media_type = settings.DATA_UPLOAD_MAX_MEMORY_SIZE, "application/json"
    if request.path_info.endswith("/image/"):
        limit, media_type = MAX_IMAGE_BYTES + FORM_OVERHEAD, "multipart/form-data"
    if int(length) > limit:
        detail = _("The body is larger than %(limit)d KB.") % {"limit": limit // 1024}
        return problem_response(413, detail)
    if request.content_type != media_type:
        detail = _("Send the body with the content type %(type)s.") % {"type": media_type}
        return problem_response(415, detail)
    return None
