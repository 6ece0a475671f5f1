"""WSGI entry point: `gunicorn settings.wsgi`."""

import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings.production")
MAX_CONTENT_TYPE_LENGTH = 1_000
django_application = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Serve a request.

    Django decodes the query string with any codec that `charset` names, and fails before the first
    middleware if it is none for text, such as `hex`. Such a header, or one too long to be parsed
    cheaply, is replaced by one that `RequestLimitsMiddleware` refuses.
    """
    content_type = environ.get("CONTENT_TYPE", "")
    _, parameters = parse_header_parameters(content_type[:MAX_CONTENT_TYPE_LENGTH])
    is_utf8 = parameters.get("charset", "utf-8").lower() in {"utf-8", "utf8"}
    if not is_utf8 or len(content_type) > MAX_CONTENT_TYPE_LENGTH:
        environ["CONTENT_TYPE"] = "text/plain; charset=refused"
    return django_application(environ, start_response)
