"""ETags and conditional requests (RFC 9110, section 13)."""

import functools
import hashlib
import re
from collections.abc import Callable
from typing import Annotated

from django.http import HttpResponse
from ninja import Header

from shop.api.responses import json_response

IfMatch = Annotated[str, Header(alias="If-Match", max_length=1000)]
IfNoneMatch = Annotated[str, Header(alias="If-None-Match", max_length=1000)]
#: OpenAPI of the 304 response, for endpoints that take `IfNoneMatch`.
NOT_MODIFIED_DOCS = {
    "responses": {304: {"description": "Not Modified: the current ETag is in `If-None-Match`."}}
}
#: Bodies cached per decorated function: about 1 MB, or 20 MB of long pages.
MAX_CACHED_BODIES = 64

#: The second half of an `expanded_etag`.
EXPANSION = re.compile(r'-[0-9a-f]{32}(?=")')

#: A serialised body and its ETag.
type BodyWithEtag = tuple[str, str]


def cached_body[**P](serialize: Callable[P, str]) -> Callable[P, BodyWithEtag]:
    """Cache the serialised body and its ETag, keyed by the arguments: the row values.

    A changed row has another key, so the cache is never stale. Unhashable values, such as those of
    a JSON field, are not cached.
    """

    def compute(*args: P.args, **kwargs: P.kwargs) -> BodyWithEtag:
        body = serialize(*args, **kwargs)
        return body, f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'

    cached = functools.lru_cache(MAX_CACHED_BODIES)(compute)

    @functools.wraps(serialize)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> BodyWithEtag:
        try:
            hash((args, *kwargs.values()))
        except TypeError:
            return compute(*args, **kwargs)
        return cached(*args, **kwargs)  # type: ignore[arg-type]

    return wrapper


def conditional_response(tagged: BodyWithEtag, if_none_match: str) -> HttpResponse:
    """Respond with the body, or 304 if the client has it. Clients must revalidate their copy."""
    body, etag = tagged
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if etag_matches(etag, if_none_match, weak=True):
        return HttpResponse(status=304, headers=headers)
    return json_response(body, headers=headers)


def etag_matches(etag: str, header: str, *, weak: bool = False) -> bool:
    """Return whether the header is `*` or lists this ETag.

    `weak` selects weak comparison, for If-None-Match; If-Match compares strongly (RFC 9110,
    section 8.8.3.2).
    """
    listed = [item.strip() for item in header.split(",")]
    if weak:
        listed = [item.removeprefix("W/") for item in listed]
    return header.strip() == "*" or etag in listed


def expanded_etag(plain: str, expanded: str) -> str:
    """Return the ETag of a record with related ones, from those of its body without and with them.

    It starts with that of the record alone, so that it can be sent as `If-Match` too.
    """
    return f"{plain[:-1]}-{expanded[1:]}"


def plain_etags(header: str) -> str:
    """Return an `If-Match` header with the ETags of records alone."""
    return EXPANSION.sub("", header)
