"""The `Idempotency-Key` header: a POST that is sent twice is carried out once."""

import functools
import json
from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Header, Status
from ninja.utils import contribute_operation_args
from pydantic import BaseModel

from shop.api.request_values import SingleLineText
from shop.api.responses import json_response
from shop.models import User
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

type Endpoint = Callable[..., HttpResponse | Status[None]]
type UserOfRequest = Callable[..., User | None]


def _authenticated_user(request: Any, **_values: Any) -> User:
    user: User = request.auth.user
    return user


def idempotent(
    endpoint: Endpoint, *, user_of: UserOfRequest = _authenticated_user
) -> Callable[..., HttpResponse | Status[None]]:
    """Make a POST endpoint honour `Idempotency-Key`, which belongs to the user of the request.

    Effects, key and response are one transaction, so a failed call stores no key. `user_of` takes
    the request and the endpoint's parameters; for None the key is ignored. Without a key, the
    endpoint is called as it is.
    """

    @functools.wraps(endpoint)
    def run(
        request: HttpRequest, *, idempotency_key: str, **values: Any
    ) -> HttpResponse | Status[None]:
        user = user_of(request, **values) if idempotency_key else None
        if user is None:
            return endpoint(request, **values)
        answer, is_replay = run_once(
            user=user,
            key=idempotency_key,
            request=request_text(request, *values.values()),
            work=lambda: _store_response(endpoint(request, **values)),
        )
        return _load_response(answer, REPLAYED if is_replay else {})

    run.raises = (*getattr(endpoint, "raises", ()), IdempotencyKeyReused)  # type: ignore[attr-defined]
    contribute_operation_args(run, "idempotency_key", SingleLineText, KEY_HEADER)
    return run


def request_text(request: HttpRequest, *values: Any) -> str:
    """Return what makes two requests the same: method, path and the parsed body."""
    bodies = [value for value in values if isinstance(value, BaseModel)]
    body = "".join(body.model_dump_json(warnings=False) for body in bodies)
    return f"{request.method} {request.path}\n{body}"


def _store_response(response: HttpResponse | Status[None]) -> str:
    if isinstance(response, Status):
        return json.dumps([response.status_code, "", ""])
    return json.dumps([response.status_code, response.get("ETag", ""), response.text])


def _load_response(answer: str, headers: dict[str, str]) -> HttpResponse:
    # Version 1.0.0 stored the body of an order, and nothing else. Remove this after version 1.1.
    is_order = answer.startswith("{")
    status, etag, body = (201, "", answer) if is_order else json.loads(answer)
    tag = {"ETag": etag} if etag else {}
    return json_response(body, status=status, headers=headers | tag)
