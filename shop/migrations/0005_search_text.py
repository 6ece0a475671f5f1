import logging

from django.db import DatabaseError, migrations, models, transaction

import shop.models.products
from shop.db.search_text import FoldedText, FoldedTextField
from shop.db.text_folding import NAME_COLLATION

EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
OLD_COLUMNS = {
    "shop_product": ["name", "sku", "description"],
    "shop_user": ["email", "first_name", "last_name", "phone"],
}
#: The indexes of 0002_search_indexes, and those that replace them.
OLD_INDEXES = [
    f"CREATE INDEX {table}_search ON {table} USING gin"
    f" ({', '.join(f'UPPER({column}::text) gin_trgm_ops' for column in columns)})"
    for table, columns in OLD_COLUMNS.items()
]
INDEXES = [f"CREATE INDEX {table}_search ON {table} USING gin (search_text gin_trgm_ops)" for table in OLD_COLUMNS]


def drop_indexes(apps, schema_editor):
    """Drop the indexes before their columns change, and let the next operations take their time."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET LOCAL statement_timeout = 0")
        for table in OLD_COLUMNS:
            schema_editor.execute(f"DROP INDEX IF EXISTS {table}_search")


def add_indexes(apps, schema_editor):
    """Trigram indexes for substring search. Without `pg_trgm` everything works, only slower."""
    _create_indexes(schema_editor.connection, INDEXES)


def restore_indexes(apps, schema_editor):
    _create_indexes(schema_editor.connection, OLD_INDEXES)


def _create_indexes(connection, indexes):
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute(EXTENSION)
        except DatabaseError as error:
            logging.getLogger(__name__).warning(
                "The extension pg_trgm could not be created, so searches in large tables are slow: %s"
                "Once a superuser has created it, run:\n%s;",
                error,
                ";\n".join(indexes),
            )
            return
        for index in indexes:
            cursor.execute(index)


def search_text(*columns):
    return models.GeneratedField(
        db_persist=True,
        expression=FoldedText(*columns),
        output_field=FoldedTextField(),
        serialize=False,
    )


class Migration(migrations.Migration):
    dependencies = [("shop", "0004_outbox")]

    operations = [
        migrations.RunPython(drop_indexes, restore_indexes),
        migrations.AlterField(
            "product",
            "name",
            models.CharField(
                "name",
                db_collation=NAME_COLLATION,
                help_text="Shown to customers. Add what sets it apart, such as colour or size.",
                max_length=200,
            ),
        ),
        migrations.AlterField(
            "product",
            "sku",
            shop.models.products.SkuField(
                "SKU",
                blank=True,
                db_collation=NAME_COLLATION,
                help_text="Unique regardless of case. Leave empty to generate one.",
                max_length=64,
            ),
        ),
        migrations.AlterField(
            "user",
            "first_name",
            models.CharField("first name", db_collation=NAME_COLLATION, max_length=100),
        ),
        migrations.AlterField(
            "user",
            "last_name",
            models.CharField("last name", db_collation=NAME_COLLATION, max_length=100),
        ),
        migrations.AlterField(
            "savedview",
            "name",
            models.CharField(
                "name",
                db_collation=NAME_COLLATION,
                help_text="For example “Late, unpaid”.",
                max_length=60,
            ),
        ),
        migrations.AlterField(
            "productimport",
            "name",
            models.CharField("file", db_collation=NAME_COLLATION, max_length=200),
        ),
        migrations.AddField("product", "search_text", search_text("name", "sku", "description")),
        migrations.AddField(
            "user", "search_text", search_text("email", "first_name", "last_name", "phone")
        ),
        migrations.RunPython(add_indexes, drop_indexes),
    ]
