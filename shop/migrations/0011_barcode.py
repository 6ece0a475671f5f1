"""Add the barcode of products, which searches also find."""

import logging

from django.db import DatabaseError, migrations, models, transaction

import shop.barcodes
from shop.db.search_text import FoldedText, FoldedTextField

EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
INDEXES = ["CREATE INDEX shop_product_search ON shop_product USING gin (search_text gin_trgm_ops)"]


def allow_time(apps, schema_editor):
    """Let the next operations take their time: they write the whole table."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET LOCAL statement_timeout = 0")


def add_indexes(apps, schema_editor):
    """Recreate the trigram index. Without `pg_trgm` everything works, only slower."""
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute(EXTENSION)
        except DatabaseError as error:
            logging.getLogger(__name__).warning(
                "The extension pg_trgm could not be created, so searches in large tables are slow:"
                " %sOnce a superuser has created it, run:\n%s;",
                error,
                ";\n".join(INDEXES),
            )
            return
        for index in INDEXES:
            cursor.execute(index)


class Migration(migrations.Migration):
    dependencies = [("shop", "0010_order_search")]

    operations = [
        migrations.RunPython(allow_time, add_indexes),
        migrations.AddField(
            "product",
            "barcode",
            shop.barcodes.BarcodeField(
                "barcode",
                blank=True,
                help_text="The digits under the bars: EAN, UPC, ISBN or another GTIN. Scanners find it.",
                max_length=14,
                null=True,
                unique=True,
            ),
        ),
        # PostgreSQL drops the index with its column.
        migrations.RemoveField("product", "search_text"),
        migrations.AddField(
            "product",
            "search_text",
            models.GeneratedField(
                db_persist=True,
                expression=FoldedText("name", "sku", "description", "barcode"),
                output_field=FoldedTextField(),
                serialize=False,
            ),
        ),
        migrations.RunPython(add_indexes, allow_time),
    ]
