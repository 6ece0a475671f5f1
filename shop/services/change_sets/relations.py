"""Write the many-to-many fields of an import's products, with a few statements each.

The caller is in the transaction of `statements`, and calls these functions beside those.
"""

from typing import Any

from django.db import connection

from shop.models import ChangeSet
from shop.services.change_sets.sql import (
    APPLIED,
    CHANGED,
    MANY_TO_MANY,
    NEW,
    UNDOING,
    cast_sql,
    changed_fields,
    differs_sql,
    execute_sql,
    is_in_row,
    join_table,
    list_items,
    pk_column,
    related_key,
    related_table,
    select_column,
)

#: Rows (r) whose ids are in a JSON list.
LISTED = (
    "r.id IN (SELECT CAST(value AS bigint) FROM jsonb_array_elements_text(CAST(%s AS jsonb)))"
    if connection.vendor == "postgresql"
    else "r.id IN (SELECT value FROM json_each(%s))"
)


def link_added_products(change_set: ChangeSet) -> None:
    """Link the new rows' products to what the rows name."""
    for field in MANY_TO_MANY:
        _link(field, "after", APPLIED, change_set.pk, NEW)


def relink_products(change_set: ChangeSet) -> None:
    """Link the changed rows' products to what the rows name, and to nothing else."""
    for field in _changed_relations(change_set):
        where = f"{APPLIED} AND {is_in_row(field, 'after')}"
        _unlink(field, "after", where, change_set.pk, CHANGED)
        _link(field, "after", APPLIED, change_set.pk, CHANGED)


def restore_links(change_set: ChangeSet) -> None:
    """Link the products that still have the import's links to what they had before.

    Records that were deleted since then are left out.
    """
    for field in _changed_relations(change_set):
        # Listed first, because their links no longer tell them once they are deleted.
        aggregate = "json_agg" if connection.vendor == "postgresql" else "json_group_array"
        [unchanged] = select_column(
            f"SELECT CAST({aggregate}(r.id) AS text) FROM shop_changerow AS r"
            f" JOIN shop_product AS p ON p.id = r.product_id WHERE {UNDOING}"
            f" AND {is_in_row(field, 'after')} AND NOT {differs_sql(field, 'after')}",
            change_set.pk,
            CHANGED,
        )
        _unlink(field, "before", LISTED, unchanged or "[]")
        _link(field, "before", LISTED, unchanged or "[]")


def _changed_relations(change_set: ChangeSet) -> list[Any]:
    return [field for field in changed_fields(change_set) if field.many_to_many]


def _unlink(field: Any, side: str, where: str, *parameters: Any) -> None:
    """Delete the links of these rows' products that `before` or `after` doesn't name."""
    table, source, target = join_table(field)
    key = cast_sql(related_key(field), "e.value")
    is_named = f"SELECT 1 FROM {list_items(field, side)} WHERE {key} = t.{target}"
    execute_sql(
        f"DELETE FROM {table} WHERE id IN (SELECT t.id FROM {table} AS t"
        f" JOIN shop_changerow AS r ON t.{source} = r.product_id"
        f" WHERE {where} AND NOT EXISTS ({is_named}))",
        *parameters,
    )


def _link(field: Any, side: str, where: str, *parameters: Any) -> None:
    """Link these rows' products to the records that the rows' `before` or `after` names."""
    table, source, target = join_table(field)
    key = cast_sql(related_key(field), "e.value")
    execute_sql(
        f"INSERT INTO {table} ({source}, {target}) SELECT r.product_id, o.{pk_column(field)}"
        f" FROM shop_changerow AS r CROSS JOIN {list_items(field, side)}"
        f" JOIN {related_table(field)} AS o ON o.{pk_column(field)} = {key}"
        f" WHERE {where} ON CONFLICT DO NOTHING",
        *parameters,
    )
