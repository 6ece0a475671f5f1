"""The `Idempotency-Key` header: a POST that is sent twice is carried out once."""

import functools
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Header
from ninja.utils import contribute_operation_args
from pydantic import BaseModel

from shop.api.auth import ApiRequest
from shop.api.request_values import SingleLineText
from shop.api.responses import json_response
from shop.services.errors import IdempotencyKeyReused
from shop.services.idempotency import run_once

KEY_DESCRIPTION = (
    "Any text of up to 255 characters, new for each request. The same request with the same key is "
    "carried out once: sent again within three days, it gets the first response."
)
REPLAYED = {"Idempotent-Replayed": "true"}
KEY_HEADER: Any = Header(  # type: ignore[type-arg]
    "", alias="Idempotency-Key", max_length=255, description=KEY_DESCRIPTION
)
IdempotencyKeyHeader = Annotated[SingleLineText, KEY_HEADER]

type Endpoint = Callable[..., HttpResponse]
type Around = Callable[..., AbstractContextManager[None]]


def idempotent(endpoint: Endpoint) -> Endpoint:
    """Make a POST endpoint honour `Idempotency-Key`, which belongs to the authenticated user.

    Effects, key and response are one transaction, so a failed call stores no key. Without a key,
    the endpoint is called as it is.
    """
    return _make_idempotent(endpoint, None)


def idempotent_within(around: Around) -> Callable[[Endpoint], Endpoint]:
    """Return `idempotent` for an endpoint that needs something done outside of the transaction.

    `around` gets the request, its key and the endpoint's values. It is a context manager, entered
    before the transaction and left after it.
    """
    return functools.partial(_make_idempotent, around=around)


def _make_idempotent(endpoint: Endpoint, around: Around | None) -> Endpoint:
    @functools.wraps(endpoint)
    def run(request: ApiRequest, *, idempotency_key: str, **values: Any) -> HttpResponse:
        if around is None:
            return run_with_key(request, idempotency_key, values)
        with around(request, key=idempotency_key, **values):
            return run_with_key(request, idempotency_key, values)

    def run_with_key(
        request: ApiRequest, idempotency_key: str, values: dict[str, Any]
    ) -> HttpResponse:
        if not idempotency_key:
            return endpoint(request, **values)
        answer, is_replay = run_once(
            user=request.auth.user,
            key=idempotency_key,
            request=request_text(request, *values.values()),
            work=lambda: _store_response(endpoint(request, **values)),
        )
        status, etag, content = json.loads(answer)
        headers = ({"ETag": etag} if etag else {}) | (REPLAYED if is_replay else {})
        return json_response(content, status=status, headers=headers)

    run.raises = (*getattr(endpoint, "raises", ()), IdempotencyKeyReused)  # type: ignore[attr-defined]
    contribute_operation_args(run, "idempotency_key", SingleLineText, KEY_HEADER)
    return run


def request_text(request: HttpRequest, *values: Any) -> str:
    """Return what makes two requests the same: method, path and what the body sets.

    Without defaults, so that it stays the same when a release adds a field.
    """
    bodies = [value for value in values if isinstance(value, BaseModel)]
    texts = [
        body.model_dump_json(exclude_unset=True, exclude_defaults=True, warnings=False)
        for body in bodies
    ]
    return "\n".join([f"{request.method} {request.path}", *texts])


def _store_response(response: HttpResponse) -> str:
    return json.dumps([response.status_code, response.get("ETag", ""), response.text])
