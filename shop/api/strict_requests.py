"""Refuse what an endpoint would silently ignore: unknown names, repeated parameters, other types.

Each operation gets one more parameter model, which has no parameters and checks the whole request.
django-ninja resolves it after authentication and reports its errors together with those of the
other models.
"""

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Any, Self

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError
from ninja.operation import Operation
from ninja.params.models import QueryModel
from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from shop import schema_factory

#: More errors of one request are not listed, and longer names are cut.
MAX_ERRORS, MAX_NAME_LENGTH = 50, 100


def request_error(code: str, message: str, *location: str | int) -> InitErrorDetails:
    """Return an error for `ValidationError.from_exception_data`, with our code and message."""
    names = [name[:MAX_NAME_LENGTH] if isinstance(name, str) else name for name in location]
    custom = PydanticCustomError(code, "{message}", {"message": message})
    return InitErrorDetails(type=custom, loc=tuple(names), input=None)


def find_nearest(name: str, known: Sequence[str]) -> str:
    """Return the known name that is most like this one; empty if none is."""
    return next(iter(get_close_matches(name[:MAX_NAME_LENGTH].lower(), known, n=1)), "")


class Body(schema_factory.Body):
    """Base class of request bodies: the error for an unknown field names the nearest known one."""

    @model_validator(mode="wrap")
    @classmethod
    def suggest_fields(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Replace pydantic's message for unknown fields; keep all other errors."""
        try:
            return handler(value)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)[:MAX_ERRORS]
            lines = [
                request_error(
                    line["type"],
                    _unknown_field(str(line["loc"][-1]), list(cls.model_fields))
                    if line["type"] == "extra_forbidden"
                    else line["msg"],
                    *line["loc"],
                )
                for line in found
            ]
            raise ValidationError.from_exception_data(error.title, lines) from error


def check_whole_request(operation: Operation) -> None:
    """Make an operation refuse unknown and repeated query parameters, and other media types."""
    sources = {model.__ninja_param_source__ for model in operation.models}
    media_type = "multipart/form-data" if "file" in sources else "application/json"
    queries: list[Any] = [model for model in operation.models if issubclass(model, QueryModel)]
    known = [name for model in queries for name in model.__ninja_flatten_map__]
    lists = {name for model in queries for name in model.__ninja_collection_fields__}

    class WholeRequest(QueryModel):
        __ninja_param_source__ = "query"  # type: ignore[assignment]
        __ninja_flatten_map__: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 - as ninja does
        __ninja_flatten_map_reverse__: dict[tuple[str, ...], tuple[str, ...]] = {}  # noqa: RUF012

        @classmethod
        def resolve(cls, request: HttpRequest, _api: NinjaAPI, _path: dict[str, Any]) -> Self:
            has_body = request.META.get("CONTENT_LENGTH") not in {None, "", "0"}
            if has_body and request.content_type != media_type:
                message = _("Send the body with the content type %(type)s.")
                raise HttpError(415, message % {"type": media_type})
            if errors := _query_errors(request, known, lists):
                raise ValidationError.from_exception_data("query", errors[:MAX_ERRORS])
            return cls()

    operation.models.insert(0, WholeRequest)


def _query_errors(
    request: HttpRequest, known: Sequence[str], lists: Collection[str]
) -> list[InitErrorDetails]:
    """Return an error for each unknown name, and for each repeated one that isn't of `lists`."""
    if not request.META.get("QUERY_STRING"):
        return []
    errors = []
    for name, values in request.GET.lists():
        if name not in known:
            errors.append(request_error("extra_forbidden", _unknown_parameter(name, known), name))
        elif len(values) > 1 and name not in lists:
            errors.append(request_error("repeated", _("Send this parameter once."), name))
    return errors


def _unknown_parameter(name: str, known: Sequence[str]) -> str:
    if nearest := find_nearest(name, known):
        return _("Unknown parameter. Did you mean “%(name)s”?") % {"name": nearest}
    if known:
        return _("Unknown parameter. This call takes: %(names)s.") % {"names": ", ".join(known)}
    return _("Unknown parameter. This call takes none.")


def _unknown_field(name: str, known: Sequence[str]) -> str:
    if nearest := find_nearest(name, known):
        return _("Unknown field. Did you mean “%(name)s”?") % {"name": nearest}
    return _("Unknown field. This body takes: %(names)s.") % {"names": ", ".join(known)}
