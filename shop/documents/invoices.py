"""What invoices and credit notes say: contents that are stored, and the document made of them.

Amounts and rates are stored as text with two decimals, days as ISO dates of the shop's time zone.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _

from shop import money
from shop.documents.order_documents import Column, Document, join_address
from shop.documents.tax import TaxLine, split_tax
from shop.models import Invoice, Order, OrderItem

type Contents = dict[str, Any]


def build_contents(
    order: Order, items: Sequence[OrderItem], *, now: datetime, paid_at: datetime | None
) -> Contents:
    """Return what an invoice of the order says; `paid_at` is when it was paid in full."""
    return {
        **_letterhead(order, now),
        "payment_method": order.payment_method,
        "paid_on": _iso_day(paid_at) if paid_at else None,
        "amount_due": _decimal_text(order.amount_due),
        "lines": [build_line(item, item.quantity) for item in items],
        "tax": tax_rows(
            split_tax(((i.price * i.quantity, i.tax_rate) for i in items), currency=order.currency)
        ),
    }


def build_credit_contents(
    order: Order, lines: Sequence[Contents], tax: Iterable[TaxLine], *, now: datetime
) -> Contents:
    """Return what a credit note says: the lines of the credited units, and what `tax` adds up to.

    What these lines don't add up to is a `reduction` of the price, or a negative one if a part of
    the units was credited before.
    """
    rows = list(tax)
    units = sum((line_amount(line) for line in lines), money.ZERO)
    gross = sum((row.gross for row in rows), money.ZERO)
    return {
        **_letterhead(order, now),
        "lines": list(lines),
        "reduction": _decimal_text(gross - units),
        "tax": tax_rows(rows),
    }


def _letterhead(order: Order, now: datetime) -> Contents:
    return {
        "sender": settings.SHOP_NAME,
        "imprint": settings.SHOP_IMPRINT,
        "name": order.user.get_full_name(),
        "address": order.shipping_address,
        "order_number": order.order_number,
        "order_date": _iso_day(order.created_at),
        "date": _iso_day(now),
        "currency": order.currency,
    }


#: Contents with the customer's personal data, which an erasure clears.
PERSONAL_CONTENTS = ("name", "address")


def build_line(item: OrderItem, quantity: int) -> Contents:
    """Return a line about this many units of an item, which `item` names."""
    return {
        "item": item.pk,
        "sku": item.sku,
        "name": item.name,
        "quantity": quantity,
        "price": _decimal_text(item.price),
        "tax_rate": _rate_text(item.tax_rate),
    }


def line_amount(line: Mapping[str, Any]) -> Decimal:
    """Return price × quantity of a line."""
    amount: Decimal = Decimal(line["price"]) * line["quantity"]
    return amount


def tax_rows(lines: Iterable[TaxLine]) -> list[list[str | None]]:
    """Return tax lines as they are stored."""
    return [[_rate_text(line.rate), *map(_decimal_text, line[1:])] for line in lines]


def tax_lines(contents: Contents) -> list[TaxLine]:
    """Return the stored tax lines."""
    return [
        TaxLine(rate and Decimal(rate), *map(Decimal, amounts))
        for rate, *amounts in contents["tax"]
    ]


def is_still_true(contents: Contents, order: Order, items: Sequence[OrderItem]) -> bool:
    """Return whether an invoice says what the order says: the same lines to the same address.

    An address that was erased with the customer's data is no other one.
    """
    lines = [build_line(item, item.quantity) for item in items]
    return contents["lines"] == lines and contents["address"] in ("", order.shipping_address)


def invoice_title(invoice: Invoice) -> str:
    """Return `Invoice 2026-00012`; without a tax rate it is a receipt."""
    if invoice.kind == Invoice.Kind.CREDIT_NOTE:
        title = _("Credit note %(number)s")
    elif _has_tax(invoice.contents):
        title = _("Invoice %(number)s")
    else:
        title = _("Receipt %(number)s")
    return title % {"number": invoice.number}


def build_invoice_document(invoice: Invoice) -> Document:
    """Return the document that an issued invoice or credit note is, the same every time."""
    contents = invoice.contents
    has_tax = _has_tax(contents)
    columns = [
        Column(_("SKU")),
        Column(_("Product")),
        Column(_("Quantity"), is_number=True),
        Column(_("Price"), is_number=True),
        *([Column(_("Tax"), is_number=True)] if has_tax else []),
        Column(_("Amount"), is_number=True),
    ]
    is_credit = invoice.kind == Invoice.Kind.CREDIT_NOTE
    total_label = _("Total credited") if is_credit else _("Total")
    return Document(
        sender=contents["sender"],
        imprint=contents["imprint"],
        title=invoice_title(invoice),
        address=join_address(contents["name"], contents["address"]),
        details=_details(invoice),
        columns=columns,
        rows=_rows(contents, has_tax=has_tax),
        totals=[(total_label, money.format_money(invoice.amount, contents["currency"]))],
        tax_rows=_tax_table(contents) if has_tax else (),
        note="",
        has_checkboxes=False,
    )


def _details(invoice: Invoice) -> list[tuple[str, str]]:
    contents = invoice.contents
    details = [(_("Date"), _day_text(contents["date"]))]
    if invoice.corrects:
        details.append((_("Corrects"), invoice_title(invoice.corrects)))
    details += [
        (_("Order"), contents["order_number"]),
        (_("Ordered"), _day_text(contents["order_date"])),
    ]
    if "payment_method" in contents:
        details.append((_("Payment"), _payment_text(contents)))
    return details


def _payment_text(contents: Contents) -> str:
    method = Order.PaymentMethod(contents["payment_method"]).label
    if contents["paid_on"]:
        text = _("%(method)s, paid on %(date)s")
        return text % {"method": method, "date": _day_text(contents["paid_on"])}
    if due := Decimal(contents["amount_due"]):
        amount = money.format_money(due, contents["currency"])
        return _("%(method)s, %(amount)s due") % {"method": method, "amount": amount}
    return str(method)


def _rows(contents: Contents, *, has_tax: bool) -> list[list[str]]:
    currency = contents["currency"]
    rows = [
        [
            line["sku"],
            line["name"],
            str(line["quantity"]),
            money.format_amount(Decimal(line["price"]), currency),
            *([_percent(line["tax_rate"])] if has_tax else []),
            money.format_amount(line_amount(line), currency),
        ]
        for line in contents["lines"]
    ]
    if reduction := Decimal(contents.get("reduction", 0)):
        label = _("Price reduction") if reduction > 0 else _("Credited before")
        empty = ["", "", ""] if has_tax else ["", ""]
        rows.append(["", label, *empty, money.format_amount(reduction, currency)])
    return rows


def _tax_table(contents: Contents) -> list[list[str]]:
    """Return rows of rate, net, tax and gross; the last one is the sum of several rates."""
    lines, currency = tax_lines(contents), contents["currency"]
    table = [(_percent(line.rate), line.net, line.tax, line.gross) for line in lines]
    if len(lines) > 1:
        _label, *columns = zip(*table, strict=True)
        net, tax, gross = (sum(column, money.ZERO) for column in columns)
        table.append((_("Total"), net, tax, gross))
    return [
        [label, *(money.format_amount(amount, currency) for amount in amounts)]
        for label, *amounts in table
    ]


def _has_tax(contents: Contents) -> bool:
    return any(rate for rate, *_amounts in contents["tax"])


def _percent(rate: str | Decimal | None) -> str:
    """Return `19 %`, or `–` without a rate."""
    if rate is None:
        return "–"
    return _("%(rate)s %%") % {"rate": f"{Decimal(rate):.2f}".rstrip("0").rstrip(".")}


def _decimal_text(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _rate_text(rate: Decimal | None) -> str | None:
    return None if rate is None else _decimal_text(rate)


def _iso_day(moment: datetime) -> str:
    return timezone.localdate(moment).isoformat()


def _day_text(day: str) -> str:
    return date_format(date.fromisoformat(day), "j F Y")
