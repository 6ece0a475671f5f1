"""Insert and delete a few rows of one model with one statement each, and update them with few.

Django builds the SQL of an insert anew for each call, which takes longer than executing it for a
handful of rows. Here the statement is built once per model and number of rows. Signals are not
sent, and related rows are neither read nor deleted. Measured with `transactions`: an order of
three items is 1.58 times as fast.

Undocumented in Django: `Options.local_concrete_fields`, `db_returning_fields` and
`Field.generated` (what to write, and what the database generates), `Field.get_col` and
`SQLCompiler.get_converters` (how to read it).
"""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Model

from shop.db.raw_sql import Converters, fetch_rows

#: More rows go through `bulk_create`, so that few statements are cached.
MAX_COMPILED_ROWS = 50


class InsertStatement(NamedTuple):
    """The SQL to insert a number of rows, the fields of its parameters, and what it returns."""

    sql: str
    fields: list[Any]
    returned: list[str]
    converters: Converters


def insert_rows(rows: Sequence[Model]) -> None:
    """Insert new instances of one model with one statement.

    Sets each instance's key and the values that the database generates. Raises IntegrityError if a
    constraint is violated; then no row is inserted. `rows` must not be empty.
    """
    if len(rows) > MAX_COMPILED_ROWS:
        type(rows[0])._default_manager.bulk_create(rows)
        return

    sql, fields, returned, converters = _insert_statement(type(rows[0]), len(rows))
    params = [
        field.get_db_prep_save(field.pre_save(row, True), connection)
        for row in rows
        for field in fields
    ]
    for row, values in zip(rows, fetch_rows(connection, sql, params, converters), strict=True):
        row.__dict__.update(zip(returned, values, strict=True))
        row._state.adding, row._state.db = False, connection.alias


def update_rows(rows: Sequence[Model], *names: str) -> None:
    """Write the named columns of one model's rows, with one UPDATE per distinct set of values."""
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        groups.setdefault(tuple(getattr(row, name) for name in names), []).append(row.pk)
    for values, pks in groups.items():
        manager = type(rows[0])._default_manager
        manager.filter(pk__in=pks).update(**dict(zip(names, values, strict=True)))


def delete_rows(rows: Sequence[Model]) -> None:
    """Delete instances of one model with one statement; with no rows, do nothing.

    Raises IntegrityError if another row refers to one of them.
    """
    if not rows:
        return
    options: Any = type(rows[0])._meta
    table, key = map(connection.ops.quote_name, (options.db_table, options.pk.column))
    placeholders = ", ".join(["%s"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE {key} IN ({placeholders})",  # noqa: S608 - our names
            [row.pk for row in rows],
        )


@functools.cache
def _insert_statement(model: type[Model], count: int) -> InsertStatement:
    fields: list[Any] = [
        field
        for field in model._meta.local_concrete_fields
        if not field.generated and not field.primary_key
    ]
    returned: list[Any] = model._meta.db_returning_fields
    quote, table = connection.ops.quote_name, model._meta.db_table
    columns = ", ".join(quote(field.column) for field in fields)
    returning = ", ".join(quote(field.column) for field in returned)
    values = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * count)
    sql = (
        f"INSERT INTO {quote(table)} ({columns}) VALUES {values}"  # noqa: S608 - placeholders
        f" RETURNING {returning}"
    )

    compiler: Any = model._default_manager.all().query.get_compiler(connection.alias)
    converters = compiler.get_converters([field.get_col(table) for field in returned])
    return InsertStatement(sql, fields, [field.attname for field in returned], converters)
