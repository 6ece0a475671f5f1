"""Query parameters of lists, generated from the model's fields, and the conditions they stand for.

`filter_schema` is a class decorator that adds the parameters to a subclass of `Paging`::

    @filter_schema(Product)
    class ProductFilters(Paging): ...

    Product.objects.filter(build_condition(Product, filters))

A parameter that the class declares itself, such as `search` with its own description, is kept. The
kind of a field decides about its parameters (`exposure.filter_kind`). Fields outside of the API
neither filter nor sort, and aren't searched.
"""

import datetime
import functools
import operator
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple

from django.db import models
from django.db.models import Q, UniqueConstraint, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from ninja import Path
from pydantic import BaseModel, BeforeValidator, Field

from shop import exposure
from shop.api.paging import Paging
from shop.api.request_values import (
    DECIMAL_NOTATION,
    INTEGER_NOTATION,
    MAX_ID,
    DateOrDateTime,
    Id,
    PlainDate,
    ShortText,
    SingleLineText,
)
from shop.db.key_lists import linked_to
from shop.db.text_folding import is_searchable
from shop.exposure import FilterKind
from shop.schema_factory import (
    FieldDefinition,
    add_fields,
    choice_values,
    field_info,
    numeric_limits,
)

#: Values that one parameter may have by repeating it, and their characters together: servers
#: refuse long URLs, in which a character outside of ASCII takes up to 12 (`gunicorn.conf.py`).
MAX_VALUES, MAX_CHARACTERS = 50, 2000
#: Digits of a number to compare with: more than any column has.
MAX_DIGITS = 15
#: Parameters of a list that don't filter it.
UNFILTERED_PARAMETERS = frozenset({"page", "page_size", "ordering", "expand"})
SEVERAL = "Repeat the parameter to find any of several."


class FilterParameter(NamedTuple):
    """A query parameter: its pydantic field, and the condition that a value of it stands for."""

    definition: FieldDefinition
    build_condition: Callable[[Any], Q]


def filter_schema[F: Paging](model: exposure.Model) -> Callable[[type[F]], type[F]]:
    """Return a class decorator that adds the parameters of a list of the model's records."""

    def decorate(schema: type[F]) -> type[F]:
        definitions = (*_list_parameters(model), *(p.definition for p in filters_of(model)))
        return add_fields(schema, definitions)

    return decorate


def expand_schema(model: exposure.Model) -> type[BaseModel]:
    """Return the class of the query parameters of one record: `expand`, if it has relations."""
    base = type(f"{model.__name__}Expand", (BaseModel,), {"__module__": __name__})
    return add_fields(base, (d for d in _list_parameters(model) if d[0] == "expand"))


@functools.cache
def filters_of(model: exposure.Model) -> list[FilterParameter]:
    """Return the parameters that filter by a field. Of two with the same name the first counts."""
    found = {definition[0]: None for definition in _list_parameters(model)} | dict.fromkeys(
        Paging.model_fields
    )
    parameters = []
    for name in exposure.api_readable_fields(model):
        for parameter in _field_parameters(model, exposure.get_field(model, name)):
            if parameter.definition[0] not in found:
                found[parameter.definition[0]] = None
                parameters.append(parameter)
    return parameters


def build_condition(model: exposure.Model, filters: Paging, *, search: bool = True) -> Q:
    """Return the condition for the parameters that were sent; without `search`, but for that."""
    condition = Q()
    for (name, *_), build in filters_of(model):
        value = getattr(filters, name)
        if value not in (None, ()):
            condition &= build(value)
    text = getattr(filters, "search", "") if search else ""
    return condition & search_condition(_search_fields(model), text)


def search_condition(names: list[str], text: str) -> Q:
    """Return the condition that each word of the text is in one of these fields."""
    condition = Q()
    for word in filter(is_searchable, text.split()):
        matches = [Q((f"{name}__icontains", word)) for name in names]
        condition &= functools.reduce(operator.or_, matches)
    return condition


def is_filtered(filters: Paging) -> bool:
    """Return whether the parameters may leave out a row of the list."""
    return not filters.model_fields_set <= UNFILTERED_PARAMETERS


