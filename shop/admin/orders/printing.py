"""Packing slips and invoices, printed or downloaded as PDF, for one order or for a selection."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from shop.admin.base import ActionFormAdmin, staff_user
from shop.admin.forms import ConfirmForm
from shop.documents import order_documents, pdf
from shop.models import Order
from shop.models.order_status import Text
from shop.services import order_notes
from shop.services.orders import OrderDetails

type PrintAction = Callable[
    ["PrintingAdmin", HttpRequest, models.QuerySet[Order]], HttpResponse | None
]


@dataclass(frozen=True, kw_only=True)
class PrintTexts:
    """What the pages call a document."""

    action: Text
    bulk_action: Text
    #: A plural with the placeholder `count`.
    title: Text
    #: Permission on orders that printing many of them takes.
    permission: str


PRINT_TEXTS = {
    order_documents.PACKING_SLIP: PrintTexts(
        action=_("Print packing slip"),
        bulk_action=_("Print packing slips"),
        title=ngettext_lazy("%(count)d packing slip", "%(count)d packing slips", "count"),
        permission="fulfil_order",
    ),
    order_documents.INVOICE: PrintTexts(
        action=_("Print invoice"),
        bulk_action=_("Print invoices"),
        title=ngettext_lazy("%(count)d invoice", "%(count)d invoices", "count"),
        permission="change_order",
    ),
}


def bulk_print_action(document: str) -> PrintAction:
    """Return the list action that prints a document for each selected order."""

    @admin.action(
        description=PRINT_TEXTS[document].bulk_action,  # type: ignore[arg-type]
        permissions=[PRINT_TEXTS[document].permission],
    )
    def run(
        model_admin: "PrintingAdmin", request: HttpRequest, selected: models.QuerySet[Order]
    ) -> HttpResponse | None:
        try:
            return model_admin.print_documents(request, selected, document)
        except ValidationError as error:
            messages.error(request, error.message)
            return None

    run.__name__ = print_action_name(document)
    return run


def print_action_name(document: str) -> str:
    """Return the name of a document's list action, such as `print_packing_slips`."""
    return f"print_{document.replace(' ', '_')}s"


class PrintingAdmin(ActionFormAdmin):
    """The list actions and the view that print."""

    def print_document(self, request: HttpRequest, order: Order, what: str) -> HttpResponse:
        """Ask, then print one order's document or return it as PDF."""
        if what not in PRINT_TEXTS:
            raise Http404
        if request.method == "POST":
            return self.print_documents(request, Order.objects.filter(pk=order.pk), what)
        button = PRINT_TEXTS[what].action
        return self.action_form_view(
            request,
            order,
            form_class=ConfirmForm,
            title=gettext("%(action)s: %(order)s") % {"action": button, "order": order},
            hint=gettext("We note it in the timeline. The order's status stays the same."),
            button=button,
            second_button=("pdf", gettext("Download PDF")),
            perform=str,
        )

    def print_documents(
        self, request: HttpRequest, selected: models.QuerySet[Order], document: str
    ) -> HttpResponse:
        """Print a document for each order, as one page or one PDF.

        The timeline's entry is written first: if rendering fails there is an entry too many, but
        never a document without an entry. Raises ValidationError for too many orders.
        """
        as_pdf = "pdf" in request.POST
        details = order_notes.record_printing(
            order_ids=list(
                selected.values_list("pk", flat=True)[: order_notes.MAX_PRINTED_ORDERS + 1]
            ),
            actor=staff_user(request),
            what=f"{document.capitalize()} {'downloaded as PDF' if as_pdf else 'printed'}",
        )
        if as_pdf:
            return self._pdf_response(document, details)
        return self._print_page(request, document, details)

    def _pdf_response(self, document: str, details: Sequence[OrderDetails]) -> HttpResponse:
        sheets = [order_documents.build_document(document, d.order, d.items) for d in details]
        name = order_documents.pdf_file_name(document, [d.order for d in details])
        return HttpResponse(
            pdf.render_pdf(name.removesuffix(".pdf"), sheets),
            content_type="application/pdf",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _print_page(
        self, request: HttpRequest, document: str, details: Sequence[OrderDetails]
    ) -> HttpResponse:
        sheets = [order_documents.build_document(document, d.order, d.items) for d in details]
        pks = [d.order.pk for d in details]
        context = self.admin_site.each_context(request) | {
            "title": PRINT_TEXTS[document].title % {"count": len(sheets)},
            "sheets": sheets,
            "hidden": [
                ("action", print_action_name(document)),
                *((ACTION_CHECKBOX_NAME, pk) for pk in pks),
            ],
            "back": reverse("admin:shop_order_change", args=pks)
            if len(pks) == 1
            else reverse("admin:shop_order_changelist"),
        }
        return TemplateResponse(request, "documents/print.html", context)
