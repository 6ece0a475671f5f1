"""Error responses as problem details (RFC 9457), each with a stable code for programs."""

import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.db import DataError, IntegrityError, InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from shop import json_logging
from shop.api.auth import Forbidden
from shop.caching import CacheUnavailable
from shop.db.transactions import is_busy
from shop.images import StorageFull
from shop.services import errors
from shop.throttling import TooManyCalls

logger = logging.getLogger(__name__)
PROBLEM_MEDIA_TYPE = "application/problem+json"
#: Unlike `unavailable`, the database is up: other transactions hold the locks.
BUSY_CODE = "busy"

#: HTTP status by error class; every other ShopError is 409.
STATUS_BY_ERROR: dict[type[errors.ShopError], int] = {
    errors.NotFound: 404,
    errors.InvalidCredentials: 401,
    errors.WrongCode: 401,
    errors.InvalidToken: 401,
    errors.TokenExpired: 401,
    errors.TokenReused: 401,
    errors.InvalidResetToken: 422,
    errors.WrongPassword: 422,
    errors.PaymentDeclined: 402,
    errors.RecordChanged: 412,
    errors.IdempotencyKeyReused: 422,
    errors.WebhookRefused: 400,
    Forbidden: 403,
}

#: Code by HTTP status, for errors that are not a ShopError.
CODE_BY_STATUS = {
    400: "bad-request",
    401: "authentication-required",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    411: "length-required",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid",
    429: "too-many-calls",
    500: "internal-error",
    503: "unavailable",
}

LENGTH_MESSAGES = {
    "too_short": _("This field cannot be blank."),
    "too_long": _("This is too long."),
}
SERVER_ERROR = _("Something went wrong on our side.")
MALFORMED = _("The request is malformed.")
UNAVAILABLE = _("The shop is temporarily unavailable. Try again in a moment.")


class FieldError(BaseModel):
    """An invalid value."""

    field: str
    message: str
    code: str


class Problem(BaseModel):
    """Problem details of an error (RFC 9457). Some codes add members, such as `available`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field("about:blank", description="Always `about:blank`; use `code` instead.")
    title: str = Field(description="Name of the HTTP status.")
    status: int
    detail: str = Field(description="Explanation of the error, to show to people.")
    code: str = Field(description="Stable identifier of the error, for programs.")
    errors: list[FieldError] | None = Field(
        None, description="With code `invalid`: the invalid fields."
    )
    request_id: str | None = Field(
        None, description="With status 500: id to quote when you report the error."
    )


def error_status(error: type[errors.ShopError]) -> int:
    """Return the HTTP status for a class of ShopError."""
    return STATUS_BY_ERROR.get(error, 409)


def problem_response(
    status: int, detail: str | Promise, *, code: str = "", **details: Any
) -> HttpResponse:
    """Return an error response. `code` defaults to the status's; `details` are added members."""
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        details["request_id"] = json_logging.request_id()
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": str(detail),
        "code": code or CODE_BY_STATUS[status],
        **details,
    }
    response = HttpResponse(to_json(body), status=status, content_type=PROBLEM_MEDIA_TYPE)
    if status == HTTPStatus.UNAUTHORIZED:
        # RFC 6750, section 3: no error code for a request without a token.
        response["WWW-Authenticate"] = (
            'Bearer error="invalid_token"' if code.startswith("token") else "Bearer"
        )
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "1"
    return response


def validation_problem(field_errors: Iterable[FieldError]) -> HttpResponse:
    """Return a 422 response that lists the invalid fields."""
    listed = [error.model_dump() for error in field_errors]
    # An error of the whole record has no field.
    detail = "; ".join(
        ": ".join(filter(None, (error["field"], error["message"]))) for error in listed
    )
    return problem_response(422, detail, errors=listed)


def _handle_shop_error(_request: HttpRequest, error: errors.ShopError) -> HttpResponse:
    status = error_status(type(error))
    return problem_response(status, str(error), code=error.code, **error.details)


def _handle_request_errors(_request: HttpRequest, error: RequestValidationError) -> HttpResponse:
    """Return 404 if a path parameter is invalid, else 422."""
    if any(detail["loc"][0] == "path" for detail in error.errors):
        return problem_response(404, str(errors.NotFound.message))
    return validation_problem(
        FieldError(
            field=_field_name(*detail["loc"]),
            message=_error_message(detail),
            code=detail["type"],
        )
        for detail in error.errors
    )


def _error_message(detail: dict[str, Any]) -> str:
    """Return pydantic's message, unless it speaks of "items" of a text that was cleaned first."""
    message = LENGTH_MESSAGES.get(detail["type"], detail["msg"])
    return str(message).removeprefix("Value error, ")


def _field_name(source: str, parameter: str, *inner: str | int) -> str:
    """Return the innermost name for a body, which is flat; for a query, the parameter's name.

    The index in a list is no name.
    """
    names = [str(name) for name in (parameter, *inner) if isinstance(name, str)]
    return names[-1 if source == "body" else min(1, len(names) - 1)]


def _handle_model_errors(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
    return validation_problem(
        FieldError(
            field="" if field == NON_FIELD_ERRORS else field,
            message=message,
            code=str(field_error.code or "invalid"),
        )
        for field, field_errors in by_field.items()
        for field_error in field_errors
        for message in field_error.messages
    )


def _handle_rate_limit(_request: HttpRequest, error: TooManyCalls) -> HttpResponse:
    response = problem_response(429, str(error))
    response["Retry-After"] = str(error.wait)
    return response


def _handle_outage(_request: HttpRequest, error: Exception) -> HttpResponse:
    if is_busy(error):
        return problem_response(503, _("Locked by another request; try again."), code=BUSY_CODE)
    logger.warning("Database or cache unavailable: %s", error)
    return problem_response(503, UNAVAILABLE)


def _handle_storage_full(_request: HttpRequest, error: StorageFull) -> HttpResponse:
    logger.error("Storage of uploaded files is full: %s", error.__cause__)
    return problem_response(503, error.strerror or "", code="storage-full")


def _handle_unexpected(_request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("Unexpected error", exc_info=error)
    return problem_response(500, SERVER_ERROR)


type Handler = Callable[[HttpRequest, Any], HttpResponse]


def _respond_with(status: int, detail: Promise) -> Handler:
    """Return a handler that always gives this response."""
    return lambda _request, _error: problem_response(status, detail)


HANDLERS: dict[type[Exception], Handler] = {
    errors.ShopError: _handle_shop_error,
    RequestValidationError: _handle_request_errors,
    ValidationError: _handle_model_errors,
    TooManyCalls: _handle_rate_limit,
    AuthenticationError: _respond_with(401, _("Log in, and send the access token.")),
    HttpError: lambda _request, error: problem_response(error.status_code, str(error)),
    SuspiciousOperation: _respond_with(400, MALFORMED),
    RequestDataTooBig: _respond_with(413, _("The body is too large.")),
    IntegrityError: _respond_with(409, _("The data changed at the same time. Try again.")),
    DataError: _respond_with(422, _("A value is out of range.")),
    OperationalError: _handle_outage,
    InterfaceError: _handle_outage,
    InternalError: _handle_outage,
    CacheUnavailable: _handle_outage,
    StorageFull: _handle_storage_full,
    Exception: _handle_unexpected,
}


def register_handlers(api: NinjaAPI) -> None:
    """Register a handler for every class of exception, so that all errors are problem details."""
    for error_class, handler in HANDLERS.items():
        api.add_exception_handler(error_class, handler)
