"""The product export as a django-import-export resource, with columns derived from the model."""

import datetime
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.db import models
from import_export import fields, resources, widgets

from shop import exposure, money, natural_keys
from shop.models import Product
from shop.natural_keys import NaturalKeys
from shop.product_files.exports.columns import CellType, Column, DecimalText, LinkedKeys
from shop.product_files.exports.export_formats import UrlBuilder
from shop.product_files.formats.header_aliases import STOCK_WAS
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
)


def _relation_formatter(field: exposure.Field) -> CellFormatter:
    """Return a function from a key, or a JSON list of keys, to natural keys, read once."""
    related: Any = field.related_model
    names = NaturalKeys(related)

    @lru_cache(MAX_CACHED_LISTS)
    def format_list(keys: str | None) -> str:
        pks = map(related._meta.pk.to_python, json.loads(keys or "[]"))
        return escape_formula(natural_keys.join_keys(names.format(pks)))

    if field.many_to_many:
        return format_list
    return lambda key: escape_formula(names.texts.get(key, ""))


def _blank_if_null(formatter: CellFormatter) -> CellFormatter:
    return lambda value: "" if value is None else formatter(value)


class CellWidget(widgets.Widget):  # type: ignore[misc]
    """Formats a field's value as the text of a cell."""

    def __init__(self, field: exposure.Field) -> None:
        super().__init__()
        matches = ((kind, show) for class_, kind, show in FORMATTERS if isinstance(field, class_))
        default = (CellType.LINE, lambda value: escape_formula(str(value)))
        self.cell_type, formatter = next(matches, default)
        # Checking for null costs time in each of 100,000 rows, so only nullable fields do it.
        self.formatter = _blank_if_null(formatter) if field.null else formatter

    def render(self, value: Any, obj: Any = None, **_: Any) -> str:  # noqa: ARG002 - the library's
        return self.formatter(value)


def _exported_fields() -> list[str]:
    """Return the names of the columns of product files, and of the uploaded files."""
    written = exposure.names_of(natural_keys.file_fields(Product))
    return [
        name
        for name in exposure.editable_fields(Product)
        if name in written or isinstance(exposure.get_field(Product, name), models.FileField)
    ]


class ProductResource(resources.ModelResource):  # type: ignore[misc]
    """Every field that staff edit, then the stock and the stock at export.

    The library's export builds an object per row and a dataset of all rows. `columns` gives the
    same cells for many rows at a time, with one query and constant memory; only there, related
    records have names.
    """

    stock = fields.Field(
        "stock", "stock", CellWidget(exposure.get_field(Product, "stock")), readonly=True
    )
    stock_was = fields.Field(
        "stock", STOCK_WAS, CellWidget(exposure.get_field(Product, "stock")), readonly=True
    )

    class Meta:
        model = Product
        fields = (*_exported_fields(), "stock", "stock_was")
        import_id_fields = ("sku",)

    @classmethod
    def field_from_django_field(
        cls,
        field_name: str,  # noqa: ARG003 - the library's
        django_field: exposure.Field,
        readonly: bool,  # noqa: FBT001 - the library's
    ) -> Any:
        return fields.Field(
            attribute=django_field.attname,
            column_name=str(django_field.verbose_name),
            widget=CellWidget(django_field),
            default=django_field.default,
            readonly=readonly,
        )

    def columns(self, build_url: UrlBuilder) -> list[Column]:
        """Return the export's columns. `build_url` returns a stored file's URL, given its name."""
        return [self._column(field, build_url) for field in self.get_export_fields()]

    def _column(self, resource_field: Any, build_url: UrlBuilder) -> Column:
        field = exposure.get_field(Product, resource_field.attribute)
        widget, value = resource_field.widget, resource_field.attribute
        formatter = widget.formatter
        if field.is_relation:
            formatter = _relation_formatter(field)
            value = LinkedKeys(field) if field.many_to_many else value
        elif isinstance(field, models.FileField):
            formatter = _url_formatter(build_url)
        elif isinstance(field, models.DecimalField) and not field.null:
            formatter, value = str, DecimalText(value, field.decimal_places)
        return Column(resource_field.column_name, formatter, (value,), widget.cell_type)


def _url_formatter(build_url: UrlBuilder) -> CellFormatter:
    return lambda name: escape_formula(build_url(name)) if name else ""
