"""The contents of packing slips and invoices, which the print page and the PDF show alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shop import exposure, money
from shop.documents.field_text import field_lines
from shop.models import Order, OrderItem

PACKING_SLIP, INVOICE = KINDS = ("packing slip", "invoice")


class Column(NamedTuple):
    """A column of the table; numbers are aligned right."""

    head: str
    is_number: bool = False


@dataclass(frozen=True)
class Document:
    """The contents of a document: `details` beside the address, `totals` below the table."""

    sender: str
    imprint: str
    title: str
    address: str
    details: Sequence[tuple[str, str]]
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    totals: Sequence[tuple[str, str]]
    note: str
    has_checkboxes: bool

    def cells(self) -> Iterator[list[tuple[Column, str]]]:
        """Yield each row's cells with their columns."""
        return (list(zip(self.columns, row, strict=True)) for row in self.rows)


def build_document(kind: str, order: Order, items: Sequence[OrderItem]) -> Document:
    """Return the order's packing slip, with a checkbox per item, or its invoice, with prices."""
    is_invoice = kind == INVOICE
    columns = [Column(_("SKU")), Column(_("Product")), Column(_("Quantity"), is_number=True)]
    rows = [[item.sku, item.name, str(item.quantity)] for item in items]
    if is_invoice:
        columns += [Column(_("Price"), is_number=True), Column(_("Amount"), is_number=True)]
        for row, item in zip(rows, items, strict=True):
            row += [money.format_amount(item.price), money.format_amount(item.subtotal)]
        total = money.format_money(order.total_amount)
    else:
        units = sum(item.quantity for item in items)
        total = ngettext("%(count)d unit", "%(count)d units", units) % {"count": units}
    return Document(
        sender=settings.SHOP_NAME,
        imprint=settings.SHOP_IMPRINT,
        title=_document_title(kind, order),
        address=f"{order.user.get_full_name()}\n{order.shipping_address}",
        details=_document_details(kind, order),
        columns=columns,
        rows=rows,
        totals=[(_("Total"), total)],
        note="" if is_invoice else "\n".join(_slip_lines(order)),
        has_checkboxes=not is_invoice,
    )


def with_slip_fields(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Let the query read the related records that are printed on packing slips."""
    relations = [field for field in _slip_fields() if field.is_relation]
    foreign = [field.name for field in relations if not field.many_to_many]
    return orders.select_related("user", *foreign).prefetch_related(
        *(field.name for field in relations if field.many_to_many)
    )


def _slip_fields() -> list[exposure.Field]:
    printed = exposure.declared_names(Order, "ON_PACKING_SLIP")
    return [field for field in exposure.all_fields(Order) if field.name in printed]


def _slip_lines(order: Order) -> Iterator[str]:
    for label, text in field_lines(order, _slip_fields()):
        yield _("%(label)s: %(text)s") % {"label": label, "text": text}


def pdf_file_name(kind: str, orders: Sequence[Order]) -> str:
    """Return `invoice-7KX2-9M4Q.pdf`, or `invoices-2026-11-22.pdf` for several orders."""
    name = kind.replace(" ", "-")
    if len(orders) == 1:
        return f"{name}-{orders[0]}.pdf"
    return f"{name}s-{timezone.localdate()}.pdf"


def _document_title(kind: str, order: Order) -> str:
    is_cancelled = order.status == Order.Status.CANCELLED
    if kind == INVOICE:
        title = _("Invoice %(order)s, cancelled") if is_cancelled else _("Invoice %(order)s")
    elif is_cancelled:
        title = _("Packing slip %(order)s, cancelled")
    else:
        title = _("Packing slip %(order)s")
    return title % {"order": order}


def _document_details(kind: str, order: Order) -> list[tuple[str, str]]:
    order_date = date_format(timezone.localtime(order.created_at), "j F Y")
    details = [(_("Order"), order.order_number), (_("Date"), order_date)]
    if kind == INVOICE:
        payment = {
            "method": order.get_payment_method_display(),
            "status": order.get_payment_status_display().lower(),
        }
        details.append((_("Payment"), _("%(method)s, %(status)s") % payment))
    elif order.carrier or order.tracking_number:
        details.append((_("Parcel"), f"{order.carrier} {order.tracking_number}".strip()))
    return details
