"""The API itself: django-ninja with our parser, our errors and a document that declares all of them."""

import functools
import json
from collections.abc import Callable
from decimal import Decimal
from http import HTTPStatus
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser

from shop.api.auth import Bearer
from shop.api.problems import BUSY, CODES, MEDIA_TYPE, Problem, register_handlers, status_of
from shop.services.errors import InvalidToken, ShopError, TokenExpired


def documents_errors[F: Callable[..., Any]](*found: type[ShopError]) -> Callable[[F], F]:
    """Name the errors of its own that an endpoint can give, for the document."""

    def mark(endpoint: F) -> F:
        endpoint.raises = found  # type: ignore[attr-defined]
        return endpoint

    return mark


class StrictParser(Parser):
    """JSON as RFC 8259 has it: no NaN, and numbers with every digit that was sent."""

    def parse_body(self, request: HttpRequest) -> Any:
        return json.loads(request.body.decode(), parse_float=Decimal, parse_constant=_refuse)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


class ShopAPI(NinjaAPI):
    """django-ninja, with every error in its document."""

    def __init__(self, **options: Any) -> None:
        super().__init__(parser=StrictParser(), **options)
        self.operations: dict[str, Operation] = {}
        register_handlers(self)

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The endpoint's own name: what a generated client calls its method."""
        operation_id = operation.view_func.__name__
        self.operations[operation_id] = operation
        return operation_id

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """The document, with the errors that each operation can give."""
        document = super().get_openapi_schema(**options)
        document["components"]["schemas"]["Problem"] = _problem_schema(document)
        for path, methods in document["paths"].items():
            for described in methods.values():
                operation = self.operations[described["operationId"]]
                described["responses"] |= _errors(operation, described, has_id="{" in path)
        return document


def _problem_schema(document: OpenAPISchema) -> dict[str, Any]:
    schema = Problem.model_json_schema(
        ref_template="#/components/schemas/{model}", mode="serialization"
    )
    document["components"]["schemas"] |= schema.pop("$defs")
    return schema


def _errors(operation: Operation, described: dict[str, Any], *, has_id: bool) -> dict[int, Any]:
    """The operation's errors by status, each naming its codes: its own, and those its shape implies."""
    codes: dict[int, list[str]] = {503: [BUSY]}
    for error in getattr(operation.view_func, "raises", ()):
        codes.setdefault(status_of(error), []).append(error.code)
    bearers = [auth for auth in operation.auth_callbacks if isinstance(auth, Bearer)]
    if bearers:
        codes[401] = [InvalidToken.code, TokenExpired.code]
    implied = {
        400: "requestBody" in described,
        401: bool(bearers),
        403: any(bearer.staff_only for bearer in bearers),
        404: has_id,
        413: "requestBody" in described,
        415: "requestBody" in described,
        422: "requestBody" in described or any(p["in"] != "path" for p in described["parameters"]),
        429: operation.view_func.__name__ != "health",
        503: True,
    }
    for status in (status for status, applies in implied.items() if applies):
        codes.setdefault(status, []).append(CODES[status])
    return {status: _response(status, sorted(set(codes[status]))) for status in sorted(codes)}


@functools.cache
def _reference() -> dict[str, Any]:
    return {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _response(status: int, codes: list[str]) -> dict[str, Any]:
    named = ", ".join(f"`{code}`" for code in codes)
    return {"description": f"{HTTPStatus(status).phrase}: {named}", "content": _reference()}
