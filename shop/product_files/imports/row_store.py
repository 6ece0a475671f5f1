"""The checked rows on their way into the database, thousands at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from django.db import connection
from pydantic_core import to_json

from shop.models import ImportRow
from shop.product_files.imports.field_parsing import RowError

SKU_LENGTH, NAME_LENGTH = 64, 200


@dataclass(slots=True)
class StoredRow:
    """A row's status, as `ImportRow` keeps it."""

    product_import_id: int
    number: int
    status: str
    sku: str
    name: str
    product_id: int | None = None
    after: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    delta: int | None = None
    problems: list[RowError] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    outcome: str = ""
    why: str = ""


COLUMNS = ", ".join(each.name for each in fields(StoredRow))


def _dump(value: dict[str, Any] | list[Any]) -> str:
    if not value:  # as most are
        return "{}" if isinstance(value, dict) else "[]"
    return to_json(value).decode()


def store_rows(rows: Iterable[StoredRow]) -> None:
    """Write the rows in one statement."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {ImportRow._meta.db_table} ({COLUMNS}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(_values(row))
        else:
            places = ", ".join(["%s"] * len(fields(StoredRow)))
            sql = f"INSERT INTO {ImportRow._meta.db_table} ({COLUMNS}) VALUES ({places})"  # noqa: S608 - our names
            cursor.executemany(sql, [_values(row) for row in rows])


def _values(row: StoredRow) -> tuple[Any, ...]:
    return (
        row.product_import_id,
        row.number,
        row.status,
        _plain(row.sku, SKU_LENGTH),
        _plain(row.name, NAME_LENGTH),
        row.product_id,
        _dump(row.after),
        _dump(row.before),
        row.delta,
        _dump(row.problems),
        _dump([_plain(cell) for cell in row.cells]),
        row.outcome,
        row.why,
    )


def _plain(text: str, length: int | None = None) -> str:
    """Without what PostgreSQL cannot store; a row that holds it is wrong, but is shown and given back."""
    return text.replace("\0", "\ufffd")[:length]
