"""An import's checked rows, written to the catalogue by a few statements, however many they are.

The rows lie in the database already, so nothing is staged: each statement reads `shop_importrow`, and is the
same on PostgreSQL and SQLite. This is `stock._record` for whole files: balances and ledger are written there
and here, nowhere else. The caller has one transaction and asks in the order of this file.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connection, models, transaction

from shop import exposure
from shop.db.raw_sql import db_now, lock_clause
from shop.models import CartItem, ImportRow, OrderItem, Product, ProductImport, StockMovement, User
from shop.models.products import MAX_STOCK

#: What a new row says of a product; a changed one says some of it.
FIELDS = [exposure.get_field(Product, name) for name in exposure.file_fields(Product)]
IN_BOUNDS = f"BETWEEN 0 AND {MAX_STOCK}"
WAITING = "r.product_import_id = %s AND r.status = %s AND r.outcome = ''"
APPLIED = "r.product_import_id = %s AND r.status = %s AND r.outcome = 'applied'"
TAKEN_BACK = "r.product_import_id = %s AND r.status = %s AND r.outcome IN ('undone', 'kept')"
NEW, CHANGED = ImportRow.Status.NEW.value, ImportRow.Status.CHANGED.value
#: What is removed together with a product; whatever else refers to one keeps it.
GOES_ALONG = (CartItem, StockMovement, ImportRow)

type Why = tuple[str, str]


def raise_statement_timeout() -> None:
    """Let the statements of this transaction run longer than a page's may."""
    if connection.vendor == "postgresql":
        _run("SET LOCAL statement_timeout = '300s'")


def lock_import_products(
    product_import: ProductImport, *statuses: str, may_go: bool = False
) -> None:
    """Lock the rows' products in id order; with their keys, where some of them may be removed."""
    _lock("shop_product", "id", product_import, statuses, "UPDATE" if may_go else "NO KEY UPDATE")


# Applying. Rows are marked, and products added, before the locks are taken, so that buyers wait for less.


def mark_applied(product_import: ProductImport) -> int:
    """The changed rows, all of them; returns how many. `leave_what_changed` takes some out again."""
    return _run(
        f"UPDATE shop_importrow AS r SET outcome = 'applied' WHERE {WAITING}",
        product_import.pk,
        CHANGED,
    )


def leave_taken_skus(product_import: ProductImport) -> int:
    """Mark the new rows whose SKU another product has by now; returns how many."""
    taken = [("p.id IS NOT NULL", "Another product has this SKU by now.")]
    return _say(
        "left", product_import, NEW, _first(taken), rows=WAITING, join="LOWER(p.sku) = LOWER(r.sku)"
    )


def leave_what_changed(product_import: ProductImport, *, stock_is_set: bool) -> int:
    """Mark the rows whose product is no longer what was checked, and say why; returns how many.

    A stock that is to be set must be what it was; one that is to change only has to stay in its bounds.
    """
    whys = [("p.id IS NULL", "The product was removed meanwhile.")]
    whys += [("LOWER(p.sku) <> LOWER(r.sku)", "The product has another SKU by now.")]
    changes = _changes(product_import)
    whys += [
        (_differs(f, "before"), f"Somebody edited it meanwhile: {f.verbose_name}.") for f in changes
    ]
    if stock_is_set:
        whys += [
            (
                _differs(exposure.get_field(Product, "stock"), "before"),
                "Its stock changed meanwhile.",
            )
        ]
    whys += [
        (
            f"p.stock + r.delta NOT {IN_BOUNDS}",
            "Its stock changed meanwhile and does not allow this.",
        )
    ]
    return _say("left", product_import, CHANGED, _first(whys), rows=APPLIED)


def add_products(product_import: ProductImport) -> int:
    """The new rows' products, in the order of the file, with the stock that they start with."""
    blank = Product()
    columns, values, constants = [], [], []
    for field in exposure.concrete_fields(Product):
        if field.primary_key or field.generated:
            continue
        columns.append(_quoted(field))
        if field in FIELDS:
            values.append(_value(field, "after"))
        elif field.name == "stock":
            values.append("COALESCE(r.delta, 0)")
        else:
            values.append(_cast(field, "%s"))
            constants.append(field.get_db_prep_save(field.pre_save(blank, add=True), connection))
    _run(
        f"INSERT INTO shop_product ({', '.join(columns)}) SELECT {', '.join(values)}"
        f" FROM shop_importrow AS r WHERE {WAITING} ORDER BY r.number",
        *constants,
        product_import.pk,
        NEW,
    )
    return _run(
        "UPDATE shop_importrow AS r SET product_id = p.id, outcome = 'applied' FROM shop_product AS p"
        f" WHERE {WAITING} AND LOWER(p.sku) = LOWER(r.sku)",
        product_import.pk,
        NEW,
    )


