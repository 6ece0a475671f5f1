"""Carriers and tracking numbers of orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from shop.db.transactions import atomically
from shop.models import Carrier, Order, OrderEvent, User
from shop.models.outbox import ORDER_TRACKING
from shop.services import audit, outbox
from shop.services.crud import validate_fields
from shop.services.errors import InvalidTransition, OrderChanged
from shop.services.order_records import lock_order, record_event, save_orders

SHIPMENT_FIELDS = ("carrier", "tracking_number", "tracking_url")


@dataclass(frozen=True)
class Shipment:
    """Carrier and tracking number of a shipment; either may be empty."""

    carrier: str = ""
    tracking_number: str = ""


NO_SHIPMENT = Shipment()


def assign_shipments(orders: Sequence[Order], shipments: Mapping[int, Shipment]) -> None:
    """Set carrier, tracking number and link of each order, given by its id, without saving.

    A known carrier gets the name and the link of its record, whatever case it was typed in; any
    other name has no link. Raises ValidationError for a text that is too long.
    """
    carriers = _find_carriers({shipment.carrier.lower() for shipment in shipments.values()})
    for order in orders:
        shipment = shipments.get(order.pk, NO_SHIPMENT)
        order.carrier, order.tracking_number = shipment.carrier, shipment.tracking_number
        if shipment != NO_SHIPMENT:
            validate_fields(order, vars(shipment))
        carrier = carriers.get(order.carrier.lower())
        order.tracking_url = carrier.build_url(order.tracking_number) if carrier else ""
        order.carrier = carrier.name if carrier else order.carrier


def _find_carriers(names: set[str]) -> dict[str, Carrier]:
    if not (names := names - {""}):
        return {}
    carriers = Carrier.objects.annotate(lower_name=Lower("name")).filter(lower_name__in=names)
    return {carrier.name.lower(): carrier for carrier in carriers}


@atomically
def edit_tracking(
    *,
    order_id: int,
    shipment: Shipment,
    actor: User,
    notify: bool = False,
    expected: Shipment | None = None,
) -> Order:
    """Add or correct carrier and tracking number of a shipped order.

    `expected` is what was shown before; `notify` mails the customer. Raises NotFound,
    InvalidTransition for an order that was not shipped, OrderChanged if `expected` is no longer
    so, ValidationError.
    """
    order = lock_order(order_id)
    if order.shipped_at is None:
        raise InvalidTransition(_("This order hasn't been shipped."), order_status=order.status)
    before = Shipment(order.carrier, order.tracking_number)
    if expected is not None and expected != before:
        raise OrderChanged
    assign_shipments([order], {order.pk: shipment})
    after = Shipment(order.carrier, order.tracking_number)
    if after != before:
        changes = audit.diff_values(Order, vars(before), vars(after))
        order.updated_at = timezone.now()
        save_orders([order], *SHIPMENT_FIELDS, "updated_at")
        audit.log(actor, order, changes)
        details = audit.format_changes({capfirst(name): change for name, change in changes.items()})
        record_event(order, actor=actor, kind=OrderEvent.Kind.TRACKING, details=details)
    if notify:
        outbox.add_order_messages([order], ORDER_TRACKING)
    return order
