"""Queries that nearly every call asks, whose SQL is written once, and what queries are made of."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, connections
from django.db.models import Expression, Field, IntegerField, Model, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.query import ValuesListIterable
from django.utils import timezone
from django.utils.functional import cached_property

#: Column of a row -> what makes Python's value of the database's.
type Converters = dict[int, tuple[list[Callable[[Any, Any, Any], Any]], Any]]
#: As many lines as most orders have.
MAX_COMPILED_ROWS = 50
#: A search that finds more is for common words: those are shown at once, and counted apart.
MAX_COUNTED_HITS = 1000


def db_now() -> Any:
    """The moment, as SQL that we write ourselves takes it."""
    return connection.ops.adapt_datetimefield_value(timezone.now())


def lock_clause(strength: str) -> str:
    """What a SELECT that we write ourselves ends with to lock its rows; SQLite has one writer anyway."""
    return f"FOR {strength}" if connection.features.has_select_for_update else ""


def deferred_page[M: Model, Row](rows: QuerySet[M, Row], start: int, stop: int) -> QuerySet[M, Row]:
    """The rows from `start` to `stop`: those before are passed over by their keys alone."""
    every = rows.all()
    every.query.where = type(
        every.query.where
    )()  # their keys are enough: nothing is looked for twice
    return every.filter(pk__in=rows.values("pk")[start:stop])


class Placeholder(Expression):
    """A value that is named each time the query is asked."""

    def __init__(self, name: str, field: "Field[Any, Any]") -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


class CompiledQuery[Row]:
    """A query, compiled once since writing its SQL takes longer than answering it.

    It is called with its `Given` values and returns its rows: dicts of `values()`, tuples of `values_list()`,
    else instances with what they `select_related`.
    `Prepared(Product.objects.filter(pk=Given("pk", Product._meta.pk)))(pk=7)`
    """

    def __init__(self, rows: QuerySet[Any, Row]) -> None:
        self._rows = rows

    @cached_property
    def _compiled(self) -> tuple[str, tuple[Any, ...], Converters, Callable[[Sequence[Any]], Row]]:
        compiler: Any = self._rows.query.clone().get_compiler(self._rows.db)
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([column for column, *_ in compiler.select])
        return sql, params, converters, _maker(self._rows, compiler)

    def __call__(self, **given: Any) -> list[Row]:
        return self.after("", (), **given)

    def after(self, clause: str, values: Sequence[Any], **given: Any) -> list[Row]:
        """The rows, asked for after this clause and its values, such as the `WITH` that the query names."""
        sql, params, converters, make = self._compiled
        here = connections[self._rows.db]
        values = [*values, *(_value(one, given, here) for one in params)]
        return [make(row) for row in _ask(here, clause + sql, values, converters)]


class CompiledSearch[Row: tuple[Any, ...]]:
    """A page of what a query finds and their number, by one statement: finding costs more than showing.

    It is made of all `rows` there are, tuples in their order, last by `id`, and called with those to find:
    `Search(Product.objects.order_by("name", "id").values_list("name"))(Product.objects.filter(…), 0, 20)`
    """

    def __init__(self, rows: QuerySet[Any, Row]) -> None:
        order = [str(name) for name in rows.query.order_by]
        self._columns = [name.removeprefix("-") for name in order]
        by = ", ".join(f"{name[1:]} DESC" if name.startswith("-") else name for name in order)
        span = [Placeholder(name, IntegerField()) for name in ("limit", "offset")]
        keys = RawSQL(f"SELECT id FROM found ORDER BY {by} LIMIT %s OFFSET %s", span)  # noqa: S608, S611
        count = RawSQL("SELECT count(*) FROM found", ())
        self._page: CompiledQuery[Any] = CompiledQuery(
            rows.filter(pk__in=keys).annotate(found=count)
        )

    def __call__(
        self, wanted: QuerySet[Any], start: int, stop: int
    ) -> tuple[list[Row], int] | None:
        """The rows from `start` to `stop` and how many there are; None where those are more than FOUND.

        None, too, for a page that is not there.
        """
        found, given = (
            wanted.order_by()
            .values_list(*self._columns)[: MAX_COUNTED_HITS + 1]
            .query.sql_with_params()
        )
        clause = f"WITH found ({', '.join(self._columns)}) AS MATERIALIZED ({found}) "
        rows = self._page.after(clause, given, limit=stop - start, offset=start)
        count = rows[0][-1] if rows else start
        return (
            None
            if count > MAX_COUNTED_HITS or (start and not rows)
            else ([row[:-1] for row in rows], count)
        )


def insert_rows(rows: Sequence[Model]) -> None:
    """Write new rows of one model in one statement; they learn their keys and what the database computes.

    A few by a statement that is written once; many as Django does, which knows how many a statement holds.
    """
    if len(rows) > MAX_COMPILED_ROWS:
        type(rows[0])._default_manager.bulk_create(rows)
        return
    sql, written, returned, converters = _insertion(type(rows[0]), len(rows))
    values = [
        field.get_db_prep_save(field.pre_save(row, True), connection)
        for row in rows
        for field in written
    ]
    for row, told in zip(rows, _ask(connection, sql, values, converters), strict=True):
        row.__dict__.update(zip(returned, told, strict=True))
        row._state.adding, row._state.db = False, connection.alias


def delete_rows(rows: Sequence[Model]) -> None:
    """Delete rows of one model, to which nothing else points, in one statement; none in none."""
    if not rows:
        return
    about: Any = type(rows[0])._meta
    table, key = (connection.ops.quote_name(name) for name in (about.db_table, about.pk.column))
    places = ", ".join(["%s"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE {key} IN ({places})", [row.pk for row in rows])  # noqa: S608


@functools.cache
def _insertion(model: type[Model], count: int) -> tuple[str, list[Any], list[str], Converters]:
    """The statement, the fields that it takes and gives back, and how these are read."""
    columns: list[Any] = [
        field for field in model._meta.local_concrete_fields if not field.generated
    ]
    written = [field for field in columns if not field.primary_key]
    returned: list[Any] = model._meta.db_returning_fields
    quote, table = connection.ops.quote_name, model._meta.db_table
    names, back = (
        ", ".join(quote(field.column) for field in fields) for fields in (written, returned)
    )
    rows = ", ".join([f"({', '.join(['%s'] * len(written))})"] * count)
    sql = f"INSERT INTO {quote(table)} ({names}) VALUES {rows} RETURNING {back}"  # noqa: S608 - only placeholders
    compiler: Any = model._default_manager.all().query.get_compiler(connection.alias)
    converters = compiler.get_converters([field.get_col(table) for field in returned])
    return sql, written, [field.attname for field in returned], converters


def _ask(
    here: Any, sql: str, values: Sequence[Any], converters: Converters
) -> Sequence[Sequence[Any]]:
    """The rows that a statement returns, as Python has them."""
    with here.cursor() as cursor:
        cursor.execute(sql, values)
        rows: Sequence[Sequence[Any]] = cursor.fetchall()
    if not converters:
        return rows
    found = [list(row) for row in rows]
    for place, (several, column) in converters.items():
        for convert in several:
            for row in found:
                row[place] = convert(row[place], column, here)
    return found


def _value(param: Any, given: dict[str, Any], here: Any) -> Any:
    if not isinstance(param, Placeholder):
        return param
    return param.output_field.get_db_prep_value(given[param.name], here)


def _maker(rows: QuerySet[Any, Any], compiler: Any) -> Callable[[Sequence[Any]], Any]:
    """What a row of the database becomes."""
    if rows._iterable_class is ValuesListIterable:  # noqa: SLF001 - told nowhere else
        return tuple
    if names := compiler.query.selected:
        return lambda row: dict(zip(names, row, strict=True))
    return _instances(rows.db, compiler.klass_info, compiler.select, compiler.annotation_col_map)


def _instances(
    using: str, info: dict[str, Any], select: Sequence[Any], annotations: dict[str, int]
) -> Callable[[Sequence[Any]], Any]:
    """Instances from rows, as Django's own, where no relation may be missing."""
    model, places = info["model"], info["select_fields"]
    names = [select[place][0].target.attname for place in places]
    related = [
        (_instances(using, one, select, {}), one["local_setter"], one["remote_setter"])
        for one in info.get("related_klass_infos", ())
    ]

    def make(row: Sequence[Any]) -> Any:
        made = model.from_db(using, names, [row[place] for place in places])
        for name, place in annotations.items():
            setattr(made, name, row[place])
        for other, here, there in related:
            one = other(row)
            here(made, one)
            there(one, made)
        return made

    return make
