"""What is done to many orders at once: moved, each guarded by itself, and printed."""

from collections import Counter
from collections.abc import Callable

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin

from shop.admin.base import action_fields, staff_user
from shop.admin.forms import ReasonForm
from shop.documents import order_documents, pdf
from shop.models import Order
from shop.models.order_status import OrderStatus
from shop.services import orders
from shop.services.orders import BulkMoveResult

BULK_TARGETS = [status for status in OrderStatus if status.facts.bulk_action]
NAMED_AT_MOST = 20

type Bulk = Callable[["OrderActions", HttpRequest, models.QuerySet[Order]], HttpResponse | None]


def bulk_move_action(to: OrderStatus) -> Bulk:
    """The list's action that moves all selected orders there."""

    @admin.action(description=to.facts.bulk_action, permissions=["action"])  # type: ignore[arg-type]
    def run(
        screen: "OrderActions", request: HttpRequest, selected: models.QuerySet[Order]
    ) -> HttpResponse | None:
        return screen.move_selected(request, selected, to)

    run.__name__ = f"move_to_{to}"
    return run


def bulk_print_action(what: str) -> Bulk:
    """The list's action that prints a sheet for each selected order."""

    @admin.action(description=f"Print {what}s", permissions=["action"])
    def run(
        screen: "OrderActions", request: HttpRequest, selected: models.QuerySet[Order]
    ) -> HttpResponse | None:
        try:
            return screen.print_sheets(request, selected, what)
        except ValidationError as error:
            messages.error(request, error.message)
            return None

    run.__name__ = print_action_name(what)
    return run


def print_action_name(what: str) -> str:
    """The name of the list's action: `print_packing_slips`."""
    return f"print_{what.replace(' ', '_')}s"


def format_result(result: BulkMoveResult, to: OrderStatus) -> str:
    """`96 shipped, 3 already shipped, 1 cancelled`, then the orders that were left, with the reason."""
    parts = [f"{len(result.moved)} {to.label.lower()}"]
    for status, count in Counter(order.status for order, _ in result.refused).items():
        already = "already " if status == to else ""
        parts.append(f"{count} {already}{OrderStatus(status).label.lower()}")
    named = [reason for _, reason in result.refused[:NAMED_AT_MOST]]
    more = len(result.refused) - len(named)
    left = [*named, f"And {more} more."] if more else named
    return " ".join([", ".join(parts) + ".", *left])


class OrderActions(ModelAdmin):  # type: ignore[misc]
    """The list's actions."""

    actions = (
        *map(bulk_move_action, BULK_TARGETS),
        *map(bulk_print_action, order_documents.KINDS),
        "export_selected",
    )

    def print_sheets(
        self, request: HttpRequest, chosen: models.QuerySet[Order], what: str
    ) -> HttpResponse:
        """A sheet for each order, in one print job or one PDF; raises ValidationError for too many.

        It is noted before it is made: better noted twice than a document that nobody knows of.
        """
        as_pdf = "pdf" in request.POST
        stories = orders.record_printing(
            order_ids=list(chosen.values_list("pk", flat=True)[: orders.MAX_PRINTED_ORDERS + 1]),
            actor=staff_user(request),
            what=f"{what.capitalize()} {'downloaded as PDF' if as_pdf else 'printed'}",
        )
        sheets = [
            order_documents.build_document(what, story.order, story.items) for story in stories
        ]
        printed = [story.order for story in stories]
        if as_pdf:
            name = order_documents.pdf_file_name(what, printed)
            return HttpResponse(
                pdf.render_pdf(name.removesuffix(".pdf"), sheets),
                content_type="application/pdf",
                headers={"Content-Disposition": f'attachment; filename="{name}"'},
            )
        context = self.admin_site.each_context(request) | {
            "title": f"{len(sheets)} {what}{'' if len(sheets) == 1 else 's'}",
            "sheets": sheets,
            "hidden": [
                ("action", print_action_name(what)),
                *((ACTION_CHECKBOX_NAME, order.pk) for order in printed),
            ],
            "back": reverse("admin:shop_order_change", args=[printed[0].pk])
            if len(printed) == 1
            else reverse("admin:shop_order_changelist"),
        }
        return TemplateResponse(request, "documents/print.html", context)

    def move_selected(
        self, request: HttpRequest, selected: models.QuerySet[Order], to: OrderStatus
    ) -> HttpResponse | None:
        """Move each that can go and say what happened; cancelling asks for a reason first."""
        form = ReasonForm(request.POST if "note" in request.POST else None)
        if to == OrderStatus.CANCELLED and not form.is_valid():
            return self._ask_reason(request, selected, form)
        note = form.cleaned_data["note"] if form.is_bound else ""
        pks = list(selected.values_list("pk", flat=True))
        result = orders.move_orders(order_ids=pks, to=to, actor=staff_user(request), note=note)
        level = messages.SUCCESS if result.moved else messages.WARNING
        messages.add_message(request, level, format_result(result, to))
        return None

    def _ask_reason(
        self, request: HttpRequest, selected: models.QuerySet[Order], form: ReasonForm
    ) -> HttpResponse:
        count = selected.count()
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": f"Cancel {count} order{'' if count == 1 else 's'}?",
            "form": form,
            "button": "Cancel orders",
            "back": request.get_full_path(),
            "hidden": action_fields(request),
        }
        return TemplateResponse(request, "admin/action_form.html", context)
