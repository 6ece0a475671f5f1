"""Security headers and the request id for every response, including static files and errors."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csp import ContentSecurityPolicyMiddleware

from shop import json_logging
from shop.db.private_attributes import set_default_csp


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
