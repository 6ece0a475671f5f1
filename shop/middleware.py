"""What every answer tells the browser, whichever layer it comes from."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csp import ContentSecurityPolicyMiddleware

from shop import json_logging
from shop.db.private_attributes import set_default_csp


class SecurityHeadersMiddleware(ContentSecurityPolicyMiddleware):
    """Django's policy, another below some addresses (CSP_BELOW), and what Django has no setting for."""

    def process_request(self, request: HttpRequest) -> None:
        json_logging.start_request(request)
        super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        here = [
            policy
            for prefix, policy in settings.CSP_BELOW.items()
            if request.path_info.startswith(prefix)
        ]
        if here:
            set_default_csp(response, here[0])
        response["X-Request-Id"] = json_logging.request_id()
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        # Apps on other sites show the shop's pictures; nothing else is for them to embed.
        is_picture = request.path_info.startswith(settings.MEDIA_URL)
        response.setdefault(
            "Cross-Origin-Resource-Policy", "cross-origin" if is_picture else "same-origin"
        )
        return super().process_response(request, response)
