"""Stock and its ledger. `_record` is the only place that writes either, always both, in one transaction."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Subquery, Sum, Value, Window
from django.db.models.functions import Coalesce

from shop.db.bulk_rows import insert_rows
from shop.db.raw_sql import db_now, lock_clause
from shop.db.transactions import atomically
from shop.models import OrderItem, Product, StockMovement, User
from shop.models.products import MAX_STOCK
from shop.services import audit
from shop.services.errors import InsufficientStock, NotFound, StockChanged

Kind = StockMovement.Kind


@dataclass(frozen=True)
class StockChange:
    """So many units of a product come (+) or go (-)."""

    product_id: int
    delta: int
    order_id: int | None = None


def take_stock(changes: Sequence[StockChange], *, actor: User) -> None:
    """Take a sale's units; raises InsufficientStock where one of the products has fewer, or is not there."""
    _record(changes, kind=Kind.SALE, actor=actor)


def return_stock(
    changes: Sequence[StockChange], *, actor: User, reason: str, lost: Collection[int] = ()
) -> None:
    """Give cancelled orders' units back. A second time for the same order is refused by the database.

    Of the products in `lost` the units did not come back fit to sell: they return and are written off,
    two lines of the ledger, so that each order's own lines still add up to nothing.
    """
    _record(changes, kind=Kind.CANCELLATION, actor=actor, reason=reason)
    gone = [
        StockChange(change.product_id, -change.delta)
        for change in changes
        if change.product_id in lost
    ]
    if gone:
        _record(
            gone,
            kind=Kind.DAMAGED,
            actor=actor,
            reason=reason or "Not put back after a cancellation",
        )


def record_initial_stock(product: Product, *, stock: int, actor: User | None) -> None:
    """Record what a new product starts with."""
    if stock:
        _record([StockChange(product.pk, stock)], kind=Kind.INITIAL, actor=actor)
        product.stock = stock


@atomically
def adjust_stock(
    *, product_id: int, delta: int, kind: Kind, actor: User, reason: str = ""
) -> Product:
    """Add or remove units by hand; returns the product as it is afterwards.

    Raises InsufficientStock (with `available`) below 0, ValidationError above the bound, NotFound.
    """
    product = lock_product(product_id)
    if product.stock + delta > MAX_STOCK:
        raise ValidationError(
            {"delta": f"The stock can be at most {MAX_STOCK:,}."}, code="max_value"
        )
    if product.stock + delta < 0:
        raise InsufficientStock(
            f"The stock is {product.stock}: it cannot change by {delta}.", available=product.stock
        )
    if delta:
        _by_hand(product, delta, kind=kind, actor=actor, reason=reason)
    return product


@atomically
def count_stock(
    *, product_id: int, counted: int, actor: User, expected: int | None = None, reason: str = ""
) -> Product:
    """Set the stock to what was counted, as a difference in the ledger.

    Raises StockChanged (with `stock`) when `expected`, the number that the counter saw, is no longer so.
    """
    product = lock_product(product_id)
    if expected is not None and product.stock != expected:
        raise StockChanged(
            f"The stock is {product.stock} now, not {expected}.", stock=product.stock
        )
    if counted != product.stock:
        _by_hand(product, counted - product.stock, kind=Kind.COUNTED, actor=actor, reason=reason)
    return product


@atomically
def receive_stock(*, units: Mapping[int, int], actor: User, reason: str = "") -> int:
    """Add a delivery's units, product id to how many, all or none; returns how many units came.

    Raises ValidationError, naming the product, above the bound; NotFound.
    """
    coming = {product_id: count for product_id, count in units.items() if count}
    products = lock_products(coming)
    if len(products) != len(coming):
        raise NotFound
    if full := [product for product in products if product.stock + coming[product.pk] > MAX_STOCK]:
        raise ValidationError(
            [f"The stock of {product} can be at most {MAX_STOCK:,}." for product in full]
        )
    if coming:
        changes = [StockChange(product.pk, coming[product.pk]) for product in products]
        _record(changes, kind=Kind.RECEIVED, actor=actor, reason=reason)
        audit.log_many(actor, [(p, {"stock": (p.stock, p.stock + coming[p.pk])}) for p in products])
    return sum(coming.values())


def _by_hand(product: Product, delta: int, *, kind: Kind, actor: User, reason: str) -> None:
    _record([StockChange(product.pk, delta)], kind=kind, actor=actor, reason=reason)
    audit.log(actor, product, {"stock": (product.stock, product.stock + delta)})
    product.refresh_from_db()


def lock_product(product_id: int) -> Product:
    """One product, locked until the transaction ends; raises NotFound."""
    found = lock_products([product_id])
    if not found:
        raise NotFound
    return found[0]


