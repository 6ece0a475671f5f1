"""Responses: rows are serialised by pydantic directly, without model instances."""

from typing import Any

from django.http import HttpResponse
from pydantic import BaseModel

type Headers = dict[str, str]


def serialize(schema: type[BaseModel], data: dict[str, Any]) -> str:
    """Return the data as JSON in the schema's form, without the fields that are not in `data`."""
    return schema.model_validate(data).model_dump_json(exclude_unset=True)


def respond(
    schema: type[BaseModel],
    data: dict[str, Any],
    *,
    status: int = 200,
    headers: Headers | None = None,
) -> HttpResponse:
    """Serialise the data and return it as a response."""
    return json_response(serialize(schema, data), status=status, headers=headers)


def json_response(
    body: str | bytes, *, status: int = 200, headers: Headers | None = None
) -> HttpResponse:
    """Return a response with a body that is JSON already."""
    return HttpResponse(body, status=status, content_type="application/json", headers=headers)
