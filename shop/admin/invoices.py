"""The list of issued invoices and credit notes, and their PDF."""

import re
from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from shop import money
from shop.admin.base import ActionFormAdmin, ReadOnlyAdmin
from shop.admin.changelists import NUMBER_FORMAT
from shop.admin.orders.printing import pdf_response
from shop.admin.period_filter import PeriodFilter
from shop.documents.invoices import build_invoice_document, invoice_title
from shop.documents.order_documents import pdf_file_name
from shop.models import Invoice
from shop.services.order_notes import MAX_PRINTED_ORDERS

#: A number as it is printed, `2026-00012`, or without leading zeros.
NUMBER_PATTERN = re.compile(r"(\d{4})-(\d{1,9})")
LINK = '<a class="shop-link" href="{}">{}</a>'


@admin.register(Invoice)
class InvoiceAdmin(ActionFormAdmin, ReadOnlyAdmin):
    """Invoices and credit notes, which are issued by printing, refunds, returns and changes."""

    empty_text = _("Invoices appear here when you print them on an order's page.")
    list_display = ("number", "kind", "order", "customer", "total", "issued_at")
    list_filter = ("kind", ("issued_at", PeriodFilter))
    card_corner = "total"
    list_select_related = ("order__user",)
    search_fields = ("order__order_number",)
    search_help_text = _("Invoice number or order number")
    readonly_fields = (
        "order_link",
        "customer",
        "total",
        "corrects_link",
        "corrected_by",
        "issued_at",
        "actor",
    )
    actions = ("download_selected",)
    action_views = {"pdf": "download_pdf"}  # noqa: RUF012
    action_permission = "view_invoice"
    change_form_outer_before_template = "admin/shop/invoice/banner.html"

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Search; a full invoice number returns only that one."""
        if match := NUMBER_PATTERN.fullmatch(search_term.strip()):
            year, sequence = map(int, match.groups())
            return queryset.filter(year=year, sequence=sequence), False
        return super().get_search_results(request, queryset, search_term)

    @display(description=_("Number"), ordering="year")
    def number(self, invoice: Invoice) -> str:
        """Return the number that is printed."""
        return invoice.number

    @display(description=_("Order"))
    def order_link(self, invoice: Invoice) -> str:
        """Return a link to the order's page."""
        url = reverse("admin:shop_order_change", args=[invoice.order_id])
        return format_html(LINK, url, invoice.order)

    @display(description=_("Customer"))
    def customer(self, invoice: Invoice) -> str:
        """Return the order's customer."""
        return str(invoice.order.user)

    @display(description=_("Amount"), ordering="amount", formatting=NUMBER_FORMAT)
    def total(self, invoice: Invoice) -> str:
        """Return the amount in the order's currency, negative for a credit note."""
        is_credit = invoice.kind == Invoice.Kind.CREDIT_NOTE
        amount = -invoice.amount if is_credit else invoice.amount
        return money.format_money(amount, invoice.order.currency)

    @display(description=_("Corrects"))
    def corrects_link(self, invoice: Invoice) -> str:
        """Return a link to the invoice that a credit note corrects."""
        return _document_links([invoice.corrects] if invoice.corrects else [])

    @display(description=_("Corrected by"))
    def corrected_by(self, invoice: Invoice) -> str:
        """Return links to the credit notes that correct an invoice."""
        return _document_links(invoice.corrections.order_by("pk"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Leave out what a credit note, or else an invoice, never has."""
        is_credit = obj is not None and obj.kind == Invoice.Kind.CREDIT_NOTE
        other = "corrected_by" if is_credit else "corrects_link"
        return [name for name in self.readonly_fields if name != other]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> Any:
        """Add the banner's title."""
        context["document_title"] = invoice_title(kwargs["obj"])
        return super().render_change_form(request, context, **kwargs)

    def download_pdf(self, _request: HttpRequest, invoice: Invoice) -> HttpResponse:
        """Return the document as PDF, which says what it said when it was issued."""
        kind = invoice.get_kind_display().lower()
        return pdf_response([build_invoice_document(invoice)], pdf_file_name(kind, [invoice]))

    @action(description=_("Download PDF"), permissions=["view"])
    def download_selected(
        self, request: HttpRequest, selected: QuerySet[Invoice]
    ) -> HttpResponse | None:
        """Return the selected documents as one PDF, by number."""
        invoices = selected.select_related("corrects").order_by("year", "sequence")
        documents = list(invoices[: MAX_PRINTED_ORDERS + 1])
        if len(documents) > MAX_PRINTED_ORDERS:
            message = ngettext(
                "At most %(limit)d document can be downloaded together.",
                "At most %(limit)d documents can be downloaded together.",
                MAX_PRINTED_ORDERS,
            )
            messages.error(request, message % {"limit": MAX_PRINTED_ORDERS})
            return None
        name = pdf_file_name("invoice", documents)
        return pdf_response([build_invoice_document(invoice) for invoice in documents], name)


def _document_links(invoices: Iterable[Invoice]) -> str:
    return format_html_join(
        ", ",
        LINK,
        (
            (reverse("admin:shop_invoice_change", args=[invoice.pk]), invoice_title(invoice))
            for invoice in invoices
        ),
    )
