"""Apply and undo a change set's rows with a few SQL statements, whatever their number.

Each statement reads `shop_changerow` and is the same on PostgreSQL and SQLite. Stock balances and
the ledger are written here and in `stock._record`, nowhere else; many-to-many fields are written by
`relations`. The caller opens one transaction and calls the functions in the order of this
module.
"""

from django.db import connection, models
from django.utils.translation import gettext as _

from shop import exposure
from shop.db.raw_sql import db_now
from shop.models import ChangeRow, ChangeSet, Product, StockMovement, User
from shop.models.products import MAX_STOCK
from shop.services.change_sets.conflicts import (
    first_conflict,
    is_kept_sql,
    own_joins,
    reference_conflicts,
    value_conflicts,
)
from shop.services.change_sets.sql import (
    APPLIED,
    CHANGED,
    FILE_COLUMNS,
    FILE_FIELDS,
    NEW,
    PENDING,
    UNDOING,
    cast_sql,
    changed_fields,
    differs_sql,
    execute_sql,
    is_in_row,
    lock_rows,
    quoted_column,
    row_value,
)

IN_BOUNDS = f"BETWEEN 0 AND {MAX_STOCK}"
#: Kind of change set -> what the ledger calls its movements.
MOVEMENT_KINDS = {
    ChangeSet.Kind.FILE: StockMovement.Kind.IMPORT,
    ChangeSet.Kind.RECEIPT: StockMovement.Kind.RECEIVED,
    ChangeSet.Kind.COUNT: StockMovement.Kind.COUNTED,
}
LEFT_OUT, NOT_UNDONE = ChangeRow.Outcome.LEFT_OUT.value, ChangeRow.Outcome.NOT_UNDONE.value


def raise_statement_timeout() -> None:
    """Let the statements of this transaction run longer than those of a page."""
    if connection.vendor == "postgresql":
        execute_sql("SET LOCAL statement_timeout = '300s'")


def lock_products(change_set: ChangeSet, *statuses: str, for_delete: bool = False) -> None:
    """Lock the rows' products in id order; `for_delete` locks their keys too."""
    strength = "UPDATE" if for_delete else "NO KEY UPDATE"
    lock_rows("shop_product", "id", change_set, statuses, strength)


# Applying. Rows are marked and products added before the locks, to keep customers' waits short.


def mark_applied(change_set: ChangeSet) -> int:
    """Mark all changed rows as applied; return how many. `leave_out_conflicts` corrects some."""
    return execute_sql(
        f"UPDATE shop_changerow AS r SET outcome = 'applied' WHERE {PENDING}",
        change_set.pk,
        CHANGED,
    )


def leave_out_new_conflicts(change_set: ChangeSet) -> int:
    """Mark the new rows whose SKU another product now has, or whose brand is gone; return how many.

    "Brand" stands for any relation, and "SKU" for any value that no two products share.
    """
    conflicts = [("p.id IS NOT NULL", _("Another product has this SKU now."))]
    conflicts += value_conflicts(FILE_FIELDS)
    return _set_outcome(
        LEFT_OUT,
        change_set,
        NEW,
        first_conflict(conflicts),
        where=PENDING,
        join="LOWER(p.sku) = LOWER(r.sku)",
    )


def leave_out_conflicts(change_set: ChangeSet, *, stock_is_set: bool) -> int:
    """Mark the rows whose product changed since the preview, with the reason; return how many.

    A stock to be set must be what it was. A stock to be changed must stay within its bounds.
    """
    conflicts = [
        ("p.id IS NULL", _("The product was removed after the preview.")),
        ("LOWER(p.sku) <> LOWER(r.sku)", _("The product's SKU was changed after the preview.")),
    ]
    message = _("It was edited after the preview: %(field)s.")
    changed = changed_fields(change_set)
    conflicts += [
        (differs_sql(field, "before"), message % {"field": field.verbose_name}) for field in changed
    ]
    conflicts += value_conflicts(changed)
    if stock_is_set:
        stock = exposure.get_field(Product, "stock")
        conflicts.append((differs_sql(stock, "before"), _("Its stock changed after the preview.")))
    out_of_bounds = _("Its stock changed after the preview and would become negative or too large.")
    conflicts.append((f"p.stock + r.delta NOT {IN_BOUNDS}", out_of_bounds))
    return _set_outcome(LEFT_OUT, change_set, CHANGED, first_conflict(conflicts), where=APPLIED)


