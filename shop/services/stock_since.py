"""What happened to the stock of products since somebody looked."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from shop.models import Product, StockMovement

Kind = StockMovement.Kind
#: Kinds of movement by which customers take units or bring them back.
SALE_KINDS = frozenset({Kind.SALE, Kind.CANCELLATION, Kind.ORDER_EDIT, Kind.RETURNED})


@dataclass
class StockSince:
    """Units that moved since, and whether the product was counted."""

    sold: int = 0
    delta: int = 0
    is_counted: bool = False


def products_with_movement() -> QuerySet[Product]:
    """Return all products, each with `newest_movement`: the id of its last stock movement, or 0.

    Stock and movement are read by one statement, so that they belong together.
    """
    newest = StockMovement.objects.filter(product=OuterRef("pk")).order_by("-id").values("pk")[:1]
    return Product.objects.annotate(newest_movement=Coalesce(Subquery(newest), Value(0))).order_by()


def read_movements_since(seen: Mapping[int, int]) -> dict[int, StockSince]:
    """Return what has moved since the given movement of each product, by one query.

    `seen` maps product ids to ids of movements. Movements of a product are numbered in the order
    in which they are made, because each is made under the product's lock.
    """
    if not seen:
        return {}
    pairs = ", ".join(["(%s, %s)"] * len(seen))
    since: dict[int, StockSince] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            # VALUES names its columns column1, column2 in PostgreSQL and in SQLite alike.
            "SELECT product_id, kind, SUM(delta)"  # noqa: S608 - only placeholders
            f" FROM shop_stockmovement JOIN (VALUES {pairs}) AS seen"
            " ON product_id = column1 AND id > column2"
            " GROUP BY product_id, kind",
            [number for pair in seen.items() for number in pair],
        )
        for product_id, kind, delta in cursor.fetchall():
            total = since.setdefault(product_id, StockSince())
            total.delta += delta
            if kind in SALE_KINDS:
                total.sold -= delta
            total.is_counted |= kind == Kind.COUNTED
    return since
