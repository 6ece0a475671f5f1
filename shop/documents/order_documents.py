"""What stands on a packing slip and on an invoice, on the screen and on paper alike."""

from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone
from django.utils.dateformat import format as date_format

from shop import money
from shop.documents.pdf import Column, Document
from shop.models import Order, OrderItem

PACKING_SLIP, INVOICE = KINDS = ("packing slip", "invoice")
GOODS = (Column("SKU"), Column("Product"), Column("Quantity", is_number=True))
PRICED = (*GOODS, Column("Price", is_number=True), Column("Amount", is_number=True))


def build_document(what: str, order: Order, items: Sequence[OrderItem]) -> Document:
    """The order's packing slip, with a box to tick before each line, or its invoice, with the prices."""
    is_invoice, is_cancelled = what == INVOICE, order.status == Order.Status.CANCELLED
    return Document(
        sender=settings.SHOP_NAME,
        imprint=settings.SHOP_IMPRINT,
        title=f"{what.capitalize()} {order}{', cancelled' if is_cancelled else ''}",
        address=f"{order.user.get_full_name()}\n{order.shipping_address}",
        facts=_facts(what, order),
        columns=PRICED if is_invoice else GOODS,
        rows=[_row(item, is_priced=is_invoice) for item in items],
        totals=[
            ("Total", money.format_money(order.total_amount) if is_invoice else _pieces(items))
        ],
        note="" if is_invoice or not order.note else f"Customer's note: {order.note}",
        has_boxes=not is_invoice,
    )


def pdf_file_name(what: str, orders: Sequence[Order]) -> str:
    """`invoice-7KX2-9M4Q.pdf`, or `invoices-2026-11-22.pdf` for several."""
    name = what.replace(" ", "-")
    if len(orders) == 1:
        return f"{name}-{orders[0]}.pdf"
    return f"{name}s-{timezone.localdate()}.pdf"


def _facts(what: str, order: Order) -> list[tuple[str, str]]:
    facts = [
        ("Order", order.order_number),
        ("Date", date_format(timezone.localtime(order.created_at), "j F Y")),
    ]
    if what == INVOICE:
        paid = order.get_payment_status_display().lower()
        facts.append(("Payment", f"{order.get_payment_method_display()}, {paid}"))
    elif order.carrier or order.tracking_number:
        facts.append(("Parcel", f"{order.carrier} {order.tracking_number}".strip()))
    return facts


def _row(item: OrderItem, *, is_priced: bool) -> list[str]:
    goods = [item.sku, item.name, str(item.quantity)]
    return (
        [*goods, money.format_amount(item.price), money.format_amount(item.subtotal)]
        if is_priced
        else goods
    )


def _pieces(items: Sequence[OrderItem]) -> str:
    count = sum(item.quantity for item in items)
    return f"{count} piece{'' if count == 1 else 's'}"
