"""Conditional requests: an answer carries a tag, and nobody is sent what they have (RFC 9110, section 13)."""

import functools
import hashlib
from collections.abc import Callable
from typing import Annotated

from django.http import HttpResponse
from ninja import Header

from shop.api.responses import json_response

IfMatch = Annotated[str, Header(alias="If-Match", max_length=1000)]
IfNoneMatch = Annotated[str, Header(alias="If-None-Match", max_length=1000)]
#: What the document says of a call that takes `IfNoneMatch`.
NOT_MODIFIED_DOCS = {
    "responses": {304: {"description": "Not Modified: `If-None-Match` names what is there."}}
}
#: So many bodies are kept of each kind: about a megabyte, or twenty where pages are long.
MAX_CACHED_BODIES = 64

#: A body and its tag.
type Tagged = tuple[str, str]


def cached_body[**P](make: Callable[P, str]) -> Callable[P, Tagged]:
    """A function that makes a body of rows: what many are shown is made once, and is as fresh as its rows."""

    def tagged(*args: P.args, **kwargs: P.kwargs) -> Tagged:
        body = make(*args, **kwargs)
        return body, f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'

    kept = functools.lru_cache(MAX_CACHED_BODIES)(tagged)

    @functools.wraps(make)
    def run(*args: P.args, **kwargs: P.kwargs) -> Tagged:
        try:
            hash((args, *kwargs.values()))
        except TypeError:  # a field that holds JSON
            return tagged(*args, **kwargs)
        return kept(*args, **kwargs)  # type: ignore[arg-type]

    return run


def conditional_response(made: Tagged, if_none_match: str) -> HttpResponse:
    """The body, or 304 for who has it already; both may be kept, and are to be asked for again each time."""
    body, tag = made
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if etag_matches(tag, if_none_match, weak=True):
        return HttpResponse(status=304, headers=headers)
    return json_response(body, headers=headers)


def etag_matches(tag: str, header: str, *, weak: bool = False) -> bool:
    """Whether the header names this tag, or any; `weak` counts weak ones (RFC 9110, 13.1.1 and 13.1.2)."""
    named = [name.strip() for name in header.split(",")]
    if weak:
        named = [name.removeprefix("W/") for name in named]
    return header.strip() == "*" or tag in named
