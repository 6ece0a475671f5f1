"""Stock and its ledger.

`_record_movements` is the only function that writes either, always both, in one transaction;
`services.change_sets` does the same for many products at once.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F, OuterRef, Subquery, Sum, Value, Window
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from shop.db.bulk_rows import insert_rows
from shop.db.raw_sql import db_now, lock_clause
from shop.db.transactions import atomically
from shop.models import Order, OrderItem, Product, StockMovement, User
from shop.models.products import MAX_STOCK
from shop.services import audit
from shop.services.errors import InsufficientStock, NotFound, StockChanged, StockLimitReached

Kind = StockMovement.Kind
NOTHING: Mapping[int, int] = MappingProxyType({})


@dataclass(frozen=True)
class StockChange:
    """A number of units of a product, received in (+) or going out (-)."""

    product_id: int
    delta: int
    order_id: int | None = None


def take_stock(changes: Sequence[StockChange], *, actor: User) -> None:
    """Take the units of a sale. Raises InsufficientStock if a product has fewer or is gone."""
    _record_movements(changes, kind=Kind.SALE, actor=actor)


def return_stock(
    changes: Sequence[StockChange],
    *,
    actor: User,
    reason: str,
    kind: Kind = Kind.CANCELLATION,
    written_off: Mapping[int, int] = NOTHING,
) -> None:
    """Bring back the units of orders: all of cancelled ones, or some that were sent back.

    The database refuses a second cancellation of the same order. `written_off` maps product ids to
    how many of the units can't be sold: they return and are written off, two movements, so that
    the movements of an order still tell what the customer keeps.

    Raises StockLimitReached if a product would have more than MAX_STOCK.
    """
    try:
        _record_movements(changes, kind=kind, actor=actor, reason=reason)
    except InsufficientStock as error:  # more units never make it too low
        raise StockLimitReached from error
    damaged = [
        StockChange(product_id, -units) for product_id, units in written_off.items() if units
    ]
    if damaged:
        _record_movements(
            damaged,
            kind=Kind.DAMAGED,
            actor=actor,
            reason=reason or _("Written off when the order was returned"),
        )


def change_ordered_stock(changes: Sequence[StockChange], *, actor: User) -> None:
    """Take and return the differences that an edit of an order makes.

    In one statement, so that two edits lock their products in the same order. Raises
    InsufficientStock if a product has fewer units, or is gone, or would have more than MAX_STOCK.
    """
    _record_movements(changes, kind=Kind.ORDER_EDIT, actor=actor)


def split_by_stock_limit(orders: Iterable[Order]) -> tuple[list[Order], list[Order]]:
    """Return the orders whose units fit into the stock, one order after the other, and the rest."""
    lines = OrderItem.objects.filter(order__in=orders).select_related("product")
    by_order: dict[int, list[OrderItem]] = {order.pk: [] for order in orders}
    for line in lines:
        by_order[line.order_id].append(line)

    stocks, fitting, over_limit = dict[int, int](), [], []
    for order in orders:
        after = stocks.copy()
        for line in by_order[order.pk]:
            stock = after.get(line.product_id, line.product.stock)
            after[line.product_id] = stock + line.quantity
        if max(after.values(), default=0) > MAX_STOCK:
            over_limit.append(order)
        else:
            stocks = after
            fitting.append(order)
    return fitting, over_limit


def record_initial_stock(product: Product, *, stock: int, actor: User | None) -> None:
    """Record the stock that a new product starts with."""
    if stock:
        _record_movements([StockChange(product.pk, stock)], kind=Kind.INITIAL, actor=actor)
        product.stock = stock


@atomically
def adjust_stock(
    *, product_id: int, delta: int, kind: Kind, actor: User, reason: str = ""
) -> Product:
    """Add or remove units and return the updated product. A delta of 0 changes nothing.

    Raises InsufficientStock (with `available`) if the stock would become negative,
    ValidationError above MAX_STOCK, NotFound.
    """
    product = lock_product(product_id)
    if product.stock + delta > MAX_STOCK:
        raise ValidationError(
            {"delta": _("The stock can't be more than %(limit)s.") % {"limit": f"{MAX_STOCK:,}"}},
            code="max_value",
        )
    if product.stock + delta < 0:
        raise InsufficientStock(
            _("The stock is %(stock)d, so it can't change by %(delta)d.")
            % {"stock": product.stock, "delta": delta},
            available=product.stock,
        )
    if delta:
        _record_manual_movement(product, delta, kind=kind, actor=actor, reason=reason)
    return product


@atomically
def count_stock(
    *, product_id: int, counted: int, actor: User, expected: int | None = None, reason: str = ""
) -> Product:
    """Set the stock to a counted number; the ledger records the difference.

    `expected` is the stock that was shown when counting started. Raises StockChanged (with
    `stock`) if it has changed since.
    """
    product = lock_product(product_id)
    if expected is not None and product.stock != expected:
        raise StockChanged(
            _("The stock is now %(stock)d, not %(expected)d.")
            % {"stock": product.stock, "expected": expected},
            stock=product.stock,
        )
    if counted != product.stock:
        _record_manual_movement(
            product, counted - product.stock, kind=Kind.COUNTED, actor=actor, reason=reason
        )
    return product


def _record_manual_movement(
    product: Product, delta: int, *, kind: Kind, actor: User, reason: str
) -> None:
    _record_movements([StockChange(product.pk, delta)], kind=kind, actor=actor, reason=reason)
    audit.log(actor, product, {"stock": (product.stock, product.stock + delta)})
    product.refresh_from_db()


def lock_product(product_id: int) -> Product:
    """Return a product, locked until the transaction ends. Raises NotFound."""
    products = lock_products([product_id])
    if not products:
        raise NotFound
    return products[0]


def lock_products(product_ids: Collection[int]) -> list[Product]:
    """Return products, locked in id order until the transaction ends.

    The order prevents deadlocks between transactions that lock the same products. NO KEY UPDATE
    lets others insert rows that refer to a product meanwhile.
    """
    return list(
        Product.objects.filter(pk__in=product_ids).order_by("pk").select_for_update(no_key=True)
    )


def _record_movements(
    changes: Sequence[StockChange],
    *,
    kind: Kind,
    actor: User | None,
    reason: str = "",
) -> None:
    """Write balances and ledger with one UPDATE and one INSERT, however many products and orders.

    Raises InsufficientStock, changing nothing, if a balance would leave its bounds or a product is
    missing.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            "Balances and ledger must be written in one transaction."
        )
    totals = Counter[int]()
    for change in changes:
        totals[change.product_id] += change.delta
    balances = _update_balances(totals)
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


