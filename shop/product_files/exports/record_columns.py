"""Export columns of any field of a record that is related to the rows of an export."""

from functools import cached_property
from typing import Any

from django.db.models import F, OuterRef, StringAgg, Subquery, TextField, Value
from django.db.models.functions import Cast

from shop import exposure
from shop.natural_keys import NaturalKeys, has_natural_key, natural_key_field
from shop.product_files.exports.columns import CellType, Column
from shop.product_files.exports.resources import CellWidget
from shop.product_files.formula_escaping import escape_formula

#: Separates the keys of related records, which neither numbers nor UUIDs contain.
KEY_SEPARATOR = " "


class RelatedNames:
    """Formats keys of related records, one or several in a text, as the records' natural keys."""

    def __init__(self, model: exposure.Model) -> None:
        self.model = model

    @cached_property
    def _names(self) -> dict[str, str]:
        if has_natural_key(self.model):
            return {str(pk): name for pk, name in NaturalKeys(self.model).texts.items()}
        return {str(record.pk): str(record) for record in self.model._default_manager.all()}

    def __call__(self, keys: Any) -> str:
        if keys is None:
            return ""
        listed = str(keys).split(KEY_SEPARATOR)
        return escape_formula("; ".join(sorted(self._names[k] for k in listed if k in self._names)))


def record_column(header: str, path: str, field: exposure.Field) -> tuple[Column, dict[str, Any]]:
    """Return the column of a field of the record at this path, and what to annotate for it."""
    name = f"{path}__{field.name}"
    related: Any = field.related_model
    if field.many_to_many:
        alias = f"{name}__keys".replace("__", "_")
        annotation = {alias: _related_keys(f"{path}__pk", field)}
        return Column(header, RelatedNames(related), (alias,), CellType.LINE), annotation
    if field.is_relation:
        key = natural_key_field(related)
        names = [f"{name}__{key.name}"] if key else [name]
        show = _text_cell if key else RelatedNames(related)
        return Column(header, show, tuple(names), CellType.LINE), {}
    if field.choices:
        labels = dict(field.flatchoices)
        return Column(
            header, lambda value: _text_cell(labels.get(value, value)), (name,), CellType.LINE
        ), {}
    widget = CellWidget(field)
    return Column(header, widget.formatter, (name,), widget.cell_type), {}


def _text_cell(value: Any) -> str:
    return "" if value is None else escape_formula(str(value))


def _related_keys(path: str, field: Any) -> Subquery:
    """Return a subquery with the keys of a many-to-many field's records, as one text."""
    source, target = field.m2m_field_name(), F(f"{field.m2m_reverse_field_name()}_id")
    rows = field.remote_field.through._default_manager.filter(**{source: OuterRef(path)})
    keys = StringAgg(Cast(target, TextField()), Value(KEY_SEPARATOR))
    return Subquery(rows.order_by().values(source).annotate(keys=keys).values("keys"))
