"""Types of parameters and fields that accept one notation, where pydantic would guess."""

import datetime
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from shop import text_validation

MAX_ID = 2**63 - 1
FIRST_YEAR, LAST_YEAR = 1900, 2999
INTEGER = re.compile(r"-?[0-9]+")
DECIMAL = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DATE_TIME = re.compile(
    DATE.pattern + r"T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?(Z|[-+][0-9]{2}(:?[0-9]{2})?)"
)


def _accept(notation: re.Pattern[str], code: str, kind: str) -> Callable[[Any], Any]:
    """Return a validator that refuses other texts, such as `1_000`, which Python would read."""

    def validate(value: Any) -> Any:
        if isinstance(value, str) and not notation.fullmatch(value):
            raise PydanticCustomError(code, "Input should be a valid {kind}", {"kind": kind})
        return value

    return validate


def _parse_moment(value: Any) -> Any:
    """Parse `2026-03-11` as a date, and `2026-03-11T12:00:00Z` as a date-time."""
    text = value if isinstance(value, str) else ""
    message = _("Send a date (2026-03-11), or a date-time with its zone (2026-03-11T12:00:00Z).")
    if " " in text:
        message += " " + _("In a URL, + is written as %2B.")
    try:
        if DATE.fullmatch(text):
            return datetime.date.fromisoformat(text)
        if DATE_TIME.fullmatch(text):
            return datetime.datetime.fromisoformat(text)
    except ValueError:
        message = _("There is no such date or time.")
    raise PydanticCustomError("date_parsing", "{message}", {"message": message})


def _parse_day(value: Any) -> Any:
    """Parse `2026-03-11`; refuse a time, which would be ignored."""
    if isinstance(value, str) and DATE_TIME.fullmatch(value):
        message = _("Send a date (2026-03-11).")
        raise PydanticCustomError("date_parsing", "{message}", {"message": message})
    return _parse_moment(value)


def _validate_year(value: datetime.date) -> datetime.date:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(
            _("The year must be from %(first)s to %(last)s.")
            % {"first": FIRST_YEAR, "last": LAST_YEAR}
        )
    return value


def _validate_email(value: str) -> str:
    try:
        validate_email(value)
    except ValidationError as error:
        raise ValueError(error.messages[0]) from error
    return value.lower()


SingleLineText = Annotated[str, AfterValidator(text_validation.clean_line)]
ShortText = Annotated[SingleLineText, Field(max_length=100)]
Email = Annotated[SingleLineText, Field(max_length=254), AfterValidator(_validate_email)]

INTEGER_NOTATION = BeforeValidator(_accept(INTEGER, "int_parsing", "integer"))
DECIMAL_NOTATION = BeforeValidator(_accept(DECIMAL, "decimal_parsing", "decimal"))
PlainInteger = Annotated[int, INTEGER_NOTATION]
# Limits before the notation: only then they are in the OpenAPI document.
Id = Annotated[int, Field(ge=1, le=MAX_ID), INTEGER_NOTATION]
Amount = Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=2), DECIMAL_NOTATION]
DateOrDateTime = Annotated[
    datetime.datetime | datetime.date,
    BeforeValidator(_parse_moment),
    AfterValidator(_validate_year),
]
PlainDate = Annotated[datetime.date, BeforeValidator(_parse_day), AfterValidator(_validate_year)]
