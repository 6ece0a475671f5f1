"""Deliveries and stock counts of many products, each a change set."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from shop.db.transactions import atomically
from shop.models import ChangeSet, Product, User
from shop.models.products import MAX_STOCK
from shop.services.change_sets.plan import PlannedChange, apply_changes
from shop.services.errors import DeliveryReceived, NotFound
from shop.services.stock import lock_products
from shop.services.stock_since import read_movements_since


@dataclass(frozen=True)
class Count:
    """The units counted of a product, and the stock that was expected when they were counted.

    `seen` is the product's last stock movement at that time, 0 for none.
    """

    counted: int
    expected: int
    seen: int | None = None

    @property
    def delta(self) -> int:
        """The units that were counted more (+) or less (-) than expected."""
        return self.counted - self.expected


@atomically
def receive_goods(
    *,
    units: Mapping[int, int],
    actor: User,
    supplier: str = "",
    delivery_note: str = "",
    may_repeat: bool = False,
) -> ChangeSet:
    """Add the units of a delivery to the stock, all or none; return the change set.

    `units` maps product ids to quantities. Raises DeliveryReceived if this delivery note was
    received before, unless it `may_repeat`; ValidationError, naming each product that would exceed
    MAX_STOCK, and if nothing was delivered; NotFound.
    """
    supplier, delivery_note = supplier.strip(), delivery_note.strip()
    received = {product_id: count for product_id, count in units.items() if count}
    products = _lock_products(received)
    # Under the lock: of two who receive the same goods, the second finds what the first has done.
    if not may_repeat and find_receipts(supplier=supplier, delivery_note=delivery_note):
        raise DeliveryReceived
    return apply_changes(
        kind=ChangeSet.Kind.RECEIPT,
        name=" · ".join(filter(None, (supplier, delivery_note))) or _("Goods received"),
        changes=_plan(products, received),
        actor=actor,
        supplier=supplier,
        delivery_note=delivery_note,
    )


@atomically
def book_count(*, counts: Mapping[int, Count], actor: User, note: str = "") -> ChangeSet:
    """Correct the stock by the differences that were counted; return the change set.

    The difference is booked, so that units that were sold while others were counted stay sold.
    Raises ValidationError, naming each product that somebody else has counted since it was seen or
    whose stock would leave its bounds, and if all were as expected; NotFound.
    """
    deltas = {product_id: count.delta for product_id, count in counts.items() if count.delta}
    products = _lock_products(deltas)
    _refuse_counted_twice(products, counts)
    return apply_changes(
        kind=ChangeSet.Kind.COUNT,
        name=note or _("Stock count"),
        changes=_plan(products, deltas),
        actor=actor,
    )


def find_receipts(*, supplier: str, delivery_note: str) -> list[ChangeSet]:
    """Return the deliveries of this note that were received and not undone, newest first.

    Case and spaces around do not count; a supplier that is not given is any supplier.
    """
    if not (delivery_note := delivery_note.strip()):
        return []
    receipts = ChangeSet.objects.filter(
        kind=ChangeSet.Kind.RECEIPT, delivery_note__iexact=delivery_note, undone_at=None
    )
    if supplier := supplier.strip():
        receipts = receipts.filter(supplier__in=("", supplier)) | receipts.filter(
            supplier__iexact=supplier
        )
    return list(receipts.select_related("actor"))


def list_suppliers(*, limit: int = 50) -> list[str]:
    """Return the suppliers of earlier deliveries, by name."""
    receipts = ChangeSet.objects.filter(kind=ChangeSet.Kind.RECEIPT).exclude(supplier="")
    return list(receipts.order_by("supplier").values_list("supplier", flat=True).distinct()[:limit])


def _lock_products(product_ids: Collection[int]) -> list[Product]:
    products = lock_products(product_ids)
    if len(products) != len(product_ids):
        raise NotFound
    return products


def _plan(products: list[Product], deltas: Mapping[int, int]) -> list[PlannedChange]:
    _check_bounds(products, deltas)
    return [PlannedChange(product, delta=deltas[product.pk]) for product in products]


def _refuse_counted_twice(products: list[Product], counts: Mapping[int, Count]) -> None:
    """Raise ValidationError naming each product that was counted since it was seen.

    The same units would be missing twice.
    """
    seen = {product.pk: counts[product.pk].seen for product in products}
    since = read_movements_since({pk: number for pk, number in seen.items() if number is not None})
    message = _("%(product)s was counted by someone else meanwhile. Count it again.")
    errors = [
        ValidationError(message, code="counted_twice", params={"product": product})
        for product in products
        if product.pk in since and since[product.pk].is_counted
    ]
    if errors:
        raise ValidationError(errors)


def _check_bounds(products: list[Product], deltas: Mapping[int, int]) -> None:
    """Raise ValidationError naming each product whose stock would leave its bounds."""
    message = _("%(product)s: the stock is %(stock)s and would become %(after)s.")
    after = {product.pk: product.stock + deltas[product.pk] for product in products}
    errors = [
        ValidationError(
            message,
            code="stock_bounds",
            params={
                "product": product,
                "stock": f"{product.stock:,}",
                "after": f"{after[product.pk]:,}",
            },
        )
        for product in products
        if not 0 <= after[product.pk] <= MAX_STOCK
    ]
    if errors:
        raise ValidationError(errors)
