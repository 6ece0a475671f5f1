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
    middleware if it is none for text, such as `hex`. The name is replaced by one that Django
    ignores and `RequestLimitsMiddleware` refuses.
    """
    content_type = environ.get("CONTENT_TYPE", "")[:MAX_CONTENT_TYPE_LENGTH]
    media_type, parameters = parse_header_parameters(content_type)
    if parameters.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        environ["CONTENT_TYPE"] = f"{media_type}; charset=refused"
    return django_application(environ, start_response)
