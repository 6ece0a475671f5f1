"""A sample product file: all columns that an import reads, and one example product."""

from typing import Any

from django.db import models

from shop import exposure, natural_keys
from shop.models import Product
from shop.money import MoneyField
from shop.natural_keys import NaturalKeys
from shop.product_files.exports.columns import Column
from shop.product_files.exports.csv_writer import write_csv
from shop.product_files.formats.header_aliases import STOCK
from shop.product_files.formula_escaping import escape_formula

EXAMPLES_BY_CLASS: tuple[tuple[type[exposure.Field], str], ...] = (
    (models.BooleanField, "yes"),
    (MoneyField, "12.50"),
    (models.IntegerField, "5"),
    (models.DateTimeField, "2026-03-31T12:30:00Z"),
    (models.DateField, "2026-03-31"),
)
#: Examples for fields whose class does not suggest one.
EXAMPLES_BY_NAME = {
    "name": "Example mug",
    "sku": "EXAMPLE-1",
    "barcode": "2000000000015",
    "description": "Holds 300 ml.",
}


def build_sample_file() -> bytes:
    """Return the sample as CSV. The columns come from the model, so new fields are included."""
    fields = natural_keys.file_fields(Product)
    headers = [*(str(field.verbose_name) for field in fields), STOCK]
    cells = (*map(_example_cell, fields), "10")
    return b"".join(write_csv([Column(header, str) for header in headers], [cells]))


def _example_cell(field: exposure.Field) -> str:
    if field.is_relation:
        return _example_names(field)
    if field.choices:
        return str(field.flatchoices[0][1])
    by_class = (text for class_, text in EXAMPLES_BY_CLASS if isinstance(field, class_))
    return EXAMPLES_BY_NAME.get(field.name) or next(by_class, "")


def _example_names(field: Any) -> str:
    """Return the name of a record that exists, or of two; empty if there is none."""
    records = field.related_model._default_manager.order_by("pk")
    names = NaturalKeys(field.related_model, records[: 2 if field.many_to_many else 1]).texts
    text = natural_keys.join_keys(names.values())
    return escape_formula(text if field.many_to_many else next(iter(names.values()), ""))