def change_products(product_import: ProductImport) -> int:
    """The changed rows' fields and balances, as far as these stay in their bounds; returns how many."""
    new = {
        f: f"CASE WHEN {_has(f, 'after')} THEN {_value(f, 'after')} ELSE p.{_quoted(f)} END"
        for f in _changes(product_import)
    }
    stock = "p.stock + COALESCE(r.delta, 0)"
    return _update(new, stock, product_import, f"{APPLIED} AND {stock} {IN_BOUNDS}")


def record_stock(product_import: ProductImport, status: str, *, actor: User) -> None:
    """The ledger's line of each balance that was begun or moved, with what it is now."""
    _record(product_import, actor, "r.delta", "p.stock", APPLIED, status)


# Undoing. Here too the rows are marked first, and what cannot be taken back is said under the locks.


def lock_carts(product_import: ProductImport) -> None:
    """Lock the cart lines that go with the new rows' products; before the products, as a checkout does."""
    _lock("shop_cartitem", "product_id", product_import, [NEW], "UPDATE")


def mark_undone(product_import: ProductImport) -> None:
    """The applied rows, all of them; `keep_what_changed` marks some anew."""
    _run(
        "UPDATE shop_importrow SET outcome = 'undone' WHERE product_import_id = %s AND outcome = 'applied'",
        product_import.pk,
    )


def keep_what_changed(product_import: ProductImport) -> None:
    """Mark the rows that cannot be taken back, or not wholly, and say why."""
    parts = [(_differs(f, "after"), f"{f.verbose_name}, ") for f in _changes(product_import)]
    parts += [(f"p.stock - r.delta NOT {IN_BOUNDS}", "stock, ")]
    names = " || ".join(f"CASE WHEN {condition} THEN %s ELSE '' END" for condition, _ in parts)
    why = (
        "CASE WHEN p.id IS NULL THEN 'It was removed since.'"
        f" ELSE 'Changed since, and left as it is: ' || NULLIF(RTRIM({names}, ', '), '') || '.' END"
    )
    _say("kept", product_import, CHANGED, (why, [name for _, name in parts]), rows=TAKEN_BACK)
    whys = [("p.id IS NULL", "It was removed since."), *_references()]
    whys += [(_differs(f, "after"), f"It was edited since: {f.verbose_name}.") for f in FIELDS]
    whys += [
        (f"p.{_quoted(f)} <> ''", "It has a file by now.")
        for f in exposure.concrete_fields(Product)
        if isinstance(f, models.FileField)
    ]
    whys += [("p.stock <> COALESCE(r.delta, 0)", "Its stock changed since.")]
    _say("kept", product_import, NEW, _first(whys), rows=TAKEN_BACK)


def revert_stock(product_import: ProductImport, *, actor: User) -> None:
    """The ledger's line of each balance that `restore_products` is about to move back."""
    back = f"{TAKEN_BACK} AND p.stock - r.delta {IN_BOUNDS}"
    _record(product_import, actor, "-r.delta", "p.stock - r.delta", back, CHANGED)


def restore_products(product_import: ProductImport) -> None:
    """The fields that still hold what the import wrote, and the balances as far as their bounds allow."""
    old = {
        f: f"CASE WHEN {_has(f, 'after')} AND NOT {_differs(f, 'after')}"
        f" THEN {_value(f, 'before')} ELSE p.{_quoted(f)} END"
        for f in _changes(product_import)
    }
    stock = f"CASE WHEN p.stock - r.delta {IN_BOUNDS} THEN p.stock - r.delta ELSE p.stock END"
    _update(old, stock, product_import, TAKEN_BACK)


def remove_products(product_import: ProductImport) -> None:
    """The new rows' products that are not kept, with their ledger and out of every cart."""
    gone = f"(SELECT r.product_id FROM shop_importrow AS r WHERE {TAKEN_BACK} AND r.outcome = 'undone')"
    for table, column in (
        ("cartitem", "product_id"),
        ("stockmovement", "product_id"),
        ("product", "id"),
    ):
        _run(f"DELETE FROM shop_{table} WHERE {column} IN {gone}", product_import.pk, NEW)


def _changes(product_import: ProductImport) -> list[exposure.Field]:
    """The fields that any of the changed rows names."""
    return [field for field in FIELDS if field.name in product_import.found["changes"]]