def _update_balances(totals: Mapping[int, int]) -> dict[int, int]:
    """Add each total to its product's stock and return the new balances by product id.

    If any balance would leave its bounds, change none and return an empty dict. Products are
    locked in id order to prevent deadlocks, and read under the lock: an UPDATE that waits would
    otherwise check the values from before.
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
    """Yield one sentence per inconsistency between balances, ledger and orders."""
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
            f"{movement.product.sku}: movement {movement.pk} has balance {movement.balance_after},"
            f" the movements up to it add up to {movement.running}."
        )
    yield from _find_order_drift()


def _find_order_drift() -> Iterator[str]:
    """Yield orders' products of which other units have moved than the customer has.

    Those are the units ordered and not sent back; none of a cancelled order, and none of a product
    that an edit has removed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.order_number, p.sku, o.status, SUM(units), SUM(delta)"
            " FROM (SELECT order_id, product_id, quantity - returned_quantity AS units, 0 AS delta"
            " FROM shop_orderitem UNION ALL"
            " SELECT order_id, product_id, 0, delta FROM shop_stockmovement"
            " WHERE order_id IS NOT NULL) AS lines"
            " JOIN shop_order o ON o.id = order_id JOIN shop_product p ON p.id = product_id"
            " GROUP BY o.id, o.order_number, o.status, p.id, p.sku"
            " HAVING SUM(delta)"
            " <> CASE WHEN o.status = 'cancelled' THEN 0 ELSE -SUM(units) END ORDER BY o.id, p.id"
        )
        for number, sku, status, units, delta in cursor.fetchall():
            yield f"{number} ({status}): {units} × {sku} ordered, movements add up to {delta}."
