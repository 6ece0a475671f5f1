import logging

from django.db import DatabaseError, migrations, transaction

EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"

#: Table -> the columns that the admin searches. `icontains` compares UPPER(column::text) on PostgreSQL.
SEARCHED = {
    "shop_product": ["name", "sku", "description"],
    "shop_order": ["order_number", "shipping_address"],
    "shop_orderitem": ["sku", "name"],
    "shop_orderevent": ["note"],
    "shop_stockmovement": ["reason"],
    "shop_user": ["email", "first_name", "last_name", "phone"],
    "shop_session": ["device"],
    "shop_auditentry": ["record_label", "changes"],
}


def _index(table, columns):
    keys = ", ".join(f"UPPER({column}::text) gin_trgm_ops" for column in columns)
    return f"CREATE INDEX IF NOT EXISTS {table}_search ON {table} USING gin ({keys})"


INDEXES = [_index(table, columns) for table, columns in SEARCHED.items()]


def add_indexes(apps, schema_editor):
    """Trigram indexes for substring search. Without `pg_trgm` everything works, only slower."""
    connection = schema_editor.connection
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
                ";\n".join(INDEXES),
            )
            return
        cursor.execute("SET LOCAL statement_timeout = 0")  # a large table takes longer than a request may
        for index in INDEXES:
            cursor.execute(index)


def remove_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table in SEARCHED:
            schema_editor.execute(f"DROP INDEX IF EXISTS {table}_search")


def set_fillfactor(apps, schema_editor):
    """Leave room on each page, so that a sale is a heap-only update and touches no index."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE shop_product SET (fillfactor = 85)")


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]

    operations = [
        migrations.RunPython(set_fillfactor, migrations.RunPython.noop),
        migrations.RunPython(add_indexes, remove_indexes),
    ]
