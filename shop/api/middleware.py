"""What holds for every call under `/api/`, also those that never reach an endpoint."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from shop.api.problems import MEDIA_TYPE, problem_response
from shop.images import MAX_BYTES

PREFIX = "/api/"
FORM_OVERHEAD = 64 * 1024
DETAILS = {
    400: "The request could not be understood.",
    403: "The request was refused.",
    404: "There is nothing at this address.",
    405: "This method is not known at this address.",
    500: "Something went wrong on our side.",
    503: "The shop cannot answer just now. Try again in a moment.",
}


class ApiMiddleware:
    """Bounds the body, and turns Django's own error pages into problems."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        response = _refusal(request) or self.get_response(request)
        if response.status_code in DETAILS and response.get("Content-Type") != MEDIA_TYPE:
            allow = response.get("Allow")
            response = problem_response(response.status_code, DETAILS[response.status_code])
            if allow:
                response["Allow"] = allow
        if "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        return response


def unknown_url(request: HttpRequest, *_: str) -> HttpResponse:
    """404 for everything under `/api/` that is no call, before Django redirects and loses a body."""
    hint = "" if request.path.endswith("/") else " Addresses end with a slash."
    return problem_response(404, DETAILS[404] + hint)


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """Refuse a body by its length and type before it is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) == 0:
        return None
    limit, wanted = settings.DATA_UPLOAD_MAX_MEMORY_SIZE, "application/json"
    if request.path_info.endswith("/image/"):
        limit, wanted = MAX_BYTES + FORM_OVERHEAD, "multipart/form-data"
    if int(length) > limit:
        return problem_response(413, f"The body is larger than {limit // 1024} KB.")
    if request.content_type != wanted:
        return problem_response(415, f"Send {wanted}.")
    return None