def _references() -> Iterable[Why]:
    for relation in Product._meta.get_fields(include_hidden=True):
        if (
            not relation.auto_created
            or not relation.is_relation
            or relation.related_model in GOES_ALONG
        ):
            continue
        other: Any = relation.field  # type: ignore[union-attr]
        said = f"{other.model._meta.verbose_name} refers to it by now."
        yield (
            f"EXISTS (SELECT 1 FROM {other.model._meta.db_table} AS o WHERE o.{_quoted(other)} = p.id)",
            "It was ordered since." if other.model is OrderItem else said[:1].upper() + said[1:],
        )


# The statements' common parts. Names come from the models and from this file, never from a person.


def _lock(
    table: str, column: str, product_import: ProductImport, statuses: Iterable[str], strength: str
) -> None:
    words = ", ".join(f"'{status}'" for status in statuses)
    _run(
        f"SELECT COUNT(*) FROM (SELECT id FROM {table} WHERE {column} IN"
        f" (SELECT product_id FROM shop_importrow WHERE product_import_id = %s AND status IN ({words}))"
        f" ORDER BY id {lock_clause(strength)}) AS locked",
        product_import.pk,
    )


def _first(whys: Iterable[Why]) -> tuple[str, list[str]]:
    """What is said in the first case that is so, as SQL with its parameters; NULL when none is."""
    whys = list(whys)
    return f"CASE {' '.join(f'WHEN {is_so} THEN %s' for is_so, _ in whys)} END", [
        said for _, said in whys
    ]


def _say(
    outcome: str,
    product_import: ProductImport,
    status: str,
    why: tuple[str, list[str]],
    *,
    rows: str,
    join: str = "p.id = r.product_id",
) -> int:
    """Give this outcome to those rows for which there is a `why`; returns how many."""
    sql, said = why
    found = (
        f"SELECT r.id, {sql} AS why FROM shop_importrow AS r LEFT JOIN shop_product AS p ON {join}"
    )
    return _run(
        f"UPDATE shop_importrow AS r SET outcome = '{outcome}', why = found.why FROM ({found} WHERE {rows})"
        " AS found WHERE r.id = found.id AND found.why IS NOT NULL",
        *said,
        product_import.pk,
        status,
    )


def _update(
    new: dict[exposure.Field, str], stock: str, product_import: ProductImport, rows: str
) -> int:
    """Fields and balance of the changed rows' products, in one UPDATE."""
    sets = "".join(f"{_quoted(field)} = {sql}, " for field, sql in new.items())
    return _run(
        f"UPDATE shop_product AS p SET {sets}stock = {stock}, updated_at = %s"
        f" FROM shop_importrow AS r WHERE p.id = r.product_id AND {rows}",
        db_now(),
        product_import.pk,
        CHANGED,
    )


def _record(
    product_import: ProductImport, actor: User, delta: str, balance: str, rows: str, status: str
) -> None:
    moment = _cast(StockMovement._meta.get_field("created_at"), "%s")
    _run(
        "INSERT INTO shop_stockmovement"
        " (product_id, kind, delta, balance_after, product_import_id, actor_id, reason, created_at)"
        f" SELECT p.id, %s, {delta}, {balance}, r.product_import_id, {actor.pk:d}, '', {moment}"
        " FROM shop_importrow AS r JOIN shop_product AS p ON p.id = r.product_id"
        f" WHERE r.delta <> 0 AND {rows} ORDER BY r.number",
        StockMovement.Kind.IMPORT.value,
        db_now(),
        product_import.pk,
        status,
    )


def _quoted(field: Any) -> str:
    return connection.ops.quote_name(field.column)


def _has(field: exposure.Field, side: str) -> str:
    """Whether a row names the field; a null is a value."""
    return f"r.{side} -> '{field.name}' IS NOT NULL"


def _value(field: exposure.Field, side: str) -> str:
    """The row's value as the column takes it. On SQLite the column's own affinity sees to that."""
    arrow = "->" if isinstance(field, models.JSONField) else "->>"
    return _cast(field, f"(r.{side} {arrow} '{field.name}')")


def _cast(field: Any, sql: str) -> str:
    return (
        f"CAST({sql} AS {field.db_type(connection)})" if connection.vendor == "postgresql" else sql
    )


def _differs(field: exposure.Field, side: str) -> str:
    """Whether the row names the field and the product holds something else."""
    column, value = f"p.{_quoted(field)}", _value(field, side)
    if isinstance(field, models.JSONField) and connection.vendor == "sqlite":
        column = f"JSON({column})"  # `->` gives JSON without blanks
    is_other = f"({column} <> {value} OR ({column} IS NULL) <> ({value} IS NULL))"
    return f"({_has(field, side)} AND {is_other})"


def _run(sql: str, *parameters: Any) -> int:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            "Products, balances and ledger need one transaction."
        )
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)
