"""The steps that correct one order: its address and items, its tracking, notes and details."""

from functools import partial
from typing import Any

from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from shop import exposure, money
from shop.admin.base import staff_user
from shop.admin.concurrent_form import ConcurrentForm
from shop.admin.forms import TextField
from shop.admin.orders.edit_form import OrderEditForm
from shop.admin.orders.forms import StaffNoteForm, TrackingForm
from shop.admin.orders.phone_order_forms import build_form_field
from shop.admin.orders.steps import OrderSteps
from shop.models import Order, Product
from shop.services import order_details, order_edit, order_notes, shipments
from shop.services.errors import InsufficientStock, ProductUnavailable
from shop.services.order_edit import EDITED_FIELDS
from shop.services.shipments import Shipment

ADD_NOTE = _("Add note")
EDIT_DETAILS = _("Edit details")
EDIT_ORDER = _("Edit order")


def tracking_label(order: Order) -> str:
    """Return the label of the button that changes the tracking."""
    return gettext("Edit tracking") if order.tracking_number else gettext("Add tracking")


def format_edit(before: Order, after: Order) -> str:
    """Say what an edit did to the order's total, and what is owed since."""
    if before.updated_at == after.updated_at:
        return gettext("Nothing was changed in order %(order)s.") % {"order": after}
    sentences = [gettext("Order %(order)s was changed.") % {"order": after}]
    if before.total_amount != after.total_amount:
        total = money.format_money(after.total_amount, after.currency)
        sentences.append(gettext("New total: %(total)s.") % {"total": total})
        owed = money.format_money(abs(after.balance), after.currency)
        if after.amount_due:
            sentences.append(gettext("%(amount)s still due.") % {"amount": owed})
        elif after.refund_due:
            sentences.append(gettext("%(amount)s to refund.") % {"amount": owed})
    return " ".join(sentences)


class OrderEdits(OrderSteps):
    """The views that correct an order."""

    def edit_order(self, request: HttpRequest, order: Order) -> HttpResponse:
        """Show address, note and items, and save what was changed."""
        items = list(order.items.all())
        text_fields = {
            name: build_form_field(self, request, name, form_class=TextField)
            for name in EDITED_FIELDS
        }
        product_admin = self.admin_site.get_model_admin(Product)
        form_class = partial(
            OrderEditForm,
            order=order,
            items=items,
            text_fields=text_fields,
            can_add=product_admin.has_view_permission(request),
        )
        return self.step_view(
            request,
            order,
            items=items,
            template="edit",
            form_class=form_class,
            title=gettext("Edit order %(order)s") % {"order": order},
            refusal="" if order.can_be_edited else order_edit.describe_refusal(order),
            button=gettext("Save order"),
            warn_unsaved=True,
            perform=partial(self._edit_order, request, order),
        )

    def _edit_order(self, request: HttpRequest, order: Order, form: OrderEditForm) -> str:
        form.check_unchanged()
        try:
            edited = order_edit.edit_order(
                order_id=order.pk,
                changes=form.changes(),
                actor=staff_user(request),
                reason=form.cleaned_data["reason"],
                notify=form.cleaned_data["notify"],
                expected_version=form.current,
            )
        except (InsufficientStock, ProductUnavailable) as error:
            form.show_refused_items(error)
            raise
        return format_edit(order, edited)

    def edit_tracking(self, request: HttpRequest, order: Order) -> HttpResponse:
        """Ask for carrier and tracking number of an order that was shipped, and save them."""

        def perform(form: TrackingForm) -> str:
            form.check_unchanged()
            values = form.cleaned_data
            shipments.edit_tracking(
                order_id=order.pk,
                shipment=Shipment(values["carrier"], values["tracking_number"]),
                actor=staff_user(request),
                notify=values["notify"],
                expected=Shipment(order.carrier, order.tracking_number),
            )
            return gettext("The tracking of order %(order)s was saved.") % {"order": order}

        return self.step_view(
            request,
            order,
            form_class=partial(TrackingForm, order=order),
            title=gettext("Tracking of order %(order)s") % {"order": order},
            refusal="" if order.shipped_at else gettext("This order hasn't been shipped."),
            button=gettext("Save tracking"),
            warn_unsaved=True,
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

        return self.step_view(
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
        return self.step_view(
            request,
            order,
            form_class=lambda data: form_class(data, request.FILES or None, instance=order),
            title=gettext("Details of order %(order)s") % {"order": order},
            button=gettext("Save details"),
            warn_unsaved=True,
            perform=perform,
        )