def add_products(change_set: ChangeSet) -> int:
    """Insert the new rows' products in the file's order, with their stock; return how many."""
    blank = Product()
    columns, values, constants = [], [], []
    for field in exposure.concrete_fields(Product):
        if field.primary_key or field.generated:
            continue
        columns.append(quoted_column(field))
        if field in FILE_COLUMNS:
            values.append(row_value(field, "after"))
        elif field.name == "stock":
            values.append("COALESCE(r.delta, 0)")
        else:
            values.append(cast_sql(field, "%s"))
            constants.append(field.get_db_prep_save(field.pre_save(blank, add=True), connection))

    execute_sql(
        f"INSERT INTO shop_product ({', '.join(columns)}) SELECT {', '.join(values)}"
        f" FROM shop_changerow AS r WHERE {PENDING} ORDER BY r.number",
        *constants,
        change_set.pk,
        NEW,
    )
    return execute_sql(
        "UPDATE shop_changerow AS r SET product_id = p.id, outcome = 'applied'"
        f" FROM shop_product AS p WHERE {PENDING} AND LOWER(p.sku) = LOWER(r.sku)",
        change_set.pk,
        NEW,
    )


def update_products(change_set: ChangeSet) -> int:
    """Update the changed rows' products whose stock stays within its bounds; return how many."""
    values = {
        field: f"CASE WHEN {is_in_row(field, 'after')} THEN {row_value(field, 'after')}"
        f" ELSE p.{quoted_column(field)} END"
        for field in _changed_columns(change_set)
    }
    stock = "p.stock + COALESCE(r.delta, 0)"
    return _update_products(values, stock, change_set, f"{APPLIED} AND {stock} {IN_BOUNDS}")


def record_stock(change_set: ChangeSet, status: str, *, actor: User) -> None:
    """Insert a stock movement for each balance that the rows have changed."""
    kind = MOVEMENT_KINDS.get(ChangeSet.Kind(change_set.kind), StockMovement.Kind.CORRECTION)
    _insert_movements(change_set, actor, "r.delta", "p.stock", APPLIED, status, kind)


# Undoing. Here too rows are marked first, and corrected under the locks.


def lock_cart_items(change_set: ChangeSet) -> None:
    """Lock the cart items of added products; like a checkout, before the products."""
    lock_rows("shop_cartitem", "product_id", change_set, [NEW], "UPDATE")


def mark_undone(change_set: ChangeSet) -> None:
    """Mark all applied rows as undone; `mark_not_undone` then marks those that can't be."""
    execute_sql(
        "UPDATE shop_changerow SET outcome = 'undone'"
        " WHERE change_set_id = %s AND outcome = 'applied'",
        change_set.pk,
    )


def mark_not_undone(change_set: ChangeSet) -> None:
    """Mark the rows that cannot be undone, or only in part, with the reason."""
    removed = _("The product was removed since.")
    _set_outcome(
        NOT_UNDONE, change_set, CHANGED, _later_changes(change_set, removed), where=UNDOING
    )

    conflicts = [("p.id IS NULL", removed), *reference_conflicts()]
    edited = _("It was edited since: %(field)s.")
    conflicts += [
        (differs_sql(field, "after"), edited % {"field": field.verbose_name})
        for field in FILE_FIELDS
    ]
    conflicts += [
        (f"p.{quoted_column(field)} <> ''", _("A file was added to it since."))
        for field in exposure.concrete_fields(Product)
        if isinstance(field, models.FileField)
    ]
    conflicts.append(("p.stock <> COALESCE(r.delta, 0)", _("Its stock changed since.")))
    _set_outcome(NOT_UNDONE, change_set, NEW, first_conflict(conflicts), where=UNDOING)


def record_stock_undo(change_set: ChangeSet, *, actor: User) -> None:
    """Insert a stock movement for each balance that `restore_products` is about to change."""
    balance = "p.stock - r.delta"
    where = f"{UNDOING} AND {balance} {IN_BOUNDS}"
    undone = StockMovement.Kind.UNDONE
    _insert_movements(change_set, actor, "-r.delta", balance, where, CHANGED, undone)


