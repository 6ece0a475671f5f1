"""The keys of a row's many-to-many records as one value, read with the row by a subquery.

Undocumented in Django: `ManyToManyField.m2m_field_name` and `m2m_reverse_field_name`, the names of
the two foreign keys of the through table.
"""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import OuterRef, QuerySet, StringAgg, Subquery, Value
from django.db.models.functions import Cast

#: Separates keys; no key has it.
SEPARATOR = "\x1f"


class KeyListField(models.TextField):  # type: ignore[type-arg]
    """Keys that the database has joined to a text, as a tuple in ascending order.

    Sorted here, because SQLite before 3.44 can't order what it aggregates.
    """

    def __init__(self, key_field: "models.Field[Any, Any]") -> None:
        super().__init__()
        self.key_field = key_field

    def from_db_value(self, value: str | None, *_args: Any) -> tuple[Any, ...]:
        """Return the keys, which are hashable as part of a row."""
        keys = value.split(SEPARATOR) if value else []
        return tuple(sorted(map(self.key_field.to_python, keys)))


def key_list(field: Any, prefix: str = "") -> Subquery:
    """Return the keys of a many-to-many field's records as an expression.

    `prefix` leads from the queryset's model to the field's model, such as `brand__`.
    """
    owner, target = field.m2m_field_name(), field.m2m_reverse_field_name()
    keys = (
        field.remote_field.through._default_manager.order_by()
        .filter(**{owner: OuterRef(f"{prefix}pk")})
        .values(owner)
        .annotate(keys=StringAgg(Cast(target, models.TextField()), Value(SEPARATOR)))
        .values("keys")
    )
    return Subquery(keys, output_field=KeyListField(field.target_field))


def linked_to(field: Any, keys: Iterable[Any]) -> QuerySet[Any, Any]:
    """Return the keys of the rows whose many-to-many field has one of these records' keys."""
    owner, target = field.m2m_field_name(), field.m2m_reverse_field_name()
    links = field.remote_field.through._default_manager.order_by()
    rows: QuerySet[Any, Any] = links.filter(**{f"{target}__in": keys}).values(owner)
    return rows


def linked_from(field: Any, keys: Iterable[Any]) -> QuerySet[Any, Any]:
    """Return the keys of the records in the many-to-many field of the rows with these keys."""
    owner, target = field.m2m_field_name(), field.m2m_reverse_field_name()
    links = field.remote_field.through._default_manager.order_by()
    records: QuerySet[Any, Any] = links.filter(**{f"{owner}__in": keys}).values(target)
    return records
