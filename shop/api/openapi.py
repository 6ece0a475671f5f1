"""The API class: django-ninja with a strict JSON parser and all errors in the OpenAPI document."""

import functools
import json
from collections.abc import Callable
from decimal import Decimal
from http import HTTPStatus
from typing import Any, NoReturn

from django.http import HttpRequest
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser

from shop.api import problems
from shop.api.auth import Bearer
from shop.api.strict_requests import check_whole_request
from shop.services.errors import InvalidToken, ShopError, TokenExpired


def documents_errors[F: Callable[..., Any]](*errors: type[ShopError]) -> Callable[[F], F]:
    """Return a decorator that adds the errors an endpoint raises to the OpenAPI document."""

    def decorate(endpoint: F) -> F:
        endpoint.raises = errors  # type: ignore[attr-defined]
        return endpoint

    return decorate


class StrictParser(Parser):
    """Parse JSON as RFC 8259 defines it, without NaN, and decimals without loss of digits."""

    def parse_body(self, request: HttpRequest) -> Any:
        return json.loads(
            request.body.decode(), parse_float=Decimal, parse_constant=_reject_constant
        )


def _read_only(view: Callable[..., Any]) -> Callable[..., Any]:
    """Make a view answer 405 to other methods than GET and HEAD, before any CSRF check."""
    return csrf_exempt(require_safe(view))


def _reject_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not valid JSON")


class ShopAPI(NinjaAPI):
    """django-ninja's API with problem details (RFC 9457) for errors, also in the document."""

    def __init__(self, **options: Any) -> None:
        super().__init__(parser=StrictParser(), docs_decorator=_read_only, **options)
        self.operations: dict[str, Operation] = {}
        problems.register_handlers(self)

    def add_router(self, prefix: str, router: Any, **options: Any) -> None:
        """Add a router, whose operations refuse what they would ignore."""
        for path_view in router.path_operations.values():
            for operation in path_view.operations:
                check_whole_request(operation)
        super().add_router(prefix, router, **options)

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Return the endpoint's function name. Generated clients name their methods after it."""
        operation_id = operation.view_func.__name__
        self.operations[operation_id] = operation
        return operation_id

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Return the OpenAPI document, with the error responses of each operation."""
        document = super().get_openapi_schema(**options)
        document["components"]["schemas"]["Problem"] = _problem_schema(document)
        for path, methods in document["paths"].items():
            for described in methods.values():
                operation = self.operations[described["operationId"]]
                described["responses"] |= _error_responses(operation, described, has_id="{" in path)
        _drop_unused_schemas(document)
        return document


def _drop_unused_schemas(document: OpenAPISchema) -> None:
    """Remove the classes of query parameters, which ninja adds and nothing refers to."""
    schemas, text = document["components"]["schemas"], json.dumps(document, default=str)
    for name in [name for name in schemas if f'/schemas/{name}"' not in text]:
        del schemas[name]


def _problem_schema(document: OpenAPISchema) -> dict[str, Any]:
    """Return the schema of `Problem`, and add the schemas that it refers to to the document."""
    schema = problems.Problem.model_json_schema(
        ref_template="#/components/schemas/{model}", mode="serialization"
    )
    document["components"]["schemas"] |= schema.pop("$defs")
    return schema


def _error_responses(
    operation: Operation, described: dict[str, Any], *, has_id: bool
) -> dict[int, Any]:
    """Return an operation's error responses by status.

    They are the errors that the endpoint declares, and those that follow from its parameters, body
    and authentication. `described` is the operation in the document.
    """
    codes: dict[int, list[str]] = {503: [problems.BUSY_CODE]}
    for error in getattr(operation.view_func, "raises", ()):
        codes.setdefault(problems.error_status(error), []).append(error.code)

    bearers = [auth for auth in operation.auth_callbacks if isinstance(auth, Bearer)]
    if bearers:
        codes[401] = [InvalidToken.code, TokenExpired.code]
    has_body = "requestBody" in described
    implied = {
        400: has_body,
        401: bool(bearers),
        403: any(bearer.staff_only for bearer in bearers),
        404: has_id,
        411: has_body,
        413: has_body,
        415: has_body,
        422: True,  # an unknown query parameter
        429: operation.view_func.__name__ != "health",
        503: True,
    }
    for status in (status for status, applies in implied.items() if applies):
        codes.setdefault(status, []).append(problems.CODE_BY_STATUS[status])
    responses = {status: _error_response(status, sorted(set(codes[status]))) for status in codes}
    schemas = [parameter["schema"] for parameter in described.get("parameters", ())]
    if any(schema.get("type") == "array" for schema in schemas):
        responses[414] = {"description": "URI Too Long: too many values. The body is HTML."}
    return dict(sorted(responses.items()))


@functools.cache
def _problem_content() -> dict[str, Any]:
    return {problems.PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _error_response(status: int, codes: list[str]) -> dict[str, Any]:
    listed = ", ".join(f"`{code}`" for code in codes)
    return {"description": f"{HTTPStatus(status).phrase}: {listed}", "content": _problem_content()}
