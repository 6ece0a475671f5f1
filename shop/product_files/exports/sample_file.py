"""A sample product file: all columns that an import reads, and one example product."""

from django.db import models

from shop import exposure
from shop.models import Product
from shop.money import MoneyField
from shop.product_files.exports.columns import Column
from shop.product_files.exports.csv_writer import write_csv
from shop.product_files.formats.header_aliases import STOCK

EXAMPLES_BY_CLASS: tuple[tuple[type[exposure.Field], str], ...] = (
    (models.BooleanField, "yes"),
    (MoneyField, "12.50"),
    (models.IntegerField, "5"),
)
#: Examples for fields whose class does not suggest one.
EXAMPLES_BY_NAME = {"name": "Example mug", "sku": "EXAMPLE-1", "description": "Holds 300 ml."}


def build_sample_file() -> bytes:
    """Return the sample as CSV. The columns come from the model, so new fields are included."""
    fields = [exposure.get_field(Product, name) for name in exposure.file_fields(Product)]
    headers = [*(str(field.verbose_name) for field in fields), STOCK]
    cells = (*map(_example_cell, fields), "10")
    return b"".join(write_csv([Column(header, str) for header in headers], [cells]))


def _example_cell(field: exposure.Field) -> str:
    if field.choices:
        return str(field.flatchoices[0][1])
    by_class = (text for class_, text in EXAMPLES_BY_CLASS if isinstance(field, class_))
    return EXAMPLES_BY_NAME.get(field.name) or next(by_class, "")
