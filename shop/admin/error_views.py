"""What a browser is shown when something fails: that the database is away, or only that it went wrong."""

import sys

from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template
from redis.exceptions import RedisError

PASSING = (OperationalError, InterfaceError, InternalError, RedisError)


def server_error(_: HttpRequest) -> HttpResponse:
    """Django's handler500: 503 while database or cache do not answer. It asks neither."""
    is_passing = isinstance(sys.exception(), PASSING)
    text = get_template("500.html").render({"is_passing": is_passing})
    if is_passing:
        return HttpResponse(text, status=503, headers={"Retry-After": "1"})
    return HttpResponse(text, status=500)
