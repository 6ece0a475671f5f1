"""Logging as one JSON object per line, with the request id and without personal data or secrets."""

import json
import logging
import re
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime

from django.http import HttpRequest

from shop.db import private_attributes

REDACTED = "[hidden]"
MIN_SECRET_LENGTH = 6  # redacting shorter values would remove ordinary words
_current_request: ContextVar[tuple[str, HttpRequest | None]] = ContextVar(
    "current_request", default=("", None)
)

_PRIVATE_NAMES = (
    "password|passwd|secret|token|authorization|cookie|session_?(?:id|key)|address|email|phone"
)
_SECRET_PATTERN = re.compile(
    rf"""
    (?<![\w-])eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?                       # a JWT
    | (?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+                       # an email
    | \b(?:pbkdf2_sha\d+|argon2\w*|bcrypt\w*|scrypt|md5)\$\S+       # a password hash
    | (?<=://)[^/\s:@]*:[^/\s@]+(?=@)                    # user and password in a URL
    | (?<=DETAIL:).*?(?=\n\n|\Z)                         # the row in a PostgreSQL error
    | (?<![a-z])(?i:bearer|basic)\s+\S+
    | (?<![\w-])(?P<name>["']?[\w-]*(?i:{_PRIVATE_NAMES})["']?\s*[:=]\s*)
      (?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\n]+)     # a named value: quoted, or the whole line
    """,
    re.VERBOSE | re.DOTALL,
)


def start_request(request: HttpRequest) -> None:
    """Give the request a new id and attach it to the log lines of this context."""
    _current_request.set((uuid.uuid4().hex, request))


def request_id() -> str:
    """Return the id of the current request, or an empty string outside of one."""
    return _current_request.get()[0]


def redact(text: str) -> str:
    """Replace what the current client sent (body, cookies, token) and whatever looks secret."""
    request = _current_request.get()[1]
    for value in sorted(set(_client_values(request)) if request else (), key=len, reverse=True):
        for spelling in {value, repr(value)[1:-1], json.dumps(value)[1:-1]}:
            text = text.replace(spelling, REDACTED)
    return _SECRET_PATTERN.sub(lambda match: f"{match['name'] or ''}{REDACTED}", text)


def _client_values(request: HttpRequest) -> Iterator[str]:
    """Yield the texts of the request's cookies, token and body, if the body was already read."""
    values = [
        *request.COOKIES.values(),
        request.headers.get("Authorization", "").rpartition(" ")[2],
    ]
    for form_values in private_attributes.parsed_form(request).values():
        values += form_values
    try:
        body = json.loads(private_attributes.read_body(request) or "null")
    except (ValueError, RecursionError):
        body = None
    values += body.values() if isinstance(body, dict) else []
    return (value for value in values if isinstance(value, str) and len(value) >= MIN_SECRET_LENGTH)


class JsonFormatter(logging.Formatter):
    """Format each record as one line of JSON, with line breaks escaped and secrets redacted."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "request_id": request_id(),
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            entry["error"] = redact(self.formatException(record.exc_info))
        return json.dumps(entry)
