import logging

from django.db import DatabaseError, migrations, models, transaction

EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"

#: What the back office looks through. Django's `icontains` compares UPPER(column::text) on PostgreSQL.
SEARCHED = {
    "shop_product": ["name", "sku", "description"],
    "shop_order": ["order_number", "shipping_address"],
    "shop_orderitem": ["sku", "name"],
    "shop_orderevent": ["note"],
    "shop_stockmovement": ["reason"],
    "shop_user": ["email", "first_name", "last_name", "phone"],
    "shop_session": ["device"],
    "shop_auditentry": ["record", "changes"],
}


def _index(table, columns):
    keys = ", ".join(f"UPPER({column}::text) gin_trgm_ops" for column in columns)
    return f"CREATE INDEX IF NOT EXISTS {table}_search ON {table} USING gin ({keys})"


INDEXES = [_index(table, columns) for table, columns in SEARCHED.items()]


def add_indexes(apps, schema_editor):
    """Indexes of trigrams, PostgreSQL's way to find a word's middle. Without them all works, only slower."""
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute(EXTENSION)
        except DatabaseError as error:
            logging.getLogger(__name__).warning(
                "Searches in the back office stay slow in a large shop: %s"
                "Once a superuser has made the extension, run:\n%s;",
                error,
                ";\n".join(INDEXES),
            )
            return
        cursor.execute("SET LOCAL statement_timeout = 0")  # those of a large shop take longer than a request may
        for index in INDEXES:
            cursor.execute(index)


def remove_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table in SEARCHED:
            schema_editor.execute(f"DROP INDEX IF EXISTS {table}_search")


class Migration(migrations.Migration):
    dependencies = [("shop", "0003_audit_log")]

    operations = [
        migrations.AddIndex("user", models.Index(fields=["last_name", "-created_at", "-id"], name="user_by_name")),
        migrations.RunPython(add_indexes, remove_indexes),
    ]
