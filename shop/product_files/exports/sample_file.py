"""A file to begin with: the columns that are read, and a product as an example."""

import csv
import io

from django.db import models

from shop import exposure
from shop.models import Product
from shop.money import MoneyField
from shop.product_files.imports.error_report import BOM

EXAMPLES: tuple[tuple[type[exposure.Field], str], ...] = (
    (models.BooleanField, "yes"),
    (MoneyField, "12.50"),
    (models.IntegerField, "5"),
)
#: What the example shows of fields whose kind does not say it.
OWN = {"name": "Example mug", "sku": "EXAMPLE-1", "description": "Holds 300 ml."}


def build_sample_file() -> bytes:
    """CSV as Excel opens it. Its columns are those of the product, so that a new field is in it by itself."""
    fields = [exposure.get_field(Product, name) for name in exposure.file_fields(Product)]
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow([*(str(field.verbose_name) for field in fields), "stock"])
    table.writerow([*map(_example, fields), "10"])
    return f"{BOM}{text.getvalue()}".encode()


def _example(field: exposure.Field) -> str:
    if field.choices:
        return str(field.flatchoices[0][1])
    by_kind = next((text for kind, text in EXAMPLES if isinstance(field, kind)), "")
    return OWN.get(field.name, by_kind)
