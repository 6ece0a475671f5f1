"""Errors as the API tells them: one shape for all (RFC 9457), each with a code that an app can switch on."""

import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, RequestDataTooBig, ValidationError
from django.db import DataError, IntegrityError, InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as BadRequestValues
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from redis.exceptions import RedisError

from shop import json_logging
from shop.api.auth import Forbidden
from shop.db.transactions import is_busy
from shop.services import errors
from shop.throttling import TooManyCalls

logger = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
#: Unlike `unavailable`: the database is well, others stood in the way.
BUSY = "busy"

#: The status of a ShopError; a rule of the shop, 409, where none is named.
STATUS: dict[type[errors.ShopError], int] = {
    errors.NotFound: 404,
    errors.InvalidCredentials: 401,
    errors.WrongCode: 401,
    errors.InvalidToken: 401,
    errors.TokenExpired: 401,
    errors.TokenReused: 401,
    errors.InvalidResetToken: 422,
    errors.WrongPassword: 422,
    errors.PaymentDeclined: 402,
    errors.ProductChanged: 412,
    errors.IdempotencyKeyReused: 422,
    Forbidden: 403,
}

#: The code of an error that the shop's own services do not raise.
CODES = {
    400: "bad-request",
    401: "authentication-required",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid",
    429: "too-many-calls",
    500: "internal-error",
    503: "unavailable",
}


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str
    code: str


class Problem(BaseModel):
    """Every error, as RFC 9457 has it. Some codes add facts, such as `available`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field("about:blank", description="Always `about:blank`: see `code`.")
    title: str = Field(description="What the status says.")
    status: int
    detail: str = Field(description="What went wrong, in words for people.")
    code: str = Field(description="What went wrong, for programs: it never changes.")
    errors: list[FieldError] | None = Field(
        None, description="With code `invalid`: field by field."
    )
    request_id: str | None = Field(
        None, description="With status 500: by it we find what went wrong."
    )


def status_of(error: type[errors.ShopError]) -> int:
    """The HTTP status that a ShopError is told with."""
    return STATUS.get(error, 409)


def problem_response(status: int, detail: str, *, code: str = "", **details: Any) -> HttpResponse:
    """One error's answer."""
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        details["request_id"] = json_logging.request_id()
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code or CODES[status],
        **details,
    }
    response = HttpResponse(to_json(body), status=status, content_type=MEDIA_TYPE)
    if status == HTTPStatus.UNAUTHORIZED:
        # RFC 6750, section 3: without a token, no more than the scheme
        response["WWW-Authenticate"] = (
            'Bearer error="invalid_token"' if code.startswith("token") else "Bearer"
        )
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "1"
    return response


def invalid(wrong: Iterable[FieldError]) -> HttpResponse:
    """422: the values sent make no sense, field by field."""
    found = [error.model_dump() for error in wrong]
    detail = "; ".join(f"{error['field']}: {error['message']}" for error in found)
    return problem_response(422, detail, errors=found)


def _shop_error(_: HttpRequest, error: errors.ShopError) -> HttpResponse:
    return problem_response(status_of(type(error)), str(error), code=error.code, **error.details)


def _bad_values(_: HttpRequest, error: BadRequestValues) -> HttpResponse:
    if any(found["loc"][0] == "path" for found in error.errors):
        return problem_response(404, str(errors.NotFound.message))
    return invalid(
        FieldError(
            field=_field(*found["loc"]),
            message=found["msg"].removeprefix("Value error, "),
            code=found["type"],
        )
        for found in error.errors
    )


def _field(source: str, parameter: str, *inside: str | int) -> str:
    """Of a body, which is flat, the innermost name; of a query, the outermost in our parameter."""
    return str([parameter, *inside][-1 if source == "body" else min(1, len(inside))])


def _validation_error(_: HttpRequest, error: ValidationError) -> HttpResponse:
    by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
    return invalid(
        FieldError(
            field="" if field == NON_FIELD_ERRORS else field,
            message=message,
            code=str(one.code or "invalid"),
        )
        for field, found in by_field.items()
        for one in found
        for message in one.messages
    )


def _too_many_calls(_: HttpRequest, error: TooManyCalls) -> HttpResponse:
    response = problem_response(429, str(error))
    response["Retry-After"] = str(error.wait)
    return response


def _database_away(_: HttpRequest, error: Exception) -> HttpResponse:
    if is_busy(error):
        return problem_response(
            503, "Others are at the same just now. Try again in a moment.", code=BUSY
        )
    logger.warning("Database or cache did not answer: %s", error)
    return problem_response(503, "The shop cannot answer just now. Try again in a moment.")


def _unexpected(_: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("Unexpected error", exc_info=error)
    return problem_response(500, "Something went wrong on our side.")


HANDLERS: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
    errors.ShopError: _shop_error,
    BadRequestValues: _bad_values,
    ValidationError: _validation_error,
    TooManyCalls: _too_many_calls,
    AuthenticationError: lambda _, __: problem_response(401, "Sign in: send an access token."),
    HttpError: lambda _, error: problem_response(error.status_code, str(error)),
    RequestDataTooBig: lambda _, __: problem_response(413, "The body is too large."),
    IntegrityError: lambda _, __: problem_response(409, "Something changed meanwhile. Try again."),
    DataError: lambda _, __: problem_response(422, "A value is out of bounds."),
    OperationalError: _database_away,
    InterfaceError: _database_away,
    InternalError: _database_away,
    RedisError: _database_away,
    Exception: _unexpected,
}


def register_handlers(api: NinjaAPI) -> None:
    """Let the API tell every error in this shape."""
    for kind, handler in HANDLERS.items():
        api.add_exception_handler(kind, handler)