def default_ordering(model: exposure.Model) -> str:
    """Return the model's first ordering if the API can sort by it, else the primary key."""
    first = next(iter(model._meta.ordering or ()), None)
    return str(first) if first in _orderings(model) else str(model._meta.pk.attname)


def _search_fields(model: exposure.Model) -> list[str]:
    staff_only = exposure.staff_only_fields(model)
    return [name for name in exposure.search_fields(model) if name not in staff_only]


def _orderings(model: exposure.Model) -> tuple[str, ...]:
    readable = exposure.api_readable_fields(model)
    names = [name for name in exposure.sortable_fields(model) if name in readable]
    columns = [exposure.api_name(exposure.get_field(model, name)) for name in names]
    return tuple(f"{sign}{column}" for column in columns for sign in ("", "-"))


def _list_parameters(model: exposure.Model) -> Iterator[FieldDefinition]:
    """Yield the parameters that don't belong to one field."""
    if _search_fields(model):
        info: Any = Field("", description="Words that are all found in its texts.")
        yield "search", ShortText, info
    ordering: Any = Literal[_orderings(model)]
    info = Field(default_ordering(model), description="Descending with `-`.")
    yield "ordering", ordering, info
    if names := tuple(exposure.expandable_fields(model)):
        type_ = Annotated[tuple[Literal[names], ...], BeforeValidator(_split_commas)]  # type: ignore[valid-type]
        description = "Related records to add to each record. Repeat it for several."
        info = Field(default_factory=tuple, description=description)
        yield "expand", type_, info


def _split_commas(values: Any) -> Any:
    """Return the distinct names in `?expand=brand&expand=tags` or `?expand=brand,tags`."""
    if not isinstance(values, list):
        return values
    return list(dict.fromkeys(name for value in values for name in str(value).split(",")))


