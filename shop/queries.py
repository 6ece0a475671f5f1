"""Queries that nearly every call asks, whose SQL is written once, and what queries are made of."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, connections
from django.db.models import Expression, Field, Model, QuerySet
from django.utils import timezone
from django.utils.functional import cached_property


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

    It is called with its `Given` values and returns its rows, dicts of `values()` or instances with what they
    `select_related`: `Prepared(Product.objects.filter(pk=Given("pk", Product._meta.pk)))(pk=7)`
    """

    def __init__(self, rows: QuerySet[Any, Row]) -> None:
        self._rows = rows

    @cached_property
    def _compiled(self) -> tuple[str, tuple[Any, ...], dict[int, Any], Callable[[Sequence[Any]], Row]]:
        compiler: Any = self._rows.query.clone().get_compiler(self._rows.db)
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([column for column, *_ in compiler.select])
        return sql, params, converters, _maker(self._rows, compiler)

    def __call__(self, **given: Any) -> list[Row]:
        sql, params, converters, make = self._compiled
        here = connections[self._rows.db]
        with here.cursor() as cursor:
            cursor.execute(sql, [_value(one, given, here) for one in params])
            found = [list(row) for row in cursor.fetchall()]
        for place, (several, column) in converters.items():
            for convert in several:
                for row in found:
                    row[place] = convert(row[place], column, here)
        return [make(row) for row in found]


def _value(param: Any, given: dict[str, Any], here: Any) -> Any:
    if not isinstance(param, Given):
        return param
    return param.output_field.get_db_prep_value(given[param.name], here)


def _maker(rows: QuerySet[Any, Any], compiler: Any) -> Callable[[Sequence[Any]], Any]:
    """What a row of the database becomes."""
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
