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

from shop import surface
from shop.exchange import numbers
from shop.exchange.limits import quoted
from shop.models import Product
from shop.money import MoneyField
from shop.reflect import Body, takes

type Problem = dict[str, str]
type Read = Callable[[str], Any]

#: Field name → field, of everything that a cell can hold.
FIELDS = {name: surface.field(Product, name) for name in surface.carried(Product)}
NAMES = {field.attname: name for name, field in FIELDS.items()}
MONEY = [name for name, field in FIELDS.items() if isinstance(field, MoneyField)]
RELATED = [field for field in FIELDS.values() if field.is_relation]
#: What the database takes as it is.
PLAIN = (models.CharField, models.TextField, models.BooleanField, models.IntegerField, models.FloatField)
CONVERTED = {name: field for name, field in FIELDS.items() if not isinstance(field, PLAIN)}
DEFAULTS = {field.attname: field.get_default() for field in FIELDS.values()}


#: A stock in its cell.
quantity = lru_cache(maxsize=4096)(numbers.quantity)
#: What pydantic finds, as people say it.
WORDS = {
    "missing": "is missing: a new product needs it.",
    "too_short": "is missing.",
    "too_long": "is too long: it may have {max_length:,} characters, this has {actual_length:,}.",
    "greater_than_equal": "must be at least {ge}.",
    "less_than_equal": "must be at most {le}.",
    "decimal_max_places": "has more than {decimal_places} decimals.",
    **dict.fromkeys(("date_parsing", "date_from_datetime_parsing"), "is no date. Write it like 2026-03-31."),
    **dict.fromkeys(
        ("datetime_parsing", "datetime_from_date_parsing", "timezone_aware"),
        "is no moment. Write it like 2026-03-31T12:30:00Z.",
    ),
    "decimal_whole_digits": "is too large: it may have {whole_digits} digits before its decimals.",
}


@takes(Product, FIELDS)
class NewProduct(Body):
    """A row whose product is not there yet."""


@takes(Product, FIELDS, partial=True)
class ChangedProduct(Body):
    """What a row changes of a product."""


NEW, CHANGED = TypeAdapter(list[NewProduct]), TypeAdapter(list[ChangedProduct])


def problem(field: str, said: str, suggestion: str = "") -> Problem:
    """What is wrong with one cell, or with the row where `field` is empty."""
    return {"field": field, "said": said, "suggestion": suggestion}


def label(field: surface.Field) -> str:
    """The column's name at the start of a sentence."""
    name = str(field.verbose_name)
    return name[:1].upper() + name[1:]


def may_be_empty(field: surface.Field) -> bool:
    """Whether a blank cell can clear the field."""
    return field.blank or field.null


def empty(field: surface.Field) -> Any:
    """What a cleared field holds."""
    return None if field.null else field.get_default() if field.has_default() else ""


def readers(point: str | None) -> dict[str, Read]:
    """How each field's cell is read in a file with this decimal sign. Each raises ValueError in words.

    Without a sign, a price that can be read in two ways is refused.
    """
    return {name: _remembering(_reader(field, point)) for name, field in FIELDS.items()}


def _remembering(read: Read) -> Read:
    """The same numbers and words stand in many rows; text that is taken as it is needs no memory."""
    return read if read is str else lru_cache(maxsize=4096)(read)


def _reader(field: surface.Field, point: str | None) -> Read:
    target = getattr(field, "target_field", field)
    if field.choices:
        return partial(_choice, field)
    if isinstance(target, models.BooleanField):
        return numbers.yes_or_no
    if isinstance(target, models.IntegerField):
        return numbers.quantity
    if isinstance(target, MoneyField):
        return partial(numbers.price, point=point) if point else _price_of_any_file
    if isinstance(target, models.DecimalField | models.FloatField):
        return partial(_number, Decimal if isinstance(target, models.DecimalField) else float, point)
    return _json if isinstance(target, models.JSONField) else str


def _choice(field: surface.Field, text: str) -> Any:
    words = {str(word).casefold(): value for value, name in field.flatchoices for word in (value, name)}
    value = words.get(text.strip().casefold(), field)
    if value is field:
        close = difflib.get_close_matches(text.strip().casefold(), words, 1)
        meant = f" Did you mean {quoted(close[0])}?" if close else ""
        raise ValueError(
            f"{quoted(text)} is none of {', '.join(str(n) for _, n in field.flatchoices)}.{meant}"
        )
    return value


def _price_of_any_file(text: str) -> Decimal:
    point = numbers.point_of([text])
    if point is None:
        raise ValueError(
            f"{quoted(text)} can be read in two ways. Say which sign the decimals have in this file."
        )
    return numbers.price(text, point=point)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{quoted(text)} is no JSON.") from error


def _number(type_: Callable[[str], Any], point: str | None, text: str) -> Any:
    try:
        return type_(text.strip().replace(",", ".") if point == "," else text.strip())
    except (ValueError, InvalidOperation) as error:
        raise ValueError(f"{quoted(text)} is no number. Write it like 1.25.") from error


def validated(adapter: TypeAdapter[Any], rows: Sequence[Mapping[str, Any]]) -> Iterator[Body | list[Problem]]:
    """For each row its body, or what is wrong with it. All rows are checked at once, by compiled code."""
    wrong: dict[int, list[Problem]] = {}
    try:
        good = iter(adapter.validate_python(rows))
    except ValidationError as error:
        for found in error.errors(include_url=False):
            place, attname = found["loc"][:2]
            wrong.setdefault(int(place), []).append(_in_words(str(attname), found))
        good = iter(adapter.validate_python([row for place, row in enumerate(rows) if place not in wrong]))
    for place in range(len(rows)):
        yield wrong[place] if place in wrong else next(good)


def _in_words(attname: str, error: ErrorDetails) -> Problem:
    name = NAMES.get(attname, attname)
    start = label(FIELDS[name])
    said = WORDS.get(error["type"], "").format(**error.get("ctx", {}))
    return problem(
        name, f"{start} {said}" if said else f"{start}: {error['msg'].removeprefix('Value error, ')}"
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


def stored(field: surface.Field, value: Any) -> Any:
    """A value as the database takes it, in JSON."""
    if isinstance(field, models.DecimalField) and value is not None:
        return f"{value:.{field.decimal_places}f}"
    if value is None or isinstance(value, str | int | float | list | dict):
        return value
    return str(field.get_db_prep_save(value, connection))
