"""The steps that move one order to another status."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from shop import money
from shop.admin.action_form import ButtonKind
from shop.admin.base import staff_user
from shop.admin.orders.forms import MailedMoveForm, MoveForm, ShipForm
from shop.admin.orders.steps import OrderSteps
from shop.admin.orders.unit_forms import CancelForm
from shop.models import Order, OrderItem
from shop.models.order_status import OrderStatus, Text
from shop.services import order_moves, payments
from shop.services.order_edit import edit_version
from shop.services.shipments import Shipment

BOOK_AS_REFUSED = _("Book as refused")


def is_refusal(order: Order, to: str) -> bool:
    """Return whether cancelling now means that the customer refused the delivery."""
    return order.status == OrderStatus.SHIPPED and to == OrderStatus.CANCELLED


def move_label(order: Order, to: OrderStatus) -> Text:
    """Return the label of the button that moves this order to a status."""
    return BOOK_AS_REFUSED if is_refusal(order, to) else to.facts.action


def button_kind(to: str) -> ButtonKind:
    """Return how the button that moves an order looks: red if it can't be undone."""
    return "danger" if to == OrderStatus.CANCELLED else "primary"


def describe_effect(order: Order, to: str) -> str:
    """Say what the move does to the order's money; empty if nothing."""
    if to != OrderStatus.CANCELLED and order.total_amount and not order.current_total:
        return gettext("This order was refunded in full.")
    if payments.is_paid_on_arrival(order, to):
        amount = money.format_money(order.amount_due, order.currency)
        return gettext("%(amount)s in cash will be marked as paid.") % {"amount": amount}
    if to == OrderStatus.CANCELLED and order.received_amount:
        amount = money.format_money(order.received_amount, order.currency)
        return gettext("%(amount)s will be due as a refund.") % {"amount": amount}
    return ""


def format_refund_due(order: Order) -> str:
    """Say what is due as a refund; empty if nothing."""
    if not order.refund_due:
        return ""
    amount = money.format_money(order.refund_due, order.currency)
    return gettext("%(amount)s is now due as a refund.") % {"amount": amount}


def format_cancellation(order: Order, written_off: int, units: int) -> str:
    """Say how many units of a cancelled order are back in stock and how many are written off."""
    returned = units - written_off
    if written_off:
        message = ngettext(
            "Order %(order)s was cancelled."
            " %(returned)d unit back in stock, %(written_off)d written off.",
            "Order %(order)s was cancelled."
            " %(returned)d units back in stock, %(written_off)d written off.",
            returned,
        )
    else:
        message = ngettext(
            "Order %(order)s was cancelled. %(returned)d unit back in stock.",
            "Order %(order)s was cancelled. %(returned)d units back in stock.",
            returned,
        )
    message %= {"order": order, "returned": returned, "written_off": written_off}
    return " ".join(filter(None, [message, format_refund_due(order)]))


class OrderMoves(OrderSteps):
    """The view that moves an order."""

    def move(self, request: HttpRequest, order: Order, to: str) -> HttpResponse:
        """Ask, then move the order to a status; the service checks again that it may go there."""
        if to not in OrderStatus.values or not OrderStatus(to).facts.action:
            raise Http404
        status, items = OrderStatus(to), list(order.items.all())
        if not request.user.has_perm(f"shop.{status.facts.permission}"):
            raise PermissionDenied
        label = move_label(order, status)
        return self.step_view(
            request,
            order,
            items=items,
            template="units" if status == OrderStatus.CANCELLED else "step",
            form_class=self._move_form(order, status, items),
            title=gettext("%(action)s: %(order)s") % {"action": label, "order": order},
            hint=describe_effect(order, to),
            button=label,
            button_kind=button_kind(to),
            perform=partial(self._move, request, order, status),
        )

    def _move_form(
        self, order: Order, status: OrderStatus, items: Sequence[OrderItem]
    ) -> Callable[[Any], Any]:
        version = edit_version(order, items)
        if status == OrderStatus.SHIPPED:
            return partial(ShipForm, current=version)
        if status == OrderStatus.CANCELLED:
            note = gettext("Refused on delivery.") if is_refusal(order, status) else ""
            return partial(CancelForm, items=items, note=note, current=version)
        return partial(MailedMoveForm if status.facts.email else MoveForm, current=version)

    def _move(self, request: HttpRequest, order: Order, status: OrderStatus, form: Any) -> str:
        form.check_unchanged()
        values = form.cleaned_data
        is_cancellation = status == OrderStatus.CANCELLED
        if is_cancellation:
            form.check_units()
        returned = form.units() if is_cancellation else {}
        moved = order_moves.move_order(
            order_id=order.pk,
            to=status,
            actor=staff_user(request),
            by_staff=True,
            note=values["note"],
            shipment=Shipment(values.get("carrier", ""), values.get("tracking_number", "")),
            written_off={product: units.write_off for product, units in returned.items()},
            notify=values.get("notify", False),
            expected_version=form.current,
        )
        if is_cancellation:
            written_off = sum(units.write_off for units in returned.values())
            total = sum(units.units for units in returned.values())
            return format_cancellation(moved, written_off, total)
        return gettext("Order %(order)s is now %(status)s.") % {
            "order": order,
            "status": str(status.label).lower(),
        }
