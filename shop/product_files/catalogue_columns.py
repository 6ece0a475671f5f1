"""The columns of a further catalogue model's file: cells parsed and formatted field by field."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from import_export import fields

from shop import exposure, text_validation
from shop.natural_keys import NaturalKeys, has_natural_key, natural_key_field
from shop.product_files.exports.columns import CellType
from shop.product_files.exports.resources import CellWidget
from shop.product_files.formula_escaping import escape_formula, unescape_formula
from shop.product_files.reading.limits import quote_text
from shop.product_files.reading.number_parsing import detect_decimal_mark, parse_boolean

#: Separates the records of a many-to-many field.
LIST_SEPARATOR = ";"
_WHOLE_NUMBER = re.compile(r"[-+]?\d{1,18}", re.ASCII)


def key_field(model: exposure.Model) -> exposure.Field:
    """Return the field whose value says which record a row is about."""
    return natural_key_field(model) or exposure.get_field(model, model._meta.pk.name)


def file_columns(model: exposure.Model) -> list[exposure.Field]:
    """Return the fields that are columns, the key first."""
    editable = [exposure.get_field(model, name) for name in exposure.file_fields(model)]
    key = key_field(model)
    return [key, *(field for field in editable if field != key)]


class CatalogueColumn(fields.Field):  # type: ignore[misc]
    """A column of a file: parses and formats the cells of one model field."""

    def __init__(self, field: exposure.Field, *, is_key: bool) -> None:
        attribute = field.name if field.many_to_many else field.attname
        super().__init__(attribute, str(field.verbose_name), readonly=field.primary_key)
        self.field, self.is_key = field, is_key
        related: Any = field.related_model
        #: None for a relation whose records are named by their keys.
        self.related = NaturalKeys(related) if related and has_natural_key(related) else None
        self.cell = None if field.is_relation else CellWidget(field)

    @property
    def cell_type(self) -> CellType:
        return self.cell.cell_type if self.cell else CellType.LINE

    def get_value(self, instance: Any) -> Any:
        """Return the stored or, during an import, the imported value; keys of related records."""
        if not self.field.many_to_many:
            return getattr(instance, self.field.attname)
        imported = instance.__dict__.get(f"_imported_{self.field.name}")
        if imported is not None or not instance.pk:
            return imported or []
        return sorted(record.pk for record in getattr(instance, self.field.name).all())

    def export(self, instance: Any, **_kwargs: Any) -> str:
        """Return the value as the text of a cell."""
        value = self.get_value(instance)
        if self.cell:
            return "" if value is None else str(self.cell.render(value))
        keys = value if self.field.many_to_many else [] if value is None else [value]
        texts = self.related.format(keys) if self.related else map(str, keys)
        return escape_formula(f"{LIST_SEPARATOR} ".join(texts))

    def save(self, instance: Any, row: Any, *_args: Any, **_kwargs: Any) -> None:
        """Set the value of a row's cell. Raises ValueError with a message for staff."""
        text = unescape_formula(row[self.column_name]).strip()
        if self.readonly or (not text and self.keeps_default(instance)):
            return
        if self.field.many_to_many:
            instance.__dict__[f"_imported_{self.field.name}"] = sorted(self._find_all(text))
        else:
            setattr(instance, self.field.attname, self._parse(text))

    def keeps_default(self, instance: Any) -> bool:
        """Return whether a blank cell leaves the field as it is: in a new record with a default."""
        is_new = instance._state.adding
        return bool(is_new and self.field.has_default() and not self.field.many_to_many)

    def _find_all(self, text: str) -> set[Any]:
        return {self._find(name) for name in map(str.strip, text.split(LIST_SEPARATOR)) if name}

    def _find(self, name: str) -> Any:
        """Return the key of the related record with this name."""
        if self.related is None:
            target: Any = self.field.target_field  # type: ignore[attr-defined]
            return target.to_python(name)
        key = self.related.find(name)
        if key is None:
            values = {"text": quote_text(name), "nearest": self.related.nearest(name)}
            if values["nearest"]:
                raise ValueError(_("%(text)s is unknown. Did you mean “%(nearest)s”?") % values)
            raise ValueError(_("%(text)s is unknown.") % values)
        return key

    def _parse(self, text: str) -> Any:
        field = self.field
        if not text:
            return self._empty()
        if field.is_relation:
            return self._find(text)
        if field.choices:
            words = {
                str(word).casefold(): value
                for value, name in field.flatchoices
                for word in (value, name)
            }
            return words.get(text.casefold(), text)  # validation says which there are
        for class_, parse in PARSERS:
            if isinstance(field, class_):
                return parse(text)
        return self._parse_by_django(text)

    def _parse_by_django(self, text: str) -> Any:
        """Return a text cleaned, and every other value as the field itself reads it."""
        if isinstance(self.field, models.TextField):
            return text_validation.clean_text(text)
        if isinstance(self.field, models.CharField):
            return text_validation.clean_line(text)
        try:
            return self.field.to_python(text)
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from error

    def _empty(self) -> Any:
        field = self.field
        if field.null or (not field.empty_strings_allowed and not field.blank):
            return None  # validation refuses it where there must be a value
        return field.get_default()


def parse_whole_number(text: str) -> int:
    """Return the whole number. Raises ValueError with a message for staff."""
    if not _WHOLE_NUMBER.fullmatch(text):
        message = _("%(value)s isn't a whole number. Write it like 12.")
        raise ValueError(message % {"value": quote_text(text)})
    return int(text)


def _parse_number(type_: Callable[[str], Any], text: str) -> Any:
    mark = detect_decimal_mark([text])
    try:
        return type_(text if mark == "." else text.replace(",", ".") if mark else "")
    except (ValueError, InvalidOperation) as error:
        message = _("%(text)s is not a number. Write it like 1.25.")
        raise ValueError(message % {"text": quote_text(text)}) from error


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(_("%(text)s is not JSON.") % {"text": quote_text(text)}) from error


def _parse_moment(text: str) -> datetime:
    """Return the moment; one without a time zone is in UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return timezone.make_aware(moment, UTC) if timezone.is_naive(moment) else moment
    except (ValueError, OverflowError) as error:
        message = _("%(text)s is not a date and time. Write it like 2026-03-31T12:30:00Z.")
        raise ValueError(message % {"text": quote_text(text)}) from error


#: Field class -> parser of its cells. The first match counts; other fields read what Django does.
PARSERS: tuple[tuple[type[exposure.Field], Callable[[str], Any]], ...] = (
    (models.BooleanField, parse_boolean),
    (models.IntegerField, parse_whole_number),
    (models.DecimalField, partial(_parse_number, Decimal)),
    (models.FloatField, partial(_parse_number, float)),
    (models.DateTimeField, _parse_moment),
    (models.JSONField, _parse_json),
)