def restore_products(change_set: ChangeSet) -> None:
    """Restore the fields that still hold the import's value, and stock within its bounds."""
    values = {
        field: f"CASE WHEN {is_in_row(field, 'after')} AND NOT {is_kept_sql(field)}"
        f" THEN {row_value(field, 'before')} ELSE p.{quoted_column(field)} END"
        for field in _changed_columns(change_set)
    }
    stock = f"CASE WHEN p.stock - r.delta {IN_BOUNDS} THEN p.stock - r.delta ELSE p.stock END"
    _update_products(values, stock, change_set, UNDOING)


def remove_added_products(change_set: ChangeSet) -> None:
    """Delete the products of undone new rows, with their stock movements and cart items."""
    products = (
        f"(SELECT r.product_id FROM shop_changerow AS r WHERE {UNDOING} AND r.outcome = 'undone')"
    )
    for table, column in (
        *own_joins(),
        ("shop_cartitem", "product_id"),
        ("shop_stockmovement", "product_id"),
        ("shop_product", "id"),
    ):
        execute_sql(f"DELETE FROM {table} WHERE {column} IN {products}", change_set.pk, NEW)


def _changed_columns(change_set: ChangeSet) -> list[exposure.Field]:
    return [field for field in changed_fields(change_set) if not field.many_to_many]


def _later_changes(change_set: ChangeSet, removed: str) -> tuple[str, list[str]]:
    """Return SQL, with its parameters, that names the fields changed after the import, or NULL."""
    changes = [
        (is_kept_sql(field), f"{field.verbose_name}, ") for field in changed_fields(change_set)
    ]
    changes.append((f"p.stock - r.delta NOT {IN_BOUNDS}", "stock, "))
    names = " || ".join(
        f"CASE WHEN {condition} THEN %s ELSE '' END" for condition, _name in changes
    )

    start, _placeholder, end = _("Changed since, so not undone: %(fields)s.").partition(
        "%(fields)s"
    )
    sql = (
        "CASE WHEN p.id IS NULL THEN %s"
        f" ELSE CAST(%s AS text) || NULLIF(RTRIM({names}, ', '), '') || CAST(%s AS text) END"
    )
    return sql, [removed, start, *(name for _condition, name in changes), end]


# Parts of statements that both directions use.


def _set_outcome(
    outcome: str,
    change_set: ChangeSet,
    status: str,
    reason: tuple[str, list[str]],
    *,
    where: str,
    join: str = "p.id = r.product_id",
) -> int:
    """Set outcome and reason of those rows whose reason (SQL, parameters) is not NULL."""
    reason_sql, parameters = reason
    reasons = (
        f"SELECT r.id, {reason_sql} AS reason FROM shop_changerow AS r"
        f" LEFT JOIN shop_product AS p ON {join} WHERE {where}"
    )
    return execute_sql(
        f"UPDATE shop_changerow AS r SET outcome = '{outcome}', reason = c.reason"
        f" FROM ({reasons}) AS c WHERE r.id = c.id AND c.reason IS NOT NULL",
        *parameters,
        change_set.pk,
        status,
    )


def _update_products(
    values: dict[exposure.Field, str], stock: str, change_set: ChangeSet, where: str
) -> int:
    """Set fields and stock (SQL expressions) of the changed rows' products; return how many."""
    assignments = "".join(f"{quoted_column(field)} = {sql}, " for field, sql in values.items())
    return execute_sql(
        f"UPDATE shop_product AS p SET {assignments}stock = {stock}, updated_at = %s"
        f" FROM shop_changerow AS r WHERE p.id = r.product_id AND {where}",
        db_now(),
        change_set.pk,
        CHANGED,
    )


def _insert_movements(
    change_set: ChangeSet,
    actor: User,
    delta: str,
    balance: str,
    where: str,
    status: str,
    kind: StockMovement.Kind,
) -> None:
    """Insert a stock movement for each of these rows with a change of stock."""
    created_at = cast_sql(StockMovement._meta.get_field("created_at"), "%s")
    execute_sql(
        "INSERT INTO shop_stockmovement (product_id, kind, delta, balance_after,"
        " change_set_id, actor_id, reason, created_at) SELECT"
        f" p.id, %s, {delta}, {balance}, r.change_set_id, {actor.pk:d}, %s, {created_at}"
        " FROM shop_changerow AS r JOIN shop_product AS p ON p.id = r.product_id"
        f" WHERE r.delta <> 0 AND {where} ORDER BY r.number",
        kind.value,
        change_set.name,
        db_now(),
        change_set.pk,
        status,
    )
