"""Parse a cell's text as a field's value, and validate it with the rules of the API's bodies."""

import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache, partial
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from shop import exposure, natural_keys
from shop.documents.field_text import field_label
from shop.models import Product
from shop.money import MoneyField
from shop.product_files.reading import number_parsing
from shop.product_files.reading.limits import quote_text
from shop.schema_factory import Body, request_schema

#: A problem of one cell, or of the row if `field` is empty: field, message, suggestion.
type RowProblem = dict[str, str]
type CellParser = Callable[[str], Any]

#: Field name -> field, for all fields that a file can set.
FIELDS = {field.name: field for field in natural_keys.file_fields(Product)}
NAMES_BY_ATTNAME = {field.attname: name for name, field in FIELDS.items()}
MONEY_FIELDS = [name for name, field in FIELDS.items() if isinstance(field, MoneyField)]
RELATIONS: list[Any] = [field for field in FIELDS.values() if field.is_relation]
MANY_TO_MANY = {field.name: field for field in RELATIONS if field.many_to_many}
#: Fields whose cells hold values, not names of records.
VALUE_FIELDS = [name for name, field in FIELDS.items() if not field.is_relation]
#: Field classes whose Python values are JSON values of the database's own format.
JSON_READY = (
    models.CharField,
    models.TextField,
    models.BooleanField,
    models.IntegerField,
    models.FloatField,
)
CONVERTED_FIELDS = {
    name: field for name, field in FIELDS.items() if not isinstance(field, JSON_READY)
}
DEFAULTS = {
    field.attname: [] if field.many_to_many else field.get_default() for field in FIELDS.values()
}
#: Different cells of a column that are parsed once.
CACHE_SIZE = 4096

parse_stock = lru_cache(CACHE_SIZE)(number_parsing.parse_quantity)

_NOT_A_DATE = gettext_lazy("%(field)s is not a date. Write it like 2026-03-31.")
_NOT_A_MOMENT = gettext_lazy(
    "%(field)s is not a date and time. Write it like 2026-03-31T12:30:00Z."
)
#: pydantic's error type -> message. Values in braces come from pydantic's context.
MESSAGES = {
    "missing": gettext_lazy("%(field)s is missing: a new product needs it."),
    "too_short": gettext_lazy("%(field)s is missing."),
    "too_long": gettext_lazy(
        "%(field)s is too long: the limit is %(max_length)s characters, this has %(actual_length)s."
    ),
    "greater_than_equal": gettext_lazy("%(field)s must be at least %(ge)s."),
    "less_than_equal": gettext_lazy("%(field)s must be at most %(le)s."),
    "decimal_max_places": gettext_lazy("%(field)s has more than %(decimal_places)s decimals."),
    "decimal_whole_digits": gettext_lazy(
        "%(field)s is too large: the limit is %(whole_digits)s digits before the decimals."
    ),
    "date_parsing": _NOT_A_DATE,
    "date_from_datetime_parsing": _NOT_A_DATE,
    "datetime_parsing": _NOT_A_MOMENT,
    "datetime_from_date_parsing": _NOT_A_MOMENT,
    "timezone_aware": _NOT_A_MOMENT,
}


@request_schema(Product, VALUE_FIELDS)
class NewProduct(Body):
    """The values of a row that adds a product."""


@request_schema(Product, VALUE_FIELDS, partial=True)
class ChangedProduct(Body):
    """The values of a row that changes a product."""


NEW_PRODUCTS, CHANGED_PRODUCTS = TypeAdapter(list[NewProduct]), TypeAdapter(list[ChangedProduct])


class CellError(ValueError):
    """A cell can't be read; with a suggestion for the person who wrote it."""

    def __init__(self, message: str, suggestion: str) -> None:
        super().__init__(message)
        self.suggestion = suggestion


def row_problem(field: str, message: str, suggestion: str = "") -> RowProblem:
    """Describe a problem of one cell, or of the whole row if `field` is empty."""
    return {"field": field, "message": message, "suggestion": suggestion}


def cell_problem(field: exposure.Field, error: object) -> RowProblem:
    """Describe a problem of one cell, with the column's name before the error."""
    message = _("%(field)s: %(error)s") % {"field": field_label(field), "error": error}
    return row_problem(field.name, message, getattr(error, "suggestion", ""))


def missing_problem(field: exposure.Field) -> RowProblem:
    """Describe that a new product lacks a value."""
    return row_problem(field.name, str(MESSAGES["missing"]) % {"field": field_label(field)})


def is_required(field: exposure.Field) -> bool:
    """Return whether a new product needs a record in this relation."""
    return not (field.blank if field.many_to_many else field.null or field.has_default())


def may_be_empty(field: exposure.Field) -> bool:
    """Return whether a blank cell can clear the field."""
    if field.is_relation and not field.many_to_many:
        return field.null
    return field.blank or field.null


