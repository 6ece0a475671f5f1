"""Packing slips and invoices, printed or downloaded as PDF, for one order or for a selection."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from shop.admin.action_form import add_service_error, render_action_form
from shop.admin.base import ActionFormAdmin, staff_user
from shop.admin.forms import ConfirmForm
from shop.documents import order_documents, pdf
from shop.documents.invoices import build_invoice_document, invoice_title
from shop.documents.order_documents import Document
from shop.models import Order, User
from shop.models.order_status import Text
from shop.services import order_notes

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
    hint: Text
    #: Permission on orders that printing it takes.
    permission: str


PRINT_TEXTS = {
    order_documents.PACKING_SLIP: PrintTexts(
        action=_("Print packing slip"),
        bulk_action=_("Print packing slips"),
        title=ngettext_lazy("%(count)d packing slip", "%(count)d packing slips", "count"),
        hint=_("We note it in the timeline. The order's status stays the same."),
        permission="fulfil_order",
    ),
    order_documents.INVOICE: PrintTexts(
        action=_("Print invoice"),
        bulk_action=_("Print invoices"),
        title=ngettext_lazy("%(count)d document", "%(count)d documents", "count"),
        hint=_(
            "The invoice gets its number when it is printed for the first time. From then on, a"
            " refund, a return or a change of the order issues a credit note."
        ),
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
        texts = PRINT_TEXTS[what]
        if not request.user.has_perm(f"shop.{texts.permission}"):
            raise PermissionDenied
        form, options = ConfirmForm(), {"hint": texts.hint}
        if request.method == "POST":
            try:
                return self.print_documents(request, Order.objects.filter(pk=order.pk), what)
            except ValidationError as error:
                form = ConfirmForm({})
                add_service_error(form, error)
        return render_action_form(
            request,
            self,
            form=form,
            title=gettext("%(action)s: %(order)s") % {"action": texts.action, "order": order},
            button=texts.action,
            back_url=self.record_url(order),
            second_button=("pdf", gettext("Download PDF")),
            template="admin/shop/order/print_document.html",
            issued=issued_documents(request, order) if what == order_documents.INVOICE else [],
            original=order,
            **options,
        )

    def print_documents(
        self, request: HttpRequest, selected: models.QuerySet[Order], document: str
    ) -> HttpResponse:
        """Print a document for each order, as one page or one PDF.

        Invoices that are missing are issued. Both are written before anything is rendered: if that
        fails there is an entry too many in the timeline, but never a document without an entry.
        Raises ValidationError for too many orders, and if none of them can have an invoice.
        """
        as_pdf = "pdf" in request.POST
        limit = order_notes.MAX_PRINTED_ORDERS + 1
        pks = list(selected.values_list("pk", flat=True)[:limit])
        build = _build_invoices if document == order_documents.INVOICE else _build_packing_slips
        sheets, name = build(pks, staff_user(request), as_pdf)
        if as_pdf:
            return pdf_response(sheets, name)
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


def pdf_response(sheets: Sequence[Document], name: str) -> HttpResponse:
    """Return the documents as a PDF file of this name."""
    return HttpResponse(
        pdf.render_pdf(name.removesuffix(".pdf"), sheets),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def issued_documents(request: HttpRequest, order: Order) -> list[tuple[str, str]]:
    """Return title and URL of the order's invoices and credit notes, oldest first.

    Empty for who may not view invoices.
    """
    if not request.user.has_perm("shop.view_invoice"):
        return []
    return [
        (invoice_title(invoice), reverse("admin:shop_invoice_change", args=[invoice.pk]))
        for invoice in order.invoices.order_by("pk")
    ]


def _build_packing_slips(pks: list[int], actor: User, as_pdf: bool) -> tuple[list[Document], str]:  # noqa: FBT001
    what = gettext("Packing slip downloaded as PDF") if as_pdf else gettext("Packing slip printed")
    details = order_notes.record_printing(order_ids=pks, actor=actor, what=what)
    sheets = [order_documents.build_packing_slip(d.order, d.items) for d in details]
    kind = order_documents.PACKING_SLIP
    return sheets, order_documents.pdf_file_name(kind, [d.order for d in details])


def _build_invoices(pks: list[int], actor: User, as_pdf: bool) -> tuple[list[Document], str]:  # noqa: FBT001
    printed = order_notes.print_invoices(order_ids=pks, actor=actor, as_pdf=as_pdf)
    if pks and not printed:
        raise ValidationError(
            ngettext(
                "This order was cancelled before it had an invoice, so it gets none.",
                "These orders were cancelled before they had invoices, so they get none.",
                len(pks),
            )
        )
    named = [invoice for invoice in printed if invoice.corrects_id is None]
    sheets = [build_invoice_document(invoice) for invoice in printed]
    return sheets, order_documents.pdf_file_name(order_documents.INVOICE, named)
