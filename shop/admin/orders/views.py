"""The steps on one order: their views, their permissions and the buttons that lead to them."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from shop import exposure
from shop.admin.action_form import ButtonKind
from shop.admin.orders.actions import OrderActions
from shop.admin.orders.edit_views import (
    ADD_NOTE,
    EDIT_DETAILS,
    EDIT_ORDER,
    OrderEdits,
    tracking_label,
)
from shop.admin.orders.money_views import (
    MARK_PAID,
    TAKE_RETURN,
    OrderMoney,
    can_be_refunded,
    can_be_returned,
    refund_label,
)
from shop.admin.orders.move_views import OrderMoves, button_kind, move_label
from shop.admin.orders.printing import PRINT_TEXTS
from shop.models import Order
from shop.models.order_status import OrderStatus, Text

#: A button's label, its view with further arguments, how it looks, and its permission if that
#: depends on the arguments.
type Step = tuple[Text, tuple[str, ...], ButtonKind, str]


class OrderViews(OrderMoves, OrderMoney, OrderEdits, OrderActions):
    """The buttons of an order's page, as the table of statuses allows them, and their views."""

    action_views = {  # noqa: RUF012
        "move/<str:to>": "move",
        "edit": "edit_order",
        "tracking": "edit_tracking",
        "paid": "mark_paid",
        "refund": "refund",
        "return": "return_items",
        "note": "add_note",
        "print/<str:what>": "print_document",
        **({"details": "edit_details"} if exposure.staff_writable_fields(Order) else {}),
    }
    action_permission = "change_order"
    #: `move` and `print_document` ask for the permission that their argument takes.
    view_permissions = {  # noqa: RUF012
        "move": "view_order",
        "print_document": "view_order",
        "edit_order": "edit_order",
        "edit_tracking": "fulfil_order",
        "refund": "refund_order",
        "return_items": "refund_order",
    }

    def buttons(self, request: HttpRequest, order: Order) -> list[dict[str, Any]]:
        """Return the buttons that the user may press, as `label`, `url` and `kind`.

        The one next step comes first and is the primary one, red ones come last; but a cancelled
        order whose money is due waits for its refund.
        """
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        buttons = [
            {"label": label, "url": reverse(f"{page}_{view}", args=[order.pk, *args]), "kind": kind}
            for label, (view, *args), kind, permission in self._steps(order)
            if request.user.has_perm(f"shop.{permission or self._permission_of(view)}")
        ]
        awaits_refund = order.status == OrderStatus.CANCELLED and order.refund_due
        return sorted(buttons, key=lambda button: button["kind"] == "danger" and not awaits_refund)

    def _permission_of(self, view: str) -> str:
        return self.view_permissions.get(view, self.action_permission)

    def _steps(self, order: Order) -> Iterator[Step]:
        """Yield the steps that the order allows."""
        kind: ButtonKind = "primary"
        for status in map(OrderStatus, order.next_statuses(by_staff=True)):
            is_red = button_kind(status) == "danger"
            label, permission = move_label(order, status), status.facts.permission
            yield label, ("move", status), "danger" if is_red else kind, permission
            kind = kind if is_red else "default"
        if order.awaits_payment:
            yield MARK_PAID, ("mark_paid",), kind, ""
        if can_be_refunded(order):
            yield refund_label(order), ("refund",), "danger", ""
        if order.can_be_edited:
            yield EDIT_ORDER, ("edit_order",), "default", ""
        if order.shipped_at and order.status != OrderStatus.CANCELLED:
            yield tracking_label(order), ("edit_tracking",), "default", ""
        if can_be_returned(order):
            yield TAKE_RETURN, ("return_items",), "default", ""
        yield ADD_NOTE, ("add_note",), "default", ""
        if "edit_details" in self.action_views.values():
            yield EDIT_DETAILS, ("edit_details",), "default", ""
        if order.status == OrderStatus.CANCELLED and not order.invoices.exists():
            return
        for document, texts in PRINT_TEXTS.items():
            yield texts.action, ("print_document", document), "default", texts.permission