def build_parsers(decimal_mark: str | None) -> dict[str, CellParser]:
    """Return the parsers of values by field name; they raise ValueError with a message for staff.

    Without a decimal mark, an ambiguous price such as 1,800 is an error.
    """
    return {
        name: parser if parser is str else lru_cache(CACHE_SIZE)(parser)
        for name, field in ((name, FIELDS[name]) for name in VALUE_FIELDS)
        for parser in [_cell_parser(field, decimal_mark)]
    }


def validating_parser(field: exposure.Field) -> CellParser:
    """Return a parser for single cells of any model's field, which also validates the value."""
    schema = request_schema(field.model, [field.name], partial=True)(Body)
    parse = _cell_parser(field, None)

    def parse_valid(text: str) -> Any:
        value = parse(text)
        try:
            return getattr(schema(**{field.attname: value}), field.attname)
        except ValidationError as error:
            [details] = error.errors(include_url=False)
            raise ValueError(_to_problem(field, details)["message"]) from error

    return parse_valid


def _cell_parser(field: exposure.Field, decimal_mark: str | None) -> CellParser:
    if field.choices:
        return partial(_parse_choice, field)
    if isinstance(field, models.BooleanField):
        return number_parsing.parse_boolean
    if isinstance(field, models.IntegerField):
        return number_parsing.parse_integer
    if isinstance(field, MoneyField):
        return partial(_parse_money, decimal_mark)
    if isinstance(field, models.DecimalField | models.FloatField):
        type_ = Decimal if isinstance(field, models.DecimalField) else float
        return partial(_parse_number, type_, decimal_mark)
    parse_text: CellParser = getattr(field, "normalize_text", str)
    return _parse_json if isinstance(field, models.JSONField) else parse_text


def _parse_choice(field: exposure.Field, text: str) -> Any:
    """Accept a choice's value or label, in any case."""
    choices = {
        str(word).casefold(): value for value, name in field.flatchoices for word in (value, name)
    }
    word = text.strip().casefold()
    if word in choices:
        return choices[word]

    names = ", ".join(str(name) for _value, name in field.flatchoices)
    values = {"text": quote_text(text), "choices": names}
    if close := difflib.get_close_matches(word, choices, 1):
        message = _("%(text)s is not one of %(choices)s. Did you mean %(suggestion)s?")
        raise ValueError(message % (values | {"suggestion": quote_text(close[0])}))
    raise ValueError(_("%(text)s is not one of %(choices)s.") % values)


def _parse_money(decimal_mark: str | None, text: str) -> Decimal:
    decimal_mark = decimal_mark or number_parsing.detect_decimal_mark([text])
    if decimal_mark is None:
        message = _("%(text)s can be read in two ways. Choose the number format of this file.")
        raise ValueError(message % {"text": quote_text(text)})
    return number_parsing.parse_price(text, point=decimal_mark)


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(_("%(text)s is not JSON.") % {"text": quote_text(text)}) from error


def _parse_number(type_: Callable[[str], Any], decimal_mark: str | None, text: str) -> Any:
    decimal_mark = decimal_mark or number_parsing.detect_decimal_mark([text])
    try:
        return type_(text.strip().replace(",", ".") if decimal_mark == "," else text.strip())
    except (ValueError, InvalidOperation) as error:
        message = _("%(text)s is not a number. Write it like 1.25.")
        raise ValueError(message % {"text": quote_text(text)}) from error


def validate_values(
    adapter: TypeAdapter[Any], rows: Sequence[Mapping[str, Any]]
) -> Iterator[Body | list[RowProblem]]:
    """Yield each row's body, or its problems. pydantic validates all rows in one call."""
    problems: dict[int, list[RowProblem]] = {}
    try:
        bodies = iter(adapter.validate_python(rows))
    except ValidationError as error:
        for details in error.errors(include_url=False):
            index, attname = details["loc"][:2]
            field = FIELDS[NAMES_BY_ATTNAME[str(attname)]]
            problems.setdefault(int(index), []).append(_to_problem(field, details))
        valid = [row for index, row in enumerate(rows) if index not in problems]
        bodies = iter(adapter.validate_python(valid))
    for index in range(len(rows)):
        yield problems[index] if index in problems else next(bodies)


def _to_problem(field: exposure.Field, error: ErrorDetails) -> RowProblem:
    """Convert a pydantic error to a message for staff."""
    if error["type"] not in MESSAGES:
        return cell_problem(field, error["msg"].removeprefix("Value error, "))
    values = {
        key: f"{value:,}" if isinstance(value, int) else value
        for key, value in error.get("ctx", {}).items()
    }
    return row_problem(
        field.name, MESSAGES[error["type"]] % (values | {"field": field_label(field)})
    )
