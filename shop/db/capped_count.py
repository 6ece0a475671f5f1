"""Counts that stop at a limit, so that they cost as much in a table of any size."""

from typing import Any

from django.db import models


class CappedCount(models.Subquery):
    """The number of rows, at most `max_count` + 1: no more rows are read.

    With `distinct`, the number of that field's values.
    """

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"

    def __init__(self, rows: "models.QuerySet[Any]", max_count: int, *, distinct: str = "") -> None:
        # Sorted, so that PostgreSQL reads the values from an index and stops.
        keys = rows.order_by(distinct).values(distinct).distinct() if distinct else None
        keys = rows.order_by().values("pk") if keys is None else keys
        super().__init__(keys[: max_count + 1], output_field=models.IntegerField())
