"""The contents of documents, which the print page and the PDF show alike, and packing slips."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shop import exposure
from shop.documents.field_text import field_lines
from shop.models import Order, OrderItem

PACKING_SLIP, INVOICE = KINDS = ("packing slip", "invoice")


class Column(NamedTuple):
    """A column of the table; numbers are aligned right."""

    head: str
    is_number: bool = False


@dataclass(frozen=True)
class Document:
    """The contents of a document: `details` beside the address, `totals` below the table.

    `tax_rows` are rate, net, tax and gross of an invoice.
    """

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
    tax_rows: Sequence[Sequence[str]] = ()

    @property
    def tax_columns(self) -> list[Column]:
        """The columns of `tax_rows`."""
        amounts = (_("Net"), _("Tax"), _("Gross"))
        return [Column(_("Tax rate")), *(Column(head, is_number=True) for head in amounts)]

    def cells(self) -> Iterator[list[tuple[Column, str]]]:
        """Yield each row's cells with their columns."""
        return (list(zip(self.columns, row, strict=True)) for row in self.rows)

    def tax_cells(self) -> Iterator[list[tuple[Column, str]]]:
        """Yield the cells of each of the `tax_rows` with their columns."""
        return (list(zip(self.tax_columns, row, strict=True)) for row in self.tax_rows)


def build_packing_slip(order: Order, items: Sequence[OrderItem]) -> Document:
    """Return the order's packing slip, with a checkbox per item."""
    units = sum(item.quantity for item in items)
    total = ngettext("%(count)d unit", "%(count)d units", units) % {"count": units}
    is_cancelled = order.status == Order.Status.CANCELLED
    title = _("Packing slip %(order)s, cancelled") if is_cancelled else _("Packing slip %(order)s")
    order_date = date_format(timezone.localtime(order.created_at), "j F Y")
    details = [(_("Order"), order.order_number), (_("Date"), order_date)]
    if order.carrier or order.tracking_number:
        details.append((_("Parcel"), f"{order.carrier} {order.tracking_number}".strip()))
    return Document(
        sender=settings.SHOP_NAME,
        imprint=settings.SHOP_IMPRINT,
        title=title % {"order": order},
        address=join_address(order.user.get_full_name(), order.shipping_address),
        details=details,
        columns=[Column(_("SKU")), Column(_("Product")), Column(_("Quantity"), is_number=True)],
        rows=[[item.sku, item.name, str(item.quantity)] for item in items],
        totals=[(_("Total"), total)],
        note="\n".join(_slip_lines(order)),
        has_checkboxes=True,
    )


def join_address(name: str, address: str) -> str:
    """Return the customer's name above the address, unless the address starts with it."""
    first = address.partition("\n")[0].partition(",")[0].strip()
    return address if first.casefold() == name.casefold() else f"{name}\n{address}"


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


def pdf_file_name(kind: str, records: Sequence[object]) -> str:
    """Return `packing-slip-7KX2-9M4Q.pdf`, or `packing-slips-2026-11-22.pdf` for several."""
    name = kind.replace(" ", "-")
    if len(records) == 1:
        return f"{name}-{records[0]}.pdf"
    return f"{name}s-{timezone.localdate()}.pdf"
