"""Deliveries and stock counts of many products, each a change set."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from shop.db.transactions import atomically
from shop.models import ChangeSet, Product, User
from shop.models.products import MAX_STOCK
from shop.services.change_sets.plan import PlannedChange, apply_changes
from shop.services.errors import NotFound
from shop.services.stock import lock_products


@dataclass(frozen=True)
class Count:
    """The units counted of a product, and the stock that was expected when they were counted."""

    counted: int
    expected: int


@atomically
def receive_goods(
    *, units: Mapping[int, int], actor: User, supplier: str = "", delivery_note: str = ""
) -> ChangeSet:
    """Add the units of a delivery to the stock, all or none; return the change set.

    `units` maps product ids to quantities. Raises ValidationError, naming each product that would
    exceed MAX_STOCK, and if nothing was delivered; NotFound.
    """
    received = {product_id: count for product_id, count in units.items() if count}
    return apply_changes(
        kind=ChangeSet.Kind.RECEIPT,
        name=_join_names(supplier, delivery_note) or _("Goods received"),
        changes=_plan(received),
        actor=actor,
        supplier=supplier,
        delivery_note=delivery_note,
    )


@atomically
def book_count(*, counts: Mapping[int, Count], actor: User, note: str = "") -> ChangeSet:
    """Correct the stock by the differences that were counted; return the change set.

    The difference is booked, so that units that were sold while others were counted stay sold.
    Raises ValidationError, naming each product whose stock would leave its bounds, and if all were
    as expected; NotFound.
    """
    return apply_changes(
        kind=ChangeSet.Kind.COUNT,
        name=note or _("Stock count"),
        changes=_plan({pk: count.counted - count.expected for pk, count in counts.items()}),
        actor=actor,
    )


def find_receipts(*, supplier: str, delivery_note: str) -> list[ChangeSet]:
    """Return the deliveries of this note that were received and not undone, newest first.

    Case and spaces around do not count; a supplier that is not given is any supplier.
    """
    if not (delivery_note := delivery_note.strip()):
        return []
    receipts = ChangeSet.objects.filter(
        kind=ChangeSet.Kind.RECEIPT,
        delivery_note__iexact=delivery_note,
        state=ChangeSet.State.APPLIED,
    )
    if supplier := supplier.strip():
        receipts = receipts.filter(supplier__in=("", supplier)) | receipts.filter(
            supplier__iexact=supplier
        )
    return list(receipts.select_related("actor"))


def _plan(deltas: Mapping[int, int]) -> list[PlannedChange]:
    products = lock_products(deltas)
    if len(products) != len(deltas):
        raise NotFound
    _check_bounds(products, deltas)
    return [PlannedChange(product, delta=deltas[product.pk]) for product in products]


def _check_bounds(products: list[Product], deltas: Mapping[int, int]) -> None:
    """Raise ValidationError naming each product whose stock would leave its bounds."""
    message = _("%(product)s: the stock is %(stock)s and would become %(after)s.")
    errors = [
        message
        % {
            "product": product,
            "stock": f"{product.stock:,}",
            "after": f"{product.stock + deltas[product.pk]:,}",
        }
        for product in products
        if not 0 <= product.stock + deltas[product.pk] <= MAX_STOCK
    ]
    if errors:
        raise ValidationError(errors, code="stock_bounds")


def _join_names(*names: str) -> str:
    return " · ".join(filter(None, (name.strip() for name in names)))
