"""Queries that nearly every call asks, whose SQL is written once, and what queries are made of."""

from copy import copy
from typing import Any

from django.db import connection, connections
from django.db.models import Expression, Field, Model, QuerySet
from django.utils import timezone


def now() -> Any:
    """The moment, as SQL that we write ourselves takes it."""
    return connection.ops.adapt_datetimefield_value(timezone.now())


def window[M: Model, Row](rows: QuerySet[M, Row], start: int, stop: int) -> QuerySet[M, Row]:
    """The rows from `start` to `stop`: those before are passed over by their keys alone."""
    every = rows.all()
    every.query.where = type(every.query.where)()  # their keys are enough: nothing is looked for twice
    return every.filter(pk__in=rows.values("pk")[start:stop])


class Given(Expression):
    """A value that is named each time the query is asked."""

    def __init__(self, name: str, field: "Field[Any, Any]") -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


class Prepared[Row]:
    """A query, compiled once since writing its SQL takes longer than answering it.

    It is called with its `Given` values and returns its rows:
    `Prepared(Product.objects.filter(pk=Given("pk", Product._meta.pk)))(pk=7)`
    """

    def __init__(self, rows: QuerySet[Any, Row]) -> None:
        self._rows = rows
        self._compiled: tuple[Any, str, tuple[Any, ...]] | None = None

    def __call__(self, **given: Any) -> list[Row]:
        rows = self._rows.all()
        using = rows.db
        if self._compiled is None:
            compiler = self._rows.query.clone().get_compiler(using)
            self._compiled = (compiler, *compiler.as_sql())
        written, sql, params = self._compiled
        compiler = copy(written)  # it knows the columns; the connection is its thread's own
        compiler.connection = connections[using]
        values = [_value(one, given, compiler.connection) for one in params]
        compiler.as_sql = lambda *_, **__: (sql, values)
        rows.query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign]
        return list(rows)


def _value(param: Any, given: dict[str, Any], connection: Any) -> Any:
    if not isinstance(param, Given):
        return param
    return param.output_field.get_db_prep_value(given[param.name], connection)
