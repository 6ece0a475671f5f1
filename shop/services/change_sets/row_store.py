"""Bulk insert of a change set's rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from django.db import connection, models
from pydantic_core import to_json

from shop import exposure
from shop.models import ChangeRow

MAX_SKU_LENGTH, MAX_NAME_LENGTH = 64, 200


@dataclass(slots=True)
class RowRecord:
    """The columns of an `ChangeRow`, without the cost of a model instance."""

    change_set_id: int
    number: int
    status: str
    sku: str
    name: str
    product_id: int | None = None
    after: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    delta: int | None = None
    problems: list[dict[str, str]] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    outcome: str = ""
    reason: str = ""


ROW_COLUMNS = [column.name for column in fields(RowRecord)]


def store_rows(records: Iterable[RowRecord]) -> None:
    """Insert the rows: with COPY on PostgreSQL, else with one INSERT."""
    table, columns = ChangeRow._meta.db_table, ", ".join(ROW_COLUMNS)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for record in records:
                    copy.write_row(_database_values(record))
        else:
            placeholders = ", ".join(["%s"] * len(ROW_COLUMNS))
            sql = f"INSERT INTO {table} ({columns}) VALUES ({placeholders})"
            cursor.executemany(sql, [_database_values(record) for record in records])


def to_stored_value(field: exposure.Field, value: Any) -> Any:
    """Convert a value to the database's format, as JSON; of a relation, a key or sorted keys."""
    if field.many_to_many:
        target: Any = field.target_field  # type: ignore[attr-defined]
        return [to_stored_value(target, key) for key in value]
    if isinstance(field, models.DecimalField) and value is not None:
        return f"{value:.{field.decimal_places}f}"
    if value is None or isinstance(value, str | int | float | list | dict):
        return value
    return str(field.get_db_prep_save(value, connection))


def _database_values(record: RowRecord) -> tuple[Any, ...]:
    return (
        record.change_set_id,
        record.number,
        record.status,
        _replace_nul(record.sku, MAX_SKU_LENGTH),
        _replace_nul(record.name, MAX_NAME_LENGTH),
        record.product_id,
        _dump_json(record.after),
        _dump_json(record.before),
        record.delta,
        _dump_json(record.problems),
        _dump_json([_replace_nul(cell) for cell in record.cells]),
        record.outcome,
        record.reason,
    )


def _dump_json(value: dict[str, Any] | list[Any]) -> str:
    if not value:  # the common case
        return "{}" if isinstance(value, dict) else "[]"
    return to_json(value).decode()


def _replace_nul(text: str, length: int | None = None) -> str:
    """Replace NUL, which PostgreSQL cannot store, so that the row can be shown with its error."""
    return text.replace("\0", "\ufffd")[:length]
