"""Export columns of any model field: of the exported records, or of records they refer to."""

import datetime
import json
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from django.db import models

from shop import exposure, money, natural_keys
from shop.db.key_lists import key_list
from shop.product_files.exports.columns import CellType, Column, DecimalText
from shop.product_files.formula_escaping import escape_formula

#: Different lists of related records that are formatted once.
MAX_CACHED_LISTS = 10_000

type CellFormatter = Callable[[Any], str]


def _format_decimal(number: Any) -> str:
    """Write all digits with a decimal point, without an exponent."""
    return format(number, "f")


def _format_utc(moment: datetime.datetime) -> str:
    """Write the moment in UTC, such as `2026-11-22T09:30:00Z`."""
    return moment.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")


#: Field class, its cell type and its formatter. The first match counts.
FORMATTERS: tuple[tuple[type[exposure.Field], CellType, CellFormatter], ...] = (
    (models.BooleanField, CellType.LINE, lambda value: "yes" if value else "no"),
    (money.MoneyField, CellType.MONEY, str),
    (models.DecimalField, CellType.NUMBER, _format_decimal),
    (models.IntegerField, CellType.NUMBER, str),
    (models.FloatField, CellType.NUMBER, repr),
    (models.DateTimeField, CellType.LINE, _format_utc),
    (models.DateField, CellType.LINE, datetime.date.isoformat),
    (
        models.JSONField,
        CellType.TEXT,
        lambda value: escape_formula(json.dumps(value, ensure_ascii=False)),
    ),
    (models.TextField, CellType.TEXT, escape_formula),
    (models.Field, CellType.LINE, lambda value: escape_formula(str(value))),
)


def cell_format(field: exposure.Field) -> tuple[CellType, CellFormatter]:
    """Return a field's cell type, and the function from a value to its cell.

    A relation's value is a key; that of a many-to-many field is a tuple of keys.
    """
    if field.is_relation:
        return CellType.LINE, _relation_formatter(field)
    matches = ((kind, show) for class_, kind, show in FORMATTERS if isinstance(field, class_))
    cell_type, formatter = next(matches)
    # Checking for null costs time in each of 100,000 rows, so only nullable fields do it.
    return cell_type, _blank_if_null(formatter) if field.null else formatter


def _blank_if_null(formatter: CellFormatter) -> CellFormatter:
    return lambda value: "" if value is None else formatter(value)


def _relation_formatter(field: exposure.Field) -> CellFormatter:
    """Return a function from keys to the records' natural keys, which are read once."""
    model: Any = field.related_model

    @cache
    def names() -> dict[Any, str]:
        if natural_keys.has_natural_key(model):
            return natural_keys.NaturalKeys(model).texts
        return {record.pk: str(record) for record in model._default_manager.all()}

    @lru_cache(MAX_CACHED_LISTS)
    def format_list(keys: tuple[Any, ...]) -> str:
        return escape_formula(natural_keys.join_keys(names()[k] for k in keys if k in names()))

    if field.many_to_many:
        return format_list
    return lambda key: "" if key is None else escape_formula(names().get(key, ""))


def field_column(field: exposure.Field, prefix: str = "") -> Column:
    """Return the column of a field. `prefix` leads to its record, such as `order__`."""
    cell_type, formatter = cell_format(field)
    value: Any = f"{prefix}{field.attname}"
    if field.many_to_many:
        value = key_list(field, prefix)
    elif isinstance(field, models.DecimalField) and not field.null:
        formatter, value = str, DecimalText(value, field.decimal_places)
    return Column(str(field.verbose_name), formatter, (value,), cell_type)
