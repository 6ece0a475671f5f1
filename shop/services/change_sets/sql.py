"""Parts of the SQL statements of `statements.py`, in which `r` is a row and `p` its product.

Identifiers come from the models and from the code, never from user input.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connection, models, transaction

from shop import exposure, natural_keys
from shop.db.raw_sql import lock_clause
from shop.models import ChangeRow, ChangeSet, Product

#: Product fields that a row can set.
FILE_FIELDS = natural_keys.file_fields(Product)
#: Those that have a column, those with a list of keys, and those that no two products share.
FILE_COLUMNS = [field for field in FILE_FIELDS if not field.many_to_many]
MANY_TO_MANY: list[Any] = [field for field in FILE_FIELDS if field.many_to_many]
RELATIONS: list[Any] = [field for field in FILE_FIELDS if field.is_relation]
UNIQUE_FIELDS = [field for field in FILE_COLUMNS if field.unique]
#: Rows (r) of one import and status, by outcome. Parameters: import id, status.
PENDING = "r.change_set_id = %s AND r.status = %s AND r.outcome = ''"
APPLIED = "r.change_set_id = %s AND r.status = %s AND r.outcome = 'applied'"
UNDOING = "r.change_set_id = %s AND r.status = %s AND r.outcome IN ('undone', 'not_undone')"
NEW, CHANGED = ChangeRow.Status.NEW.value, ChangeRow.Status.CHANGED.value


def changed_fields(change_set: ChangeSet) -> list[exposure.Field]:
    """Return the fields that any changed row sets."""
    return [field for field in FILE_FIELDS if field.name in change_set.detected["changed_fields"]]


def quoted_column(field: Any) -> str:
    """Return the quoted name of the field's column."""
    return quote_name(field.column)


def quote_name(name: str) -> str:
    """Quote the name of a table or column."""
    return connection.ops.quote_name(name)


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
    if field.many_to_many:
        return f"({is_in_row(field, side)} AND r.{side} -> '{field.name}' <> {_linked_keys(field)})"
    column, value = f"p.{quoted_column(field)}", row_value(field, side)
    if isinstance(field, models.JSONField) and connection.vendor == "sqlite":
        column = f"JSON({column})"  # `->` returns JSON without spaces
    # Never NULL, because it is negated: what was cleared is cleared still.
    differs = f"(COALESCE({column} <> {value}, FALSE) OR ({column} IS NULL) <> ({value} IS NULL))"
    return f"({is_in_row(field, side)} AND {differs})"


def taken_sql(field: exposure.Field, side: str) -> str:
    """Return SQL for whether another product holds the row's value of a unique field."""
    same = f"o.{quoted_column(field)} = {row_value(field, side)}"
    return f"EXISTS (SELECT 1 FROM shop_product AS o WHERE {same} AND o.id <> COALESCE(p.id, 0))"


def is_gone_sql(field: Any, side: str) -> str:
    """Return SQL for whether the row names a record, by its key, that no longer exists."""
    if not field.many_to_many:
        key = row_value(field, side)
        return f"({key} IS NOT NULL AND NOT {_exists_sql(field, key)})"
    key = cast_sql(related_key(field), "e.value")
    return f"EXISTS (SELECT 1 FROM {list_items(field, side)} WHERE NOT {_exists_sql(field, key)})"


def _exists_sql(field: Any, key: str) -> str:
    return f"EXISTS (SELECT 1 FROM {related_table(field)} AS o WHERE o.{pk_column(field)} = {key})"


def related_table(field: Any) -> str:
    """Return the quoted table of the records that a relation refers to."""
    return quote_name(field.related_model._meta.db_table)


def pk_column(field: Any) -> str:
    """Return the quoted primary key of that table."""
    return quoted_column(field.related_model._meta.pk)


def related_key(field: Any) -> Any:
    """Return the column of the join table that refers to the related record."""
    return field.remote_field.through._meta.get_field(field.m2m_reverse_field_name())


def list_items(field: exposure.Field, side: str) -> str:
    """Return SQL for the keys of a many-to-many field in a row, as a table `e` with `value`."""
    if connection.vendor == "postgresql":
        return f"jsonb_array_elements_text(r.{side} -> '{field.name}') AS e(value)"
    return f"json_each(r.{side}, '$.{field.name}') AS e"


def sorted_keys_sql(key: str, rows: str) -> str:
    """Return SQL for the sorted JSON list of an expression's values in these rows, each once."""
    if connection.vendor == "postgresql":
        return f"to_jsonb(ARRAY(SELECT DISTINCT {key} FROM {rows} ORDER BY 1))"
    return f"(SELECT json_group_array(k) FROM (SELECT DISTINCT {key} AS k FROM {rows} ORDER BY 1))"


def _linked_keys(field: Any) -> str:
    """Return SQL for the sorted JSON list of the keys that the product is linked to."""
    table, source, target = join_table(field)
    return sorted_keys_sql(f"t.{target}", f"{table} AS t WHERE t.{source} = p.id")


def join_table(field: Any) -> tuple[str, str, str]:
    """Return table and columns of a many-to-many field: of the product, and of the other record."""
    names = field.m2m_db_table(), field.m2m_column_name(), field.m2m_reverse_name()
    table, source, target = map(quote_name, names)
    return table, source, target


def execute_sql(sql: str, *parameters: Any) -> int:
    """Run a statement and return the number of rows."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            "Products, balances and ledger need one transaction."
        )
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def select_column(sql: str, *parameters: Any) -> list[Any]:
    """Run a query and return its only column."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [value for (value,) in cursor.fetchall()]


def lock_rows(
    table: str, column: str, change_set: ChangeSet, statuses: Iterable[str], strength: str
) -> None:
    """Lock the table's records that refer to products of these rows, in id order."""
    quoted = ", ".join(f"'{status}'" for status in statuses)
    execute_sql(
        f"SELECT COUNT(*) FROM (SELECT id FROM {table} WHERE {column} IN"
        " (SELECT product_id FROM shop_changerow"
        f" WHERE change_set_id = %s AND status IN ({quoted}))"
        f" ORDER BY id {lock_clause(strength)}) AS locked",
        change_set.pk,
    )