def lock_products(product_ids: Collection[int]) -> list[Product]:
    """Products in id order, locked until the transaction ends.

    The order is what keeps two who change the same products from waiting for each other forever; without
    the key, because a foreign key to the product may be added meanwhile.
    """
    return list(
        Product.objects.filter(pk__in=product_ids).order_by("pk").select_for_update(no_key=True)
    )


def _record(
    changes: Sequence[StockChange],
    *,
    kind: Kind,
    actor: User | None,
    reason: str = "",
) -> None:
    """Write balance and ledger: one UPDATE and one INSERT, however many products and orders.

    Raises InsufficientStock, with every stock still as it was, where a balance would leave its bounds or a
    product is not there.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("Balance and ledger need one transaction.")
    totals = Counter[int]()
    for change in changes:
        totals[change.product_id] += change.delta
    balances = _move(totals)
    if len(balances) != len(totals):
        raise InsufficientStock
    movements = []
    balance = {product_id: balances[product_id] - total for product_id, total in totals.items()}
    for change in changes:
        balance[change.product_id] += change.delta
        movement = StockMovement(
            product_id=change.product_id, delta=change.delta, order_id=change.order_id
        )
        movement.balance_after = balance[change.product_id]
        movement.kind, movement.actor, movement.reason = kind, actor, reason
        movements.append(movement)
    insert_rows(movements)


def _move(totals: Mapping[int, int]) -> dict[int, int]:
    """Change all balances, by product id, and return what they are then; or none, and return nothing.

    The products are locked by id, so that buyers of the same ones never wait for each other in a circle;
    and looked at under the lock, since an UPDATE that waits would look at them as they were before.
    """
    changes = ", ".join(["(%s, %s)"] * len(totals))
    numbers = [number for pair in totals.items() for number in pair]
    with connection.cursor() as cursor:
        cursor.execute(
            # VALUES names its columns column1, column2 in PostgreSQL and in SQLite alike.
            "WITH held AS MATERIALIZED (SELECT id, stock + column2 AS balance"  # noqa: S608 - only placeholders
            f" FROM shop_product JOIN (VALUES {changes}) AS change ON id = column1"
            f" ORDER BY id {lock_clause('NO KEY UPDATE OF shop_product')})"
            " UPDATE shop_product SET stock = balance, updated_at = %s FROM held"
            " WHERE shop_product.id = held.id"
            " AND (SELECT count(*) FROM held WHERE balance BETWEEN 0 AND %s) = %s"
            " RETURNING shop_product.id, stock",
            [*numbers, db_now(), MAX_STOCK, len(totals)],
        )
        return dict(cursor.fetchall())


def find_drift() -> Iterator[str]:
    """Where balance, ledger and orders disagree, one sentence each; nothing when all is well."""
    ledger = StockMovement.objects.filter(product=OuterRef("pk")).order_by()
    total = Subquery(ledger.values("product").annotate(total=Sum("delta")).values("total"))
    for product in (
        Product.objects.annotate(ledger=Coalesce(total, Value(0)))
        .exclude(stock=F("ledger"))
        .order_by("pk")
    ):
        yield f"{product.sku}: stock is {product.stock}, its movements add up to {product.ledger}."
    running = Window(Sum("delta"), partition_by="product", order_by="id")
    for movement in (
        StockMovement.objects.annotate(running=running)
        .exclude(balance_after=F("running"))
        .select_related("product")
        .order_by("pk")
    ):
        yield (
            f"{movement.product.sku}: movement {movement.pk} says {movement.balance_after} after it,"
            f" the movements up to it add up to {movement.running}."
        )
    yield from _orders_that_disagree()
    lines = OrderItem.objects.filter(order=OuterRef("order"), product=OuterRef("product"))
    strays = StockMovement.objects.exclude(order=None).exclude(Exists(lines)).order_by("pk")
    for stray in strays.select_related("product", "order"):
        yield f"{stray.order}: movement {stray.pk} of {stray.product.sku}, which was not ordered."


def _orders_that_disagree() -> Iterator[str]:
    """Lines of live orders whose units did not leave, or of cancelled ones that did not come back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.order_number, i.sku, o.status, i.quantity, COALESCE(SUM(m.delta), 0)"
            " FROM shop_orderitem i JOIN shop_order o ON o.id = i.order_id"
            " LEFT JOIN shop_stockmovement m ON m.order_id = o.id AND m.product_id = i.product_id"
            " GROUP BY o.order_number, i.sku, o.status, i.quantity, i.id"
            " HAVING COALESCE(SUM(m.delta), 0)"
            " <> CASE WHEN o.status = 'cancelled' THEN 0 ELSE -i.quantity END ORDER BY i.id"
        )
        for number, sku, status, quantity, delta in cursor.fetchall():
            yield f"{number} ({status}): {quantity} of {sku} ordered, its movements add up to {delta}."
