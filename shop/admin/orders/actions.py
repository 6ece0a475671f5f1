"""List actions that change many orders: each asks first, on one kind of page."""

from collections.abc import Callable
from copy import copy
from functools import partial

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from shop.admin.action_form import add_service_error, render_action_form
from shop.admin.base import FORM_KEY_FIELD, action_fields, form_key, run_form_once, staff_user
from shop.admin.orders import bulk_messages
from shop.admin.orders.bulk_forms import BulkForm, BulkShipForm
from shop.admin.orders.bulk_rows import order_rows
from shop.admin.orders.bulk_selection import VERSION_FIELD, Selection, selected_orders
from shop.admin.orders.bulk_steps import BULK_STEPS, BulkStep
from shop.admin.orders.printing import PRINT_TEXTS, PrintingAdmin, bulk_print_action
from shop.admin.rendering import render_email
from shop.documents.emails import preview_email
from shop.models import Order
from shop.services.errors import OrderChanged, ShopError
from shop.services.shipments import assign_shipments

type BulkAction = Callable[
    ["OrderActions", HttpRequest, models.QuerySet[Order]], HttpResponse | None
]


def bulk_action(step: BulkStep) -> BulkAction:
    """Return the list action of a step."""

    @admin.action(description=step.label, permissions=[step.permission])  # type: ignore[arg-type]
    def run(
        model_admin: "OrderActions", request: HttpRequest, selected: models.QuerySet[Order]
    ) -> HttpResponse | None:
        return model_admin.run_bulk_step(request, selected, step)

    run.__name__ = step.name
    return run


class OrderActions(PrintingAdmin):
    """The actions of the order list."""

    actions = (
        *map(bulk_action, BULK_STEPS),
        *map(bulk_print_action, PRINT_TEXTS),
        "export_selected",
    )

    # Django looks for these by the names in `permissions=`.
    def has_change_order_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may confirm, cancel and mark as paid, and print invoices."""
        return bool(request.user.has_perm("shop.change_order"))

    def has_fulfil_order_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may ship and deliver, and print packing slips."""
        return bool(request.user.has_perm("shop.fulfil_order"))

    def run_bulk_step(
        self, request: HttpRequest, listed: models.QuerySet[Order], step: BulkStep
    ) -> HttpResponse | None:
        """Show what the step will do to the selected orders; once that is confirmed, do it.

        What has changed since the page was shown is shown again before anything is done.
        """
        selection = Selection(step, selected_orders(request, listed))
        if self._is_too_many(request, selection):
            return None
        is_submitted = FORM_KEY_FIELD in request.POST
        form = step.form_class(
            request.POST if is_submitted else None,
            orders=selection.listed,
            count=selection.total.count,
            has_email=bool(step.email),
        )
        if form.is_valid():
            try:
                work = partial(self._perform, request, selection, form)
                run_form_once(request, work, is_html=True)
            except (ShopError, ValidationError) as error:
                add_service_error(form, error)
            else:
                return None
        if not selection.total.count:
            messages.warning(request, bulk_messages.nothing_ready_text(selection))
            return None
        return self._bulk_page(request, selection, form)

    def _is_too_many(self, request: HttpRequest, selection: Selection) -> bool:
        """Return whether the page can't show that many orders, and say so."""
        maximum, count = selection.step.max_orders, selection.total.count
        is_too_many = 0 < maximum < count
        if is_too_many:
            message = _("Select at most %(max)s orders at a time. You selected %(count)s.")
            messages.error(request, message % {"max": f"{maximum:,}", "count": f"{count:,}"})
        return is_too_many

    def _perform(self, request: HttpRequest, selection: Selection, form: BulkForm) -> str:
        """Change the orders that the page showed; return the message. Raises OrderChanged."""
        if request.POST.get(VERSION_FIELD, selection.version) != selection.version:
            raise OrderChanged(
                _("Some of these orders have changed since you opened this page. Check them again.")
            )
        pks = list(selection.ready.values_list("pk", flat=True))
        changed, refused = selection.step.perform(pks, staff_user(request), form)
        notify = form.cleaned_data.get("notify", False)
        return bulk_messages.result_text(selection, changed, refused, notify=notify)

    def _bulk_page(
        self, request: HttpRequest, selection: Selection, form: BulkForm
    ) -> HttpResponse:
        step, total = selection.step, selection.total
        title = total.describe(step.texts.title, **step.names)
        return render_action_form(
            request,
            self,
            form=form,
            title=title,
            button=title,
            button_kind=step.button_kind,
            hint=step.texts.hint,
            back_url=request.get_full_path(),
            hidden=[*action_fields(request), form_key(), (VERSION_FIELD, selection.version)],
            template="admin/shop/order/bulk_action.html",
            summary=bulk_messages.summary(selection),
            others=bulk_messages.others_text(selection),
            rows=order_rows(selection.listed, form),
            unlisted=bulk_messages.unlisted_text(selection),
            asks_parcels=isinstance(form, BulkShipForm),
            email=_render_preview(selection, form),
            email_label=bulk_messages.email_label(total.count),
        )


def _render_preview(selection: Selection, form: BulkForm) -> str:
    """Return the email that the customer of the first listed order gets; empty without one."""
    if not selection.step.email:
        return ""
    order = copy(selection.listed[0])
    assign_shipments([order], {order.pk: form.example_shipment(order)})
    note = getattr(form, "cleaned_data", {}).get("note", "")
    return render_email(preview_email(order, selection.step.email, note=note))
