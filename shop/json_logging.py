"""Log lines: one JSON object each, with its request's number, and without what people keep to themselves."""

import json
import logging
import re
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime

from django.http import HttpRequest

from shop.db import private_attributes

HIDDEN = "[hidden]"
SHORTEST = 6  # what is shorter is a word of the code as well, and no password of ours
_call: ContextVar[tuple[str, HttpRequest | None]] = ContextVar("call", default=("", None))

_NAMES = "password|passwd|secret|token|authorization|cookie|session_?(?:id|key)|address|email|phone"
_SECRET = re.compile(
    rf"""
    (?<![\w-])eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?                       # a token of ours
    | (?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+                       # an email
    | \b(?:pbkdf2_sha\d+|argon2\w*|bcrypt\w*|scrypt|md5)\$\S+
    | (?<=://)[^/\s:@]*:[^/\s@]+(?=@)                    # user and password of a database
    | (?<=DETAIL:).*?(?=\n\n|\Z)                         # PostgreSQL's word on the row it refused
    | (?<![a-z])(?i:bearer|basic)\s+\S+
    | (?<![\w-])(?P<name>["']?[\w-]*(?i:{_NAMES})["']?\s*[:=]\s*)
      (?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\n]+)     # by its name: what is quoted, or the line
    """,
    re.VERBOSE | re.DOTALL,
)


def start_request(request: HttpRequest) -> None:
    """From here on, lines of this thread belong to this request: its number is always our own."""
    _call.set((uuid.uuid4().hex, request))


def request_id() -> str:
    """The number of the request at hand; empty outside of one."""
    return _call.get()[0]


def redact(text: str) -> str:
    """The text without whatever the client at hand has sent as body or proof, and what looks secret."""
    request = _call.get()[1]
    for value in sorted(set(_sent(request)) if request else (), key=len, reverse=True):
        for written in {value, repr(value)[1:-1], json.dumps(value)[1:-1]}:
            text = text.replace(written, HIDDEN)
    return _SECRET.sub(lambda found: f"{found['name'] or ''}{HIDDEN}", text)


def _sent(request: HttpRequest) -> Iterator[str]:
    values = [
        *request.COOKIES.values(),
        request.headers.get("Authorization", "").rpartition(" ")[2],
    ]
    for several in private_attributes.parsed_form(request).values():
        values += several
    try:
        body = json.loads(private_attributes.read_body(request) or "null")
    except (ValueError, RecursionError):
        body = None
    values += body.values() if isinstance(body, dict) else []
    return (value for value in values if isinstance(value, str) and len(value) >= SHORTEST)


class JsonFormatter(logging.Formatter):
    """One line for each record, whatever stands in it."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "request_id": request_id(),
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            line["error"] = redact(self.formatException(record.exc_info))
        return json.dumps(line)
