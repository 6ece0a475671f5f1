"""What is done to one order: the buttons on its page."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from shop import money
from shop.admin.base import ActionFormAdmin, staff_user
from shop.admin.forms import CancelForm, ConfirmForm, NoteForm, ShipForm, StaffNoteForm
from shop.admin.orders.actions import OrderActions
from shop.documents import order_documents
from shop.models import Order
from shop.models.order_status import OrderStatus, PaymentStatus, Text
from shop.services import orders
from shop.services.orders import Shipment

REFUSED = _("Refused on delivery")
MARK_PAID = PaymentStatus.PAID.facts.action


class OrderViews(ActionFormAdmin, OrderActions):
    """The page's buttons, as `Order.FLOW` allows them."""

    action_views = {  # noqa: RUF012
        "move/<str:to>": "move",
        "paid": "mark_paid",
        "note": "add_note",
        "print/<str:what>": "print_one",
    }
    action_permission = "change_order"

    def buttons(self, order: Order) -> list[dict[str, Text]]:
        """The next step first, as data: label, address, and whether it is the one, another or the way out."""
        buttons = [
            {
                "label": self._action_label(order, to),
                "address": reverse("admin:shop_order_move", args=[order.pk, to]),
                "kind": "danger" if to == OrderStatus.CANCELLED else "primary",
            }
            for to in order.next_statuses(by_staff=True)
        ]
        more = {"mark_paid": MARK_PAID} if order.awaits_payment else {}
        for name, label in (more | {"add_note": _("Add note")}).items():
            address = reverse(f"admin:shop_order_{name}", args=[order.pk])
            buttons.append({"label": label, "address": address, "kind": "default"})
        for what in order_documents.KINDS:
            address = reverse("admin:shop_order_print_one", args=[order.pk, what])
            buttons.append({"label": what.capitalize(), "address": address, "kind": "default"})
        return sorted(buttons, key=lambda button: button["kind"] == "danger")

    def _action_label(self, order: Order, to: str) -> Text:
        is_refused = order.status == OrderStatus.SHIPPED and to == OrderStatus.CANCELLED
        return REFUSED if is_refused else OrderStatus(to).facts.action

    def move(self, request: HttpRequest, order: Order, to: str) -> HttpResponse:
        """Ask, then take one step of `Order.FLOW`; the service looks again at where the order is by then."""
        if to not in OrderStatus.values or not OrderStatus(to).facts.action:
            raise Http404
        status = OrderStatus(to)
        verb = self._action_label(order, status)
        forms: dict[OrderStatus, Callable[[Any], Any]] = {
            OrderStatus.SHIPPED: ShipForm,
            OrderStatus.CANCELLED: partial(
                CancelForm,
                items=list(order.items.all()),
                note=f"{REFUSED}." if verb == REFUSED else "",
            ),
        }

        def move(form: Any) -> str:
            values = form.cleaned_data
            shipment = Shipment(values.get("carrier", ""), values.get("tracking_number", ""))
            orders.move_order(
                order_id=order.pk,
                to=status,
                actor=staff_user(request),
                by_staff=True,
                note=values["note"],
                shipment=shipment,
                written_off=values.get("lost", ()),
            )
            return f"Order {order} is {status.label.lower()} now."

        return self.action_form_view(
            request,
            order,
            form_class=forms.get(status, NoteForm),
            title=f"{verb}: {order}",
            hint=f"It is {order.get_status_display().lower()} now.",
            button=verb,
            perform=move,
        )

    def mark_paid(self, request: HttpRequest, order: Order) -> HttpResponse:
        """Ask, then note that the money has arrived."""

        def mark(_form: ConfirmForm) -> str:
            orders.mark_paid(order_id=order.pk, actor=staff_user(request))
            return f"Order {order} is paid now."

        return self.action_form_view(
            request,
            order,
            form_class=ConfirmForm,
            title=f"Mark {order} as paid?",
            hint=f"{money.format_money(order.total_amount)} by {order.get_payment_method_display().lower()}.",
            button=MARK_PAID,
            perform=mark,
        )

    def add_note(self, request: HttpRequest, order: Order) -> HttpResponse:
        """Write into the order's story, for staff or for the customer too."""

        def note(form: StaffNoteForm) -> str:
            values = form.cleaned_data
            orders.add_note(
                order_id=order.pk,
                actor=staff_user(request),
                note=values["note"],
                is_internal=not values["is_public"],
            )
            return "The note was added."

        return self.action_form_view(
            request,
            order,
            form_class=StaffNoteForm,
            title=f"Note on {order}",
            button="Add note",
            perform=note,
        )

    def print_one(self, request: HttpRequest, order: Order, what: str) -> HttpResponse:
        """Ask, then print one order's sheet or give it as PDF."""
        if what not in order_documents.KINDS:
            raise Http404
        if request.method == "POST":
            return self.print_sheets(request, Order.objects.filter(pk=order.pk), what)
        return self.action_form_view(
            request,
            order,
            form_class=ConfirmForm,
            title=f"{what.capitalize()} of {order}",
            hint="Printing is noted in the timeline; the status stays as it is.",
            button=f"Print {what}",
            second_button=("pdf", "Download PDF"),
            perform=str,
        )
