"""A cell's text as a field's value: turned into its type, then held against the rules of the API's bodies."""

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache, partial
from typing import Any

from django.db import connection, models
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from shop import exposure
from shop.models import Product
from shop.money import MoneyField
from shop.product_files.reading import number_parsing
from shop.product_files.reading.limits import quote_text
from shop.schema_factory import Body, request_schema

type RowError = dict[str, str]
type Read = Callable[[str], Any]

#: Field name → field, of everything that a cell can hold.
FIELDS = {name: exposure.get_field(Product, name) for name in exposure.file_fields(Product)}
NAMES = {field.attname: name for name, field in FIELDS.items()}
MONEY = [name for name, field in FIELDS.items() if isinstance(field, MoneyField)]
RELATED = [field for field in FIELDS.values() if field.is_relation]
#: What the database takes as it is.
PLAIN = (
    models.CharField,
    models.TextField,
    models.BooleanField,
    models.IntegerField,
    models.FloatField,
)
CONVERTED = {name: field for name, field in FIELDS.items() if not isinstance(field, PLAIN)}
DEFAULTS = {field.attname: field.get_default() for field in FIELDS.values()}


#: A stock in its cell.
quantity = lru_cache(maxsize=4096)(number_parsing.parse_quantity)
#: What pydantic finds, as people say it.
WORDS = {
    "missing": "is missing: a new product needs it.",
    "too_short": "is missing.",
    "too_long": "is too long: it may have {max_length:,} characters, this has {actual_length:,}.",
    "greater_than_equal": "must be at least {ge}.",
    "less_than_equal": "must be at most {le}.",
    "decimal_max_places": "has more than {decimal_places} decimals.",
    **dict.fromkeys(
        ("date_parsing", "date_from_datetime_parsing"), "is no date. Write it like 2026-03-31."
    ),
    **dict.fromkeys(
        ("datetime_parsing", "datetime_from_date_parsing", "timezone_aware"),
        "is no moment. Write it like 2026-03-31T12:30:00Z.",
    ),
    "decimal_whole_digits": "is too large: it may have {whole_digits} digits before its decimals.",
}


@request_schema(Product, FIELDS)
class NewProduct(Body):
    """A row whose product is not there yet."""


@request_schema(Product, FIELDS, partial=True)
class ChangedProduct(Body):
    """What a row changes of a product."""


NEW, CHANGED = TypeAdapter(list[NewProduct]), TypeAdapter(list[ChangedProduct])


def field_error(field: str, said: str, suggestion: str = "") -> RowError:
    """What is wrong with one cell, or with the row where `field` is empty."""
    return {"field": field, "said": said, "suggestion": suggestion}


def field_label(field: exposure.Field) -> str:
    """The column's name at the start of a sentence."""
    name = str(field.verbose_name)
    return name[:1].upper() + name[1:]


def may_be_empty(field: exposure.Field) -> bool:
    """Whether a blank cell can clear the field."""
    return field.blank or field.null


def empty_value(field: exposure.Field) -> Any:
    """What a cleared field holds."""
    return None if field.null else field.get_default() if field.has_default() else ""


def build_parsers(point: str | None) -> dict[str, Read]:
    """How each field's cell is read in a file with this decimal sign. Each raises ValueError in words.

    Without a sign, a price that can be read in two ways is refused.
    """
    return {name: _remembering(_reader(field, point)) for name, field in FIELDS.items()}


def _remembering(read: Read) -> Read:
    """The same numbers and words stand in many rows; text that is taken as it is needs no memory."""
    return read if read is str else lru_cache(maxsize=4096)(read)


def _reader(field: exposure.Field, point: str | None) -> Read:
    target = getattr(field, "target_field", field)
    if field.choices:
        return partial(_choice, field)
    if isinstance(target, models.BooleanField):
        return number_parsing.parse_boolean
    if isinstance(target, models.IntegerField):
        return number_parsing.parse_quantity
    if isinstance(target, MoneyField):
        return partial(number_parsing.parse_price, point=point) if point else _price_of_any_file
    if isinstance(target, models.DecimalField | models.FloatField):
        return partial(
            _number, Decimal if isinstance(target, models.DecimalField) else float, point
        )
    return _json if isinstance(target, models.JSONField) else str


def _choice(field: exposure.Field, text: str) -> Any:
    words = {
        str(word).casefold(): value for value, name in field.flatchoices for word in (value, name)
    }
    value = words.get(text.strip().casefold(), field)
    if value is field:
        close = difflib.get_close_matches(text.strip().casefold(), words, 1)
        meant = f" Did you mean {quote_text(close[0])}?" if close else ""
        raise ValueError(
            f"{quote_text(text)} is none of {', '.join(str(n) for _, n in field.flatchoices)}.{meant}"
        )
    return value


def _price_of_any_file(text: str) -> Decimal:
    point = number_parsing.detect_decimal_mark([text])
    if point is None:
        raise ValueError(
            f"{quote_text(text)} can be read in two ways. Say which sign the decimals have in this file."
        )
    return number_parsing.parse_price(text, point=point)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{quote_text(text)} is no JSON.") from error


def _number(type_: Callable[[str], Any], point: str | None, text: str) -> Any:
    try:
        return type_(text.strip().replace(",", ".") if point == "," else text.strip())
    except (ValueError, InvalidOperation) as error:
        raise ValueError(f"{quote_text(text)} is no number. Write it like 1.25.") from error


def validate_values(
    adapter: TypeAdapter[Any], rows: Sequence[Mapping[str, Any]]
) -> Iterator[Body | list[RowError]]:
    """For each row its body, or what is wrong with it. All rows are checked at once, by compiled code."""
    wrong: dict[int, list[RowError]] = {}
    try:
        good = iter(adapter.validate_python(rows))
    except ValidationError as error:
        for found in error.errors(include_url=False):
            place, attname = found["loc"][:2]
            wrong.setdefault(int(place), []).append(_in_words(str(attname), found))
        good = iter(
            adapter.validate_python([row for place, row in enumerate(rows) if place not in wrong])
        )
    for place in range(len(rows)):
        yield wrong[place] if place in wrong else next(good)


def _in_words(attname: str, error: ErrorDetails) -> RowError:
    name = NAMES.get(attname, attname)
    start = field_label(FIELDS[name])
    said = WORDS.get(error["type"], "").format(**error.get("ctx", {}))
    return field_error(
        name,
        f"{start} {said}" if said else f"{start}: {error['msg'].removeprefix('Value error, ')}",
    )


def unknown_relations(rows: Iterable[Mapping[str, Any]]) -> dict[str, set[Any]]:
    """Field's attname → the keys in these rows to which nothing belongs; one query for each relation."""
    found = {}
    for field in RELATED:
        asked = {row[field.attname] for row in rows if row.get(field.attname) is not None}
        others: Any = field.related_model
        there = others._default_manager.filter(pk__in=asked).values_list("pk", flat=True)
        found[field.attname] = asked - set(there) if asked else asked
    return found


def to_stored_value(field: exposure.Field, value: Any) -> Any:
    """A value as the database takes it, in JSON."""
    if isinstance(field, models.DecimalField) and value is not None:
        return f"{value:.{field.decimal_places}f}"
    if value is None or isinstance(value, str | int | float | list | dict):
        return value
    return str(field.get_db_prep_save(value, connection))
