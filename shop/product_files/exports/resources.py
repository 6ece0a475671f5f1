"""The product file as django-import-export knows it: one resource, whose fields are the model's own."""

import datetime
import json
from collections.abc import Callable
from typing import Any

from django.db import models
from import_export import fields, resources, widgets

from shop import exposure, money
from shop.models import Product
from shop.product_files.exports.csv_writer import CellType, Column, DecimalText
from shop.product_files.formats.column_matching import STOCK_WAS
from shop.product_files.formula_escaping import escape_formula

type Show = Callable[[Any], str]


def _plain(number: Any) -> str:
    """All its digits, with a point and without an exponent, whatever the language."""
    return format(number, "f")


def _moment(at: datetime.datetime) -> str:
    """In UTC: `2026-11-22T09:30:00Z`."""
    return at.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")


#: What a field holds → how a spreadsheet shows it, and its text. The first that fits counts.
SHOWN: tuple[tuple[type[exposure.Field], CellType, Show], ...] = (
    (models.BooleanField, CellType.LINE, lambda value: "yes" if value else "no"),
    (money.MoneyField, CellType.MONEY, str),
    (models.DecimalField, CellType.NUMBER, _plain),
    (models.IntegerField, CellType.NUMBER, str),
    (models.FloatField, CellType.NUMBER, repr),
    (models.DateTimeField, CellType.LINE, _moment),
    (models.DateField, CellType.LINE, datetime.date.isoformat),
    (
        models.JSONField,
        CellType.TEXT,
        lambda value: escape_formula(json.dumps(value, ensure_ascii=False)),
    ),
    (models.TextField, CellType.TEXT, escape_formula),
)


def _or_blank(show: Show) -> Show:
    return lambda value: "" if value is None else show(value)


class Cell(widgets.Widget):  # type: ignore[misc]
    """A field's value as the text of a cell."""

    def __init__(self, field: exposure.Field) -> None:
        super().__init__()
        held = field.target_field if isinstance(field, models.ForeignKey) else field
        kinds = ((kind, show) for type_, kind, show in SHOWN if isinstance(held, type_))
        self.kind, show = next(kinds, (CellType.LINE, lambda value: escape_formula(str(value))))
        # Only a field that may hold nothing is asked for it, a hundred thousand times.
        self.show = _or_blank(show) if field.null else show

    def render(self, value: Any, obj: Any = None, **_: Any) -> str:  # noqa: ARG002 - the library's
        return self.show(value)


class ProductResource(resources.ModelResource):  # type: ignore[misc]
    """Every field that staff edit, named as they read it; then the stock, twice: the second is its memory.

    What the library does for one row at a time is done for many at once, with the same fields and cells: it
    makes an object, a field look-up and a dataset of all rows where `columns` needs one query and no memory.
    """

    stock = fields.Field(
        "stock", "stock", Cell(exposure.get_field(Product, "stock")), readonly=True
    )
    stock_was = fields.Field(
        "stock", STOCK_WAS, Cell(exposure.get_field(Product, "stock")), readonly=True
    )

    class Meta:
        model = Product
        fields = (*exposure.editable_fields(Product), "stock", "stock_was")
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
            widget=Cell(django_field),
            default=django_field.default,
            readonly=readonly,
        )

    def columns(self, address: Callable[[str], str]) -> list[Column]:
        """The export's columns. `address` says where a stored file is, by its name."""
        return [self._column(one, address) for one in self.get_export_fields()]

    def _column(self, one: Any, address: Callable[[str], str]) -> Column:
        field = exposure.get_field(Product, one.attribute)
        show, value = one.widget.show, one.attribute
        if isinstance(field, models.FileField):
            show = _linked(address)
        elif isinstance(field, models.DecimalField) and not field.null:
            show, value = str, DecimalText(value, field.decimal_places)
        return Column(one.column_name, show, (value,), one.widget.kind)


def _linked(address: Callable[[str], str]) -> Show:
    return lambda name: escape_formula(address(name)) if name else ""
