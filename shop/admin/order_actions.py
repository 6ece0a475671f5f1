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

from shop import documents, paper
from shop.admin.base import clerk, sent_along
from shop.admin.forms import ReasonForm
from shop.models import Order
from shop.services import orders
from shop.services.orders import Moved

Status = Order.Status
MANY = {
    Status.CONFIRMED: "Confirm",
    Status.SHIPPED: "Ship",
    Status.DELIVERED: "Deliver",
    Status.CANCELLED: "Cancel",
}
NAMED_AT_MOST = 20

type Bulk = Callable[["OrderActions", HttpRequest, models.QuerySet[Order]], HttpResponse | None]


def move_many(to: Status) -> Bulk:
    """The list's action that moves all selected orders there."""

    @admin.action(description=f"{MANY[to]} selected orders", permissions=["step"])
    def run(
        screen: "OrderActions", request: HttpRequest, selected: models.QuerySet[Order]
    ) -> HttpResponse | None:
        return screen.move_selected(request, selected, to)

    run.__name__ = f"move_to_{to}"
    return run


def print_many(what: str) -> Bulk:
    """The list's action that prints a sheet for each selected order."""

    @admin.action(description=f"Print {what}s", permissions=["step"])
    def run(
        screen: "OrderActions", request: HttpRequest, selected: models.QuerySet[Order]
    ) -> HttpResponse | None:
        try:
            return screen.print_sheets(request, selected, what)
        except ValidationError as error:
            messages.error(request, error.message)
            return None

    run.__name__ = printing(what)
    return run


def printing(what: str) -> str:
    """The name of the list's action: `print_packing_slips`."""
    return f"print_{what.replace(' ', '_')}s"


def summary(result: Moved, to: Status) -> str:
    """`96 shipped, 3 already shipped, 1 cancelled`, then the orders that were left, with the reason."""
    parts = [f"{len(result.moved)} {to.label.lower()}"]
    for status, count in Counter(order.status for order, _ in result.left).items():
        already = "already " if status == to else ""
        parts.append(f"{count} {already}{Status(status).label.lower()}")
    named = [reason.replace("This order", str(order)) for order, reason in result.left[:NAMED_AT_MOST]]
    more = len(result.left) - len(named)
    left = [*named, f"And {more} more."] if more else named
    return " ".join([", ".join(parts) + ".", *left])


class OrderActions(ModelAdmin):  # type: ignore[misc]
    """The list's actions."""

    actions = (*map(move_many, MANY), *map(print_many, documents.KINDS), "export_selected")

    def print_sheets(self, request: HttpRequest, chosen: models.QuerySet[Order], what: str) -> HttpResponse:
        """A sheet for each order, in one print job or one PDF; raises ValidationError for too many.

        It is noted before it is made: better noted twice than a document that nobody knows of.
        """
        as_pdf = "pdf" in request.POST
        stories = orders.record_printing(
            order_ids=list(chosen.values_list("pk", flat=True)[: orders.PRINTED_AT_ONCE + 1]),
            actor=clerk(request),
            what=f"{what.capitalize()} {'downloaded as PDF' if as_pdf else 'printed'}",
        )
        sheets = [documents.sheet(what, story.order, story.items) for story in stories]
        printed = [story.order for story in stories]
        if as_pdf:
            name = documents.file_name(what, printed)
            return HttpResponse(
                paper.pdf(name.removesuffix(".pdf"), sheets),
                content_type="application/pdf",
                headers={"Content-Disposition": f'attachment; filename="{name}"'},
            )
        context = self.admin_site.each_context(request) | {
            "title": f"{len(sheets)} {what}{'' if len(sheets) == 1 else 's'}",
            "sheets": sheets,
            "hidden": [("action", printing(what)), *((ACTION_CHECKBOX_NAME, order.pk) for order in printed)],
            "back": reverse("admin:shop_order_change", args=[printed[0].pk])
            if len(printed) == 1
            else reverse("admin:shop_order_changelist"),
        }
        return TemplateResponse(request, "shop/print.html", context)

    def move_selected(
        self, request: HttpRequest, selected: models.QuerySet[Order], to: Status
    ) -> HttpResponse | None:
        """Move each that can go and say what happened; cancelling asks for a reason first."""
        form = ReasonForm(request.POST if "note" in request.POST else None)
        if to == Status.CANCELLED and not form.is_valid():
            return self._ask_reason(request, selected, form)
        note = form.cleaned_data["note"] if form.is_bound else ""
        pks = list(selected.values_list("pk", flat=True))
        result = orders.move_orders(order_ids=pks, to=to, actor=clerk(request), note=note)
        level = messages.SUCCESS if result.moved else messages.WARNING
        messages.add_message(request, level, summary(result, to))
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
            "hidden": sent_along(request),
        }
        return TemplateResponse(request, "admin/step.html", context)
