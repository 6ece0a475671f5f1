"""Parts of the SQL statements that this project writes itself."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

#: Index of a column -> its converter functions and the expression that they are called with, in the
#: form that Django's private `SQLCompiler.get_converters` returns.
type Converters = dict[int, tuple[list[Callable[[Any, Any, Any], Any]], Any]]


def db_now() -> Any:
    """Return the current time as a parameter for an SQL statement."""
    return connection.ops.adapt_datetimefield_value(timezone.now())


def lock_clause(strength: str) -> str:
    """Return the end of a SELECT that locks its rows: `FOR UPDATE` for the strength `UPDATE`.

    Empty on SQLite, which has no row locks: it allows one writing transaction at a time.
    """
    return f"FOR {strength}" if connection.features.has_select_for_update else ""


def fetch_rows(
    database: Any, sql: str, params: Sequence[Any], converters: Converters
) -> Sequence[Sequence[Any]]:
    """Execute a statement on a connection and return its rows with Python values."""
    with database.cursor() as cursor:
        cursor.execute(sql, params)
        rows: Sequence[Sequence[Any]] = cursor.fetchall()
    if not converters:
        return rows

    converted = [list(row) for row in rows]
    for column, (functions, expression) in converters.items():
        for function in functions:
            for row in converted:
                row[column] = function(row[column], expression, database)
    return converted
