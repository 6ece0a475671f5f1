"""The product export as a django-import-export resource, with columns derived from the model."""

from dataclasses import replace
from typing import Any

from django.db import models
from import_export import fields, resources, widgets

from shop import exposure, natural_keys
from shop.models import Product
from shop.product_files.exports.columns import Column
from shop.product_files.exports.export_formats import UrlBuilder
from shop.product_files.exports.field_columns import CellFormatter, cell_format, field_column
from shop.product_files.formats.header_aliases import STOCK_WAS
from shop.product_files.formula_escaping import escape_formula


class CellWidget(widgets.Widget):  # type: ignore[misc]
    """Formats a field's value as the text of a cell."""

    def __init__(self, field: exposure.Field) -> None:
        super().__init__()
        _cell_type, self.formatter = cell_format(field)

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
        column = replace(field_column(field), header=resource_field.column_name)
        if isinstance(field, models.FileField):
            return replace(column, format_cell=_url_formatter(build_url))
        return column


def _url_formatter(build_url: UrlBuilder) -> CellFormatter:
    return lambda name: escape_formula(build_url(name)) if name else ""
