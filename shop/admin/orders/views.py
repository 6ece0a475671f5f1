"""The actions on one order: the buttons of its page and the forms that they open."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.forms import modelform_factory
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from shop import exposure, money
from shop.admin.action_form import ButtonKind
from shop.admin.base import staff_user
from shop.admin.concurrent_form import ConcurrentForm
from shop.admin.forms import ConfirmForm
from shop.admin.orders.actions import OrderActions
from shop.admin.orders.forms import CancelForm, MoveForm, ShipForm, StaffNoteForm
from shop.admin.orders.printing import PRINT_TEXTS, PrintingAdmin
from shop.models import Order, OrderItem
from shop.models.order_status import OrderStatus, PaymentStatus, Text
from shop.services import order_details, order_moves, order_notes, order_payments
from shop.services.shipments import Shipment

BOOK_AS_REFUSED = _("Book as refused")
ADD_NOTE = _("Add note")
EDIT_DETAILS = _("Edit details")
MARK_PAID = PaymentStatus.PAID.facts.action


def is_refusal(order: Order, to: str) -> bool:
    """Return whether cancelling now means that the customer refused the delivery."""
    return order.status == OrderStatus.SHIPPED and to == OrderStatus.CANCELLED


def move_label(order: Order, to: OrderStatus) -> Text:
    """Return the label of the button that moves this order to a status."""
    return BOOK_AS_REFUSED if is_refusal(order, to) else to.facts.action


def button_kind(to: str) -> ButtonKind:
    """Return how the button that moves an order looks: red if it can't be undone."""
    return "danger" if to == OrderStatus.CANCELLED else "primary"


def format_cancellation(order: Order, items: list[OrderItem], lost: list[int]) -> str:
    """Say how many units of a cancelled order are back in stock and how many are written off."""
    written_off = sum(item.quantity for item in items if item.product_id in lost)
    returned = sum(item.quantity for item in items) - written_off
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
    return message % {"order": order, "returned": returned, "written_off": written_off}


class OrderViews(PrintingAdmin, OrderActions):
    """The buttons of an order's page, as the table of statuses allows them, and their views."""

    action_views = {  # noqa: RUF012
        "move/<str:to>": "move",
        "paid": "mark_paid",
        "note": "add_note",
        "print/<str:what>": "print_document",
        **({"details": "edit_details"} if exposure.staff_writable_fields(Order) else {}),
    }
    action_permission = "change_order"

    def buttons(self, order: Order) -> list[dict[str, Text]]:
        """Return the buttons as `label`, `url` and `kind`: the next status first, red ones last."""
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        buttons: list[dict[str, Text]] = []

        def add(label: Text, view: str, *args: str, kind: ButtonKind = "default") -> None:
            url = reverse(f"{page}_{view}", args=[order.pk, *args])
            buttons.append({"label": label, "url": url, "kind": kind})

        for status in map(OrderStatus, order.next_statuses(by_staff=True)):
            add(move_label(order, status), "move", status, kind=button_kind(status))
        if order.awaits_payment:
            add(MARK_PAID, "mark_paid")
        add(ADD_NOTE, "add_note")
        if "details" in self.action_views:
            add(EDIT_DETAILS, "edit_details")
        for document, texts in PRINT_TEXTS.items():
            add(texts.action, "print_document", document)
        return sorted(buttons, key=lambda button: button["kind"] == "danger")

    def move(self, request: HttpRequest, order: Order, to: str) -> HttpResponse:
        """Ask, then move the order to a status; the service checks again that it may go there."""
        if to not in OrderStatus.values or not OrderStatus(to).facts.action:
            raise Http404
        status, items = OrderStatus(to), list(order.items.all())
        label = move_label(order, status)
        note = gettext("Refused on delivery.") if is_refusal(order, to) else ""
        form_classes: dict[OrderStatus, Callable[[Any], Any]] = {
            OrderStatus.SHIPPED: ShipForm,
            OrderStatus.CANCELLED: partial(CancelForm, items=items, note=note),
        }
        return self.action_form_view(
            request,
            order,
            form_class=form_classes.get(status, MoveForm),
            title=gettext("%(action)s: %(order)s") % {"action": label, "order": order},
            hint=gettext("Current status: %(status)s.")
            % {"status": order.get_status_display().lower()},
            button=label,
            button_kind=button_kind(to),
            perform=partial(self._move, request, order, items, status),
        )

    def _move(
        self,
        request: HttpRequest,
        order: Order,
        items: list[OrderItem],
        status: OrderStatus,
        form: Any,
    ) -> str:
        values = form.cleaned_data
        order_moves.move_order(
            order_id=order.pk,
            to=status,
            actor=staff_user(request),
            by_staff=True,
            note=values["note"],
            shipment=Shipment(values.get("carrier", ""), values.get("tracking_number", "")),
            written_off={
                item.product_id: item.quantity
                for item in items
                if item.product_id in values.get("written_off", ())
            },
        )
        if status == OrderStatus.CANCELLED:
            return format_cancellation(order, items, values["written_off"])
        return gettext("Order %(order)s is now %(status)s.") % {
            "order": order,
            "status": str(status.label).lower(),
        }

    def mark_paid(self, request: HttpRequest, order: Order) -> HttpResponse:
        """Ask, then mark the order as paid."""

        def perform(_form: ConfirmForm) -> str:
            order_payments.mark_paid(order_id=order.pk, actor=staff_user(request))
            return gettext("Order %(order)s was marked as paid.") % {"order": order}

        return self.action_form_view(
            request,
            order,
            form_class=ConfirmForm,
            title=gettext("Mark order %(order)s as paid?") % {"order": order},
            hint=gettext("%(total)s, %(payment_method)s.")
            % {
                "total": money.format_money(order.total_amount),
                "payment_method": order.get_payment_method_display().lower(),
            },
            button=MARK_PAID,
            perform=perform,
        )

    def add_note(self, request: HttpRequest, order: Order) -> HttpResponse:
        """Ask for a note and add it to the order's timeline, for staff or for the customer too."""

        def perform(form: StaffNoteForm) -> str:
            values = form.cleaned_data
            order_notes.add_note(
                order_id=order.pk,
                actor=staff_user(request),
                note=values["note"],
                is_internal=not values["is_public"],
            )
            return gettext("The note was added to order %(order)s.") % {"order": order}

        return self.action_form_view(
            request,
            order,
            form_class=StaffNoteForm,
            title=gettext("Note on order %(order)s") % {"order": order},
            button=ADD_NOTE,
            perform=perform,
        )

    def edit_details(self, request: HttpRequest, order: Order) -> HttpResponse:
        """Ask for the fields that staff write, and save those that were changed."""

        def perform(form: ConcurrentForm) -> str:
            order_details.change_order_details(
                order_id=order.pk,
                actor=staff_user(request),
                changes=form.submitted_values(only_changed=True),
                check=form.check_unchanged,
            )
            return gettext("The details of order %(order)s were saved.") % {"order": order}

        form_class: Any = modelform_factory(
            Order,
            form=ConcurrentForm,
            fields=exposure.staff_writable_fields(Order),
            formfield_callback=partial(self.formfield_for_dbfield, request=request),
        )
        return self.action_form_view(
            request,
            order,
            form_class=lambda data: form_class(data, request.FILES or None, instance=order),
            title=gettext("Details of order %(order)s") % {"order": order},
            button=gettext("Save details"),
            perform=perform,
        )
