"""List actions that move many orders to a status; each order is checked on its own."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from shop.admin.action_form import render_action_form
from shop.admin.base import action_fields, staff_user
from shop.admin.orders.forms import CancelManyForm
from shop.admin.orders.printing import PRINT_TEXTS, bulk_print_action
from shop.models import Order
from shop.models.order_status import OrderStatus
from shop.services import order_moves
from shop.services.errors import ShopError, StockLimitReached
from shop.services.order_moves import BulkMoveResult

BULK_STATUSES = [status for status in OrderStatus if status.facts.bulk_action]
MAX_NAMED_ORDERS = 20

type BulkMoveAction = Callable[
    ["OrderActions", HttpRequest, models.QuerySet[Order]], HttpResponse | None
]


def bulk_move_action(to: OrderStatus) -> BulkMoveAction:
    """Return the list action that moves the selected orders to a status."""

    @admin.action(description=to.facts.bulk_action, permissions=["action"])  # type: ignore[arg-type]
    def run(
        model_admin: "OrderActions", request: HttpRequest, selected: models.QuerySet[Order]
    ) -> HttpResponse | None:
        return model_admin.move_selected(request, selected, to)

    run.__name__ = f"move_to_{to}"
    return run


def format_bulk_result(result: BulkMoveResult, to: OrderStatus) -> str:
    """Say how many orders were moved, and name up to MAX_NAMED_ORDERS of those that were not."""
    moved, unchanged = len(result.moved), len(result.refused)
    sentences = []
    if moved and to == OrderStatus.CANCELLED:
        sentences.append(
            ngettext(
                "%(count)d order was cancelled. Its items are back in stock.",
                "%(count)d orders were cancelled. Their items are back in stock.",
                moved,
            )
            % {"count": moved}
        )
    elif moved:
        sentences.append(
            ngettext(
                "%(count)d order is now %(status)s.", "%(count)d orders are now %(status)s.", moved
            )
            % {"count": moved, "status": str(to.label).lower()}
        )
    if unchanged:
        sentences.append(
            ngettext(
                "%(count)d order was not changed: %(orders)s.",
                "%(count)d orders were not changed: %(orders)s.",
                unchanged,
            )
            % {"count": unchanged, "orders": _format_unchanged(result)}
        )
    return " ".join(sentences)


def _format_unchanged(result: BulkMoveResult) -> str:
    named = []
    for order, error in result.refused[:MAX_NAMED_ORDERS]:
        is_over_limit = isinstance(error, StockLimitReached)
        reason = _("stock limit") if is_over_limit else order.get_status_display().lower()
        named.append(f"{order} ({reason})")
    if len(result.refused) > len(named):
        named.append("…")
    return ", ".join(named)


class OrderActions(ModelAdmin):  # type: ignore[misc]
    """The actions of the order list."""

    actions = (
        *map(bulk_move_action, BULK_STATUSES),
        *map(bulk_print_action, PRINT_TEXTS),
        "export_selected",
    )

    def move_selected(
        self, request: HttpRequest, selected: models.QuerySet[Order], to: OrderStatus
    ) -> HttpResponse | None:
        """Move every order that may go to `to` and report the others; ask before cancelling."""
        note = ""
        if to == OrderStatus.CANCELLED:
            form = CancelManyForm(request.POST if "note" in request.POST else None)
            if not form.is_valid():
                return self._ask_reason(request, selected.count(), form)
            note = form.cleaned_data["note"]
        pks = list(selected.values_list("pk", flat=True))
        try:
            result = order_moves.move_orders(
                order_ids=pks, to=to, actor=staff_user(request), note=note
            )
        except ShopError as error:  # another request changed the stock meanwhile
            messages.error(request, str(error))
            return None
        level = messages.SUCCESS if result.moved else messages.WARNING
        messages.add_message(request, level, format_bulk_result(result, to))
        return None

    def _ask_reason(self, request: HttpRequest, count: int, form: CancelManyForm) -> HttpResponse:
        title = ngettext("Cancel %(count)d order?", "Cancel %(count)d orders?", count)
        button = ngettext("Cancel %(count)d order", "Cancel %(count)d orders", count)
        return render_action_form(
            request,
            self,
            form=form,
            title=title % {"count": count},
            button=button % {"count": count},
            button_kind="danger",
            back_url=request.get_full_path(),
            hidden=action_fields(request),
        )
