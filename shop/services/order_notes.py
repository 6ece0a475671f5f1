"""Entries that staff add to an order's timeline: notes, and what was printed."""

from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from shop.db.transactions import atomically
from shop.documents.order_documents import with_slip_fields
from shop.models import Invoice, Order, OrderEvent, User
from shop.services import audit, invoices
from shop.services.order_records import build_event, lock_order, record_event
from shop.services.orders import OrderDetails

#: The PDF of this many orders with five items each takes about two seconds.
MAX_PRINTED_ORDERS = 500


@atomically
def add_note(*, order_id: int, actor: User, note: str, is_internal: bool) -> OrderEvent:
    """Add a note to the timeline, for staff only or for the customer too. Raises NotFound."""
    order = lock_order(order_id)
    audit.log(actor, order, {"note": ("", note)}, action=audit.Action.ADDED)
    return record_event(
        order, actor=actor, kind=OrderEvent.Kind.NOTE, note=note, is_internal=is_internal
    )


@atomically
def record_printing(*, order_ids: Collection[int], actor: User, what: str) -> list[OrderDetails]:
    """Record `what` in each timeline; return the orders by number, their items sorted by SKU.

    Raises ValidationError for more than MAX_PRINTED_ORDERS.
    """
    check_printed_orders(order_ids)
    orders = with_slip_fields(Order.objects.filter(pk__in=order_ids)).order_by("order_number")
    printed = list(orders.prefetch_related("items"))
    OrderEvent.objects.bulk_create(
        build_event(order, actor=actor, kind=OrderEvent.Kind.PRINTED, note=what, is_internal=True)
        for order in printed
    )
    return [
        OrderDetails(order, sorted(order.items.all(), key=lambda i: i.sku.lower()), [])
        for order in printed
    ]


@atomically
def print_invoices(
    *, order_ids: Collection[int], actor: User, as_pdf: bool = False
) -> list[Invoice]:
    """Return what `issue_invoices` returns, and record in each timeline what was printed.

    Raises ValidationError for more than MAX_PRINTED_ORDERS.
    """
    check_printed_orders(order_ids)
    printed = invoices.issue_invoices(order_ids=order_ids, actor=actor)
    text = _("%(documents)s downloaded as PDF") if as_pdf else _("%(documents)s printed")
    invoices.record_printed(printed, text, actor=actor)
    return printed


def check_printed_orders(order_ids: Collection[int]) -> None:
    """Raise ValidationError for more than MAX_PRINTED_ORDERS."""
    if len(order_ids) > MAX_PRINTED_ORDERS:
        raise ValidationError(
            _("At most %(limit)d orders can be printed together. Select fewer, such as one day's.")
            % {"limit": MAX_PRINTED_ORDERS}
        )