def _field_parameters(model: exposure.Model, field: exposure.Field) -> Iterator[FilterParameter]:
    """Yield the parameters that filter by a field."""
    kind, name = exposure.filter_kind(field), field.name
    if kind is FilterKind.BOOLEAN:
        yield _parameter(field, name, bool | None, lambda value: Q((name, value)))
    elif kind in {FilterKind.CHOICE, FilterKind.RELATION, FilterKind.EXACT}:
        # A tuple, so that the parameters are hashable.
        value_type: Any = parameter_type(field)
        most = min(MAX_VALUES, MAX_CHARACTERS // (getattr(field, "max_length", None) or 1) or 1)
        values = Annotated[tuple[value_type, ...], Field(max_length=most)]
        parameter = f"{exposure.singular(name)}_id" if field.many_to_many else field.attname
        yield _parameter(field, parameter, values, _among(model, field), SEVERAL)
    elif kind is FilterKind.NUMBER:
        # Django drops the comparison with a number that no column holds; null is still no match.
        present = Q((f"{name}__isnull", False)) if field.null else Q()
        for prefix, lookup, about in (("min", "gte", "The least."), ("max", "lte", "The most.")):
            build = _compare(f"{name}__{lookup}", present)
            yield _parameter(field, f"{prefix}_{name}", _number_type(field) | None, build, about)
    elif kind is FilterKind.DATE:
        yield from _date_parameters(field)

    if kind is FilterKind.FILE:
        empty = Q((name, "")) | Q((name, None))
        yield _presence(field, lambda value: ~empty if value else empty)
    elif field.null:
        yield _presence(field, lambda value: Q((f"{name}__isnull", not value)))


def _parameter(
    field: exposure.Field, name: str, type_: Any, build: Callable[[Any], Q], about: str = ""
) -> FilterParameter:
    """Return a parameter that has the field's title and help text, and what else is to say."""
    description = " ".join(filter(None, (about, str(field.help_text)))) or None
    default = tuple if about == SEVERAL else lambda: None
    info = field_info(field, description=description, default_factory=default)
    return FilterParameter((name, type_, info), build)


def _presence(field: exposure.Field, build: Callable[[Any], Q]) -> FilterParameter:
    name = f"has_{field.name}"
    return _parameter(field, name, bool | None, build, "Whether there is one.")


def _compare(lookup: str, besides: Q = Q()) -> Callable[[Any], Q]:  # noqa: B008 - never changed
    return lambda value: Q((lookup, value)) & besides


def _date_parameters(field: exposure.Field) -> Iterator[FilterParameter]:
    """Yield `created_from` and `created_to` for `created_at`, `sold_on_from` for `sold_on`."""
    name, stem = field.name, field.name.removesuffix("_at")
    first, last = "The first day", "The last day, which is included"
    output = getattr(field, "output_field", field)
    if not isinstance(output, models.DateTimeField):
        for suffix, lookup, about in (("from", "gte", first), ("to", "lte", last)):
            build = _compare(f"{name}__{lookup}")
            yield _parameter(field, f"{stem}_{suffix}", PlainDate | None, build, f"{about}.")
        return

    def since(value: Any) -> Q:
        return Q((f"{name}__gte", to_datetime(value)))

    def until(value: Any) -> Q:
        return Q((f"{name}__lt", to_datetime(value, end_of_day=True)))

    for suffix, build, about in (("from", since, first), ("to", until, last)):
        type_ = DateOrDateTime | None
        yield _parameter(field, f"{stem}_{suffix}", type_, build, f"{about}, or moment.")


def to_datetime(
    value: datetime.datetime | datetime.date, *, end_of_day: bool = False
) -> datetime.datetime:
    """Convert a filter's value to a date-time in UTC.

    A date becomes its midnight. With `end_of_day`, the result is an exclusive upper bound that
    includes the date, or the date-time, itself.
    """
    if isinstance(value, datetime.datetime):
        return value + datetime.timedelta(microseconds=1) if end_of_day else value
    midnight = datetime.datetime.combine(value, datetime.time.min, datetime.UTC)
    return midnight + datetime.timedelta(days=1) if end_of_day else midnight


def _among(model: exposure.Model, field: exposure.Field) -> Callable[[Any], Q]:
    """Return what builds the condition that the field has one of some values."""
    if field.many_to_many:
        return lambda values: Q(pk__in=linked_to(field, values))
    lower = Lower(field.name)
    caseless = any(
        isinstance(constraint, UniqueConstraint) and constraint.expressions == (lower,)
        for constraint in model._meta.constraints
    )
    if caseless:  # by the constraint's index

        def equals_one(values: Any) -> Q:
            equal = [Q(Exact(lower, Lower(Value(value)))) for value in values]
            return functools.reduce(operator.or_, equal)

        return equals_one
    return _compare(f"{field.attname}__in")


def key_parameter(model: exposure.Model, name: str) -> Any:
    """Return the type of the parameter in the path that names one record: an integer or a UUID."""
    type_ = parameter_type(exposure.get_field(model, model._meta.pk.name))
    return Annotated[type_, Path(alias=name)]  # type: ignore[type-arg]


def parameter_type(field: exposure.Field) -> Any:
    """Return the type of a value that a choice, a key or a short text is compared with."""
    if field.choices:
        values = choice_values(field)
        by_text = {str(value): value for value in values}
        choice: Any = Literal[values]
        return Annotated[choice, BeforeValidator(lambda text: by_text.get(text, text))]
    target: Any = field.target_field if field.is_relation else field  # type: ignore[attr-defined]
    if isinstance(target, models.UUIDField):
        return uuid.UUID
    if isinstance(target, models.IntegerField):
        return Id
    return Annotated[SingleLineText, Field(max_length=target.max_length)]


def _number_type(field: exposure.Field) -> Any:
    """Return the type of a number that a column can be compared with, on every database."""
    output: Any = getattr(field, "output_field", field)
    least = numeric_limits(field).get("ge", -1)
    # A lower limit may be the column's, and the database's.
    limits: dict[str, Any] = {"ge": least} if least >= 0 else {}
    if isinstance(output, models.IntegerField):
        limits = {"ge": -MAX_ID - 1, "le": MAX_ID} | limits
        return Annotated[int, Field(**limits), INTEGER_NOTATION]
    limits["max_digits"] = max(MAX_DIGITS, getattr(output, "max_digits", 0))
    limits["decimal_places"] = getattr(output, "decimal_places", None)
    return Annotated[Decimal, Field(**limits), DECIMAL_NOTATION]
