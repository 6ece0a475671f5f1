"""What keeps a change set's row from being applied or undone: SQL conditions with messages."""

from collections.abc import Iterable
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from shop import exposure
from shop.models import CartItem, ChangeRow, OrderItem, Product, StockMovement
from shop.services.change_sets.sql import (
    RELATIONS,
    UNIQUE_FIELDS,
    differs_sql,
    is_gone_sql,
    quoted_column,
    taken_sql,
)

#: Models whose rows are deleted with a product. A reference from any other model keeps it.
DELETED_WITH_PRODUCT = (CartItem, StockMovement, ChangeRow)

#: An SQL condition and the message for the rows that meet it.
type Conflict = tuple[str, str]


def own_joins() -> list[tuple[str, str]]:
    """Return join table and product column of each of the product's many-to-many fields."""
    fields: list[Any] = exposure.many_to_many_fields(Product)
    return [(field.m2m_db_table(), field.m2m_column_name()) for field in fields]


def value_conflicts(fields: Iterable[exposure.Field]) -> Iterable[Conflict]:
    """Yield the conflicts of a row's values with other records, of those of these fields."""
    taken = _("Another product has the same value now: %(field)s.")
    gone = _("What the row names was removed after the preview: %(field)s.")
    for field in fields:
        if field in UNIQUE_FIELDS:
            yield taken_sql(field, "after"), taken % {"field": field.verbose_name}
        if field in RELATIONS:
            yield is_gone_sql(field, "after"), gone % {"field": field.verbose_name}


def is_kept_sql(field: exposure.Field) -> str:
    """Return SQL for whether an undo must leave a column: it was edited, or can't be as before."""
    conditions = [differs_sql(field, "after")]
    if field in UNIQUE_FIELDS:
        conditions.append(taken_sql(field, "before"))
    if field in RELATIONS and not field.many_to_many:
        conditions.append(is_gone_sql(field, "before"))
    return f"({' OR '.join(conditions)})"


def reference_conflicts() -> Iterable[Conflict]:
    """Yield a conflict for each foreign key to a product that must keep the product."""
    joins = own_joins()
    for relation in Product._meta.get_fields(include_hidden=True):
        if (
            not relation.auto_created
            or not relation.is_relation
            or relation.many_to_many  # whose join table has a relation of its own
            or relation.related_model in DELETED_WITH_PRODUCT
        ):
            continue
        key: Any = relation.field  # type: ignore[union-attr]
        if (key.model._meta.db_table, key.column) in joins:
            continue
        table, name = key.model._meta.db_table, capfirst(key.model._meta.verbose_name)
        message = _("It was ordered since.")
        if key.model is not OrderItem:
            message = _("%(model)s refers to it now.") % {"model": name}
        yield f"EXISTS (SELECT 1 FROM {table} AS o WHERE o.{quoted_column(key)} = p.id)", message


def first_conflict(conflicts: Iterable[Conflict]) -> tuple[str, list[str]]:
    """Return SQL, with its parameters, for the message of a row's first conflict, or NULL."""
    conflicts = list(conflicts)
    cases = " ".join(f"WHEN {condition} THEN %s" for condition, _message in conflicts)
    return f"CASE {cases} END", [message for _condition, message in conflicts]
