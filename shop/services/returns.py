"""Units that customers send back after the delivery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from shop import money
from shop.db.bulk_rows import insert_rows, update_rows
from shop.db.transactions import atomically
from shop.models import Order, OrderEvent, OrderItem, Payment, StockMovement, User
from shop.models.order_status import OrderStatus
from shop.models.outbox import ORDER_RETURNED
from shop.services import audit, outbox
from shop.services.errors import InvalidTransition, OrderChanged
from shop.services.invoices import correct_invoices
from shop.services.order_payments import save_money
from shop.services.order_records import lock_order, record_event
from shop.services.payments import settled_status
from shop.services.stock import StockChange, return_stock


@dataclass(frozen=True)
class ReturnedUnits:
    """How many units of a product came back: sellable ones, and others that are written off."""

    put_back: int = 0
    write_off: int = 0

    @property
    def units(self) -> int:
        """All units that came back."""
        return self.put_back + self.write_off


@atomically
def return_items(
    *,
    order_id: int,
    returned: Mapping[int, ReturnedUnits],
    actor: User,
    note: str = "",
    notify: bool = False,
    expected_returned: int | None = None,
) -> Order:
    """Take back units of a delivered order; `returned` is by product id.

    Their price is credited, so that it need not be paid, or becomes a refund that is due. Raises
    NotFound, InvalidTransition for an order that was not delivered, StockLimitReached; OrderChanged
    if other than `expected_returned` units have come back so far; ValidationError for no units at
    all, or more than the customer has.
    """
    order = lock_order(order_id)
    _check_order(order, expected_returned)
    returned = {product: came for product, came in returned.items() if came.units}
    items = _returned_items(order, returned)
    value = money.order_total((item.price, returned[item.product_id].units) for item in items)
    credit = _add_credit(order, value, actor=actor, reason=note[:200])
    save_money([order])
    update_rows(items, "returned_quantity")
    if credit.credited_amount:
        insert_rows([credit])
    units = "\n".join(f"{returned[i.product_id].units} × {i.name}" for i in items)
    _record_stock(order, items, returned, actor=actor)
    record_event(order, actor=actor, kind=OrderEvent.Kind.RETURNED, note=note, details=units)
    if notify:
        outbox.add_order_messages([order], ORDER_RETURNED, note=note, values={"returned": units})
    return_stock(
        [StockChange(product, came.units, order.pk) for product, came in returned.items()],
        actor=actor,
        reason=note[:200],
        kind=StockMovement.Kind.RETURNED,
        written_off={product: came.write_off for product, came in returned.items()},
    )
    correct_invoices([order], actor=actor)
    return order


def _check_order(order: Order, expected_returned: int | None) -> None:
    """Raise OrderChanged if other units have come back so far, InvalidTransition if none can."""
    if expected_returned is not None:
        returned = sum(order.items.values_list("returned_quantity", flat=True))
        if returned != expected_returned:
            raise OrderChanged
    if order.status != OrderStatus.DELIVERED:
        message = _("Only delivered orders can be returned.")
        raise InvalidTransition(message, order_status=order.status)


def _returned_items(order: Order, returned: Mapping[int, ReturnedUnits]) -> list[OrderItem]:
    """Return the items of which units come back, with the new `returned_quantity`."""
    items = list(order.items.filter(product__in=returned).order_by("product_id"))
    if not items or len(items) != len(returned):
        raise ValidationError(_("Enter how many units came back."), code="required")
    for item in items:
        units = returned[item.product_id]
        kept = item.kept_quantity
        if min(units.put_back, units.write_off) < 0 or units.units > kept:
            message = _("The customer has %(kept)d × %(name)s, so at most that many can come back.")
            if not kept:
                message = _("No more units of %(name)s can come back.")
            names = {"kept": kept, "name": item.name}
            raise ValidationError(message % names, code="max_value")
        item.returned_quantity += units.units
    return items


def _add_credit(order: Order, value: Decimal, *, actor: User, reason: str) -> Payment:
    """Credit the value of what came back; the caller saves the order and the Payment.

    What was never paid lowers the revenue now, the rest when it is paid back. Earlier credits may
    have covered a part of the value already.
    """
    due = order.amount_due
    order.credited_amount += min(value, order.current_total)
    order.payment_status = settled_status(order)
    unpaid = due - order.amount_due
    return Payment(
        order=order,
        kind=Payment.Kind.CREDIT,
        credited_amount=unpaid,
        actor=actor,
        reason=reason,
    )


def _record_stock(
    order: Order, items: Sequence[OrderItem], returned: Mapping[int, ReturnedUnits], *, actor: User
) -> None:
    """Write for staff only how many units were put back and how many written off, if any."""
    details = "\n".join(_describe(item, returned[item.product_id]) for item in items)
    audit.log(actor, order, details)
    if any(returned[item.product_id].write_off for item in items):
        text = _("Stock of the returned items") + "\n" + details
        note = OrderEvent.Kind.NOTE
        record_event(order, actor=actor, kind=note, details=text, is_internal=True)


def _describe(item: OrderItem, returned: ReturnedUnits) -> str:
    return _("%(units)d × %(name)s: %(put_back)d put back, %(write_off)d written off") % {
        "units": returned.units,
        "name": item.name,
        "put_back": returned.put_back,
        "write_off": returned.write_off,
    }
