"""Security headers and the request id for every response, and limits for every request."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.csp import ContentSecurityPolicyMiddleware
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils.translation import gettext_lazy as _

from shop import json_logging
from shop.admin.error_views import NO_FRAME
from shop.api.middleware import API_PREFIX, body_length
from shop.api.tokens import read_token
from shop.db.private_attributes import set_default_csp
from shop.models import ChangeSet
from shop.product_files.reading import limits
from shop.services.errors import ShopError
from shop.throttling import client_ip

MEGABYTE = 1024 * 1024
MAX_ANONYMOUS_BYTES, MAX_SIGNED_IN_BYTES = MEGABYTE, 6 * MEGABYTE
#: The form of an import takes two files.
MAX_IMPORT_BYTES = 2 * limits.MAX_BYTES + 10 * MEGABYTE
#: Longer than any link of the admin; gunicorn accepts 4 KB.
MAX_QUERY_LENGTH = 8_000
#: Status of a refusal -> what its page says.
REFUSALS = {
    400: _("The request is malformed. Go back and try again."),
    411: _("The request doesn't say how long it is."),
    413: _("The form or its file is too large. Choose a smaller file."),
    414: _("The address is too long. Use fewer filters."),
    415: _("The request isn't encoded in UTF-8."),
}


class SecurityHeadersMiddleware(ContentSecurityPolicyMiddleware):
    """Add the security headers that Django has no setting for, and a CSP that depends on the path.

    `CSP_BY_PREFIX` maps path prefixes to policies; every other path gets `SECURE_CSP`.
    """

    def process_request(self, request: HttpRequest) -> None:
        json_logging.start_request(request)
        super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        for prefix, policy in settings.CSP_BY_PREFIX.items():
            if request.path_info.startswith(prefix):
                set_default_csp(response, policy)
                break
        response["X-Request-Id"] = json_logging.request_id()
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")

        # Customer apps on other origins may show product images, and nothing else.
        is_media = request.path.startswith(settings.MEDIA_URL)
        response.setdefault(
            "Cross-Origin-Resource-Policy", "cross-origin" if is_media else "same-origin"
        )
        return super().process_response(request, response)


class BrowserSessionMiddleware(SessionMiddleware):
    """Tell the session from where the request comes."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.session.client_ip = client_ip(request)  # type: ignore[attr-defined]
        request.session.device = request.headers.get("User-Agent", "")  # type: ignore[attr-defined]


class RequestLimitsMiddleware:
    """Refuse what no page expects, by the headers alone: nothing of the body is read or stored.

    Bodies are at most 1 MB unless the user is signed in, 6 MB if so, and 110 MB for an upload by
    those who may import. The limits of the API's own bodies are in `shop.api.middleware`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_api = request.path_info.startswith(API_PREFIX)
        # PostgreSQL can't compare NUL. The API refuses it by the parameter's name.
        while not is_api and "%00" in (query := request.META.get("QUERY_STRING", "")):
            request.META["QUERY_STRING"] = query.replace("%00", "")
        status = _refusal_status(request, is_api=is_api)
        return _refuse(status) if status else self.get_response(request)


def _refusal_status(request: HttpRequest, *, is_api: bool) -> int | None:
    """Return the status of the refusal; None if the request may be handled."""
    charset = (request.content_params or {}).get("charset", "utf-8")
    if charset.lower() not in {"utf-8", "utf8"}:
        return 415
    if not is_api and len(request.META.get("QUERY_STRING", "")) > MAX_QUERY_LENGTH:
        return 414
    if "Transfer-Encoding" in request.headers:  # Django takes a chunked body for an empty one
        return 411
    length = body_length(request)
    if length is None:
        return 400
    return 413 if _is_too_long(request, length, is_api=is_api) else None


def _is_too_long(request: HttpRequest, length: int, *, is_api: bool) -> bool:
    """Return whether the body is over its limit. Reads the user only for more than 1 MB."""
    if length <= MAX_ANONYMOUS_BYTES:
        return False
    if not (_has_valid_token(request) if is_api else request.user.is_authenticated):
        return True
    return length > (MAX_IMPORT_BYTES if _may_upload_import(request) else MAX_SIGNED_IN_BYTES)


def _has_valid_token(request: HttpRequest) -> bool:
    """Return whether the request has an access token that we have signed; the API checks the rest.

    django-ninja parses a form before it authenticates the request.
    """
    try:
        read_token(request.headers.get("Authorization", "").removeprefix("Bearer "), "access")
    except ShopError:
        return False
    return True


def _may_upload_import(request: HttpRequest) -> bool:
    """Return whether the request is for the page that uploads an import, by one who may do so."""
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return False
    import_admin: Any = admin.site.get_model_admin(ChangeSet)
    is_upload = match.view_name == "admin:shop_changeset_add"
    return is_upload and import_admin.has_import_permission(request)


def _refuse(status: int) -> HttpResponse:
    context = {"reason": REFUSALS[status], "frame": NO_FRAME}
    return HttpResponse(render_to_string("400.html", context), status=status)
