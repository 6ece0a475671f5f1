"""Parts of the SQL statements of `services.imports`, in which `r` is a row and `p` its product.

Identifiers come from the models and from the code, never from user input.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connection, models, transaction

from shop import exposure
from shop.db.raw_sql import lock_clause
from shop.models import ProductImport


def quoted_column(field: Any) -> str:
    """Return the quoted name of the field's column."""
    return connection.ops.quote_name(field.column)


def is_in_row(field: exposure.Field, side: str) -> str:
    """Return SQL for whether a row's `before` or `after` has the field; null counts as a value."""
    return f"r.{side} -> '{field.name}' IS NOT NULL"


def row_value(field: exposure.Field, side: str) -> str:
    """Return SQL for the field's value in `before` or `after`, in the column's type."""
    arrow = "->" if isinstance(field, models.JSONField) else "->>"
    return cast_sql(field, f"(r.{side} {arrow} '{field.name}')")


def cast_sql(field: Any, sql: str) -> str:
    """Cast to the column's type on PostgreSQL; SQLite converts by the column's affinity."""
    if connection.vendor != "postgresql":
        return sql
    return f"CAST({sql} AS {field.db_type(connection)})"


def differs_sql(field: exposure.Field, side: str) -> str:
    """Return SQL for whether the row has the field and the product holds another value."""
    column, value = f"p.{quoted_column(field)}", row_value(field, side)
    if isinstance(field, models.JSONField) and connection.vendor == "sqlite":
        column = f"JSON({column})"  # `->` returns JSON without spaces
    differs = f"({column} <> {value} OR ({column} IS NULL) <> ({value} IS NULL))"
    return f"({is_in_row(field, side)} AND {differs})"


def execute_sql(sql: str, *parameters: Any) -> int:
    """Run a statement and return the number of rows."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            "Products, balances and ledger need one transaction."
        )
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def lock_rows(
    table: str, column: str, product_import: ProductImport, statuses: Iterable[str], strength: str
) -> None:
    """Lock the table's records that refer to products of these rows, in id order."""
    quoted = ", ".join(f"'{status}'" for status in statuses)
    execute_sql(
        f"SELECT COUNT(*) FROM (SELECT id FROM {table} WHERE {column} IN"
        " (SELECT product_id FROM shop_importrow"
        f" WHERE product_import_id = %s AND status IN ({quoted}))"
        f" ORDER BY id {lock_clause(strength)}) AS locked",
        product_import.pk,
    )
