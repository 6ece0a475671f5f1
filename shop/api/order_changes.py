"""What staff do with orders by the API: move, edit, ship, refund and return them.

Added to the router of `shop.api.orders`, since one URL has the methods of both.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils.translation import gettext as _

from shop.api.auth import ApiRequest, Forbidden, staff_with, staff_with_any
from shop.api.etags import IfMatch
from shop.api.idempotency import idempotent
from shop.api.openapi import documents_errors
from shop.api.order_schemas import (
    OrderOut,
    OrderPatch,
    PaymentIn,
    RefundIn,
    ReturnIn,
    StatusIn,
    TrackingIn,
)
from shop.api.orders import OrderId, check_order_etag, order_response, router
from shop.api.record_data import errors_by_api_name
from shop.db.transactions import atomically
from shop.models import Order
from shop.models.order_status import OrderStatus
from shop.services import errors, order_edit, order_moves, order_payments, returns, shipments
from shop.services.order_edit import OrderChanges
from shop.services.order_records import lock_order
from shop.services.returns import ReturnedUnits
from shop.services.shipments import Shipment

__all__ = ("router",)

#: Status -> the fields of `StatusIn` that only a move to it takes.
ONLY_FOR_STATUS = {
    OrderStatus.SHIPPED: {"carrier", "tracking_number"},
    OrderStatus.CANCELLED: {"written_off"},
}


@router.patch(
    "/{order_id}/", response=OrderOut, auth=staff_with("edit_order", "view_order", "change_order")
)
@documents_errors(
    errors.InsufficientStock,
    errors.InvalidTransition,
    errors.ProductUnavailable,
    errors.RecordChanged,
    errors.TotalChanged,
)
def edit_order(
    request: ApiRequest, order_id: OrderId, body: OrderPatch, if_match: IfMatch = ""
) -> HttpResponse:
    """Change address, note and items of an order that is not shipped yet.

    `items` are all items that the order shall have. Those that stay keep their price; an added
    product has its price of today.
    """
    with errors_by_api_name(Order):
        _edit_order(request, order_id, body, if_match)
    return order_response(request, order_id)


@atomically
def _edit_order(request: ApiRequest, order_id: int, body: OrderPatch, if_match: str) -> None:
    order = lock_order(order_id)
    check_order_etag(request, order, if_match)
    quantities = None
    if body.items is not None:
        present = order.items.values_list("product_id", flat=True)
        quantities = dict.fromkeys(present, 0) | {
            item.product_id: item.quantity for item in body.items
        }
    order_edit.edit_order(
        order_id=order_id,
        actor=request.auth.user,
        changes=OrderChanges(body.shipping_address, body.note, quantities),
        **body.model_dump(include={"reason", "notify", "expected_total"}),
    )


@router.post(
    "/{order_id}/status/", response=OrderOut, auth=staff_with_any("change_order", "fulfil_order")
)
@idempotent
@documents_errors(errors.InvalidTransition, errors.StockLimitReached)
def set_status(request: ApiRequest, order_id: OrderId, body: StatusIn) -> HttpResponse:
    """Move an order to its next status, or cancel it.

    Carrier and tracking number are for `shipped`, units to write off for `cancelled`.
    """
    if OrderStatus(body.status).facts.permission not in request.auth.permissions:
        raise Forbidden
    _check_fields_of_status(body)
    order_moves.move_order(
        order_id=order_id,
        to=body.status,
        actor=request.auth.user,
        by_staff=True,
        note=body.note,
        shipment=Shipment(body.carrier, body.tracking_number),
        written_off={units.product_id: units.quantity for units in body.written_off},
        notify=body.notify,
    )
    return order_response(request, order_id)


def _check_fields_of_status(body: StatusIn) -> None:
    """Raise ValidationError for a field that a move to this status would ignore."""
    wrong = {
        name: ValidationError(
            _("Only a move to “%(status)s” takes this.") % {"status": status}, code="not_allowed"
        )
        for status, names in ONLY_FOR_STATUS.items()
        for name in sorted(names & body.model_fields_set)
        if body.status != status
    }
    if wrong:
        raise ValidationError(wrong)


@router.post(
    "/{order_id}/tracking/",
    response=OrderOut,
    auth=staff_with("fulfil_order", "view_order", "change_order"),
)
@idempotent
@documents_errors(errors.InvalidTransition)
def set_tracking(request: ApiRequest, order_id: OrderId, body: TrackingIn) -> HttpResponse:
    """Add or correct carrier and tracking number of an order that was shipped."""
    shipments.edit_tracking(
        order_id=order_id,
        shipment=Shipment(body.carrier, body.tracking_number),
        actor=request.auth.user,
        notify=body.notify,
    )
    return order_response(request, order_id)


@router.post("/{order_id}/payments/", response=OrderOut, auth=staff_with("change_order"))
@idempotent
@documents_errors(errors.InvalidTransition)
def mark_paid(
    request: ApiRequest, order_id: OrderId, body: PaymentIn | None = None
) -> HttpResponse:
    """Record that what is due was paid."""
    note = body.note if body else ""
    order_payments.mark_paid(order_id=order_id, actor=request.auth.user, note=note)
    return order_response(request, order_id)


@router.post(
    "/{order_id}/refunds/",
    response=OrderOut,
    auth=staff_with("refund_order", "view_order", "change_order"),
)
@idempotent
@documents_errors(errors.NothingToRefund)
def refund_order(
    request: ApiRequest, order_id: OrderId, body: RefundIn | None = None
) -> HttpResponse:
    """Pay an amount back, by default all that is due.

    What goes beyond the refund that is due lowers the price of the order.
    """
    values = body.model_dump() if body else {}
    order_payments.refund_order(order_id=order_id, actor=request.auth.user, **values)
    return order_response(request, order_id)


@router.post(
    "/{order_id}/returns/",
    response=OrderOut,
    auth=staff_with("refund_order", "view_order", "change_order"),
)
@idempotent
@documents_errors(errors.InvalidTransition, errors.StockLimitReached)
def return_items(request: ApiRequest, order_id: OrderId, body: ReturnIn) -> HttpResponse:
    """Take back units of a delivered order. Their price becomes a refund that is due."""
    returned: dict[int, Any] = {
        item.product_id: ReturnedUnits(item.put_back, item.write_off) for item in body.items
    }
    returns.return_items(
        order_id=order_id,
        returned=returned,
        actor=request.auth.user,
        note=body.note,
        notify=body.notify,
    )
    return order_response(request, order_id)
