"""Issuing invoices, and the credit notes that correct them, numbered without a gap.

What an order's invoices say minus what its credit notes say is always what the order costs now, for
each tax rate. An invoice is issued when staff print it for the first time; from then on whatever
changes the order's value calls `correct_invoices`. Nothing else writes invoices.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from shop.db.bulk_rows import insert_rows
from shop.db.transactions import atomically
from shop.documents import invoices as documents
from shop.documents.tax import Rate, TaxLine, share_out, sort_rates, split_tax
from shop.models import Invoice, Order, OrderEvent, OrderItem, Payment, User
from shop.money import ZERO
from shop.services.order_records import build_event, locked_orders

INVOICE, CREDIT_NOTE = Invoice.Kind.INVOICE, Invoice.Kind.CREDIT_NOTE
type Amounts = tuple[Decimal, Decimal, Decimal]


@atomically
def issue_invoices(*, order_ids: Collection[int], actor: User) -> list[Invoice]:
    """Return each order's invoice and the credit notes that correct it, by order number.

    What is missing is issued now. A cancelled order without an invoice gets none, and is left out.
    """
    orders = list(locked_orders(order_ids))
    issued = _read_issued(orders)
    new = _issue_missing(orders, issued, actor=actor, is_first_allowed=True)
    for invoice in new:
        issued[invoice.order_id].append(invoice)
    ordered = sorted(orders, key=lambda order: order.order_number)
    return [invoice for order in ordered for invoice in _valid(issued[order.pk])]


def correct_invoices(orders: Sequence[Order], *, actor: User | None) -> None:
    """Issue credit notes for what locked orders cost less than their invoices say.

    If the address or the lines are others than the invoice's, all of it is credited, and a new one
    is issued. Orders without an invoice get nothing. Call it last in the order's transaction: from
    a number until the commit, everybody else who needs a number waits.
    """
    issued = _read_issued(orders)
    invoiced = [order for order in orders if order.pk in issued]
    if invoiced:
        _issue_missing(invoiced, issued, actor=actor, is_first_allowed=False)


def erase_invoices(orders: QuerySet[Order]) -> None:
    """Clear the customer's name and address; amounts and numbers stay for accounting."""
    invoices = list(Invoice.objects.filter(order__in=orders))
    for invoice in invoices:
        invoice.contents |= dict.fromkeys(documents.PERSONAL_CONTENTS, "")
    Invoice.objects.bulk_update(invoices, ["contents"], batch_size=500)


def record_printed(invoices: Sequence[Invoice], text: str, *, actor: User) -> None:
    """Add an entry to each order's timeline, for staff; `text` has the placeholder `documents`."""
    titles: dict[Order, list[str]] = defaultdict(list)
    for invoice in invoices:
        titles[invoice.order].append(documents.invoice_title(invoice))
    kind = OrderEvent.Kind.PRINTED
    if titles:
        notes = {order: text % {"documents": ", ".join(names)} for order, names in titles.items()}
        insert_rows(
            [
                build_event(order, actor=actor, kind=kind, note=note, is_internal=True)
                for order, note in notes.items()
            ]
        )


def _read_issued(orders: Sequence[Order]) -> dict[int, list[Invoice]]:
    """Return the documents of each order that has any, oldest first."""
    by_pk, issued = {order.pk: order for order in orders}, defaultdict(list)
    invoices = Invoice.objects.filter(order__in=by_pk).order_by("pk").in_bulk()
    for invoice in invoices.values():
        invoice.order = by_pk[invoice.order_id]
        invoice.corrects = invoices.get(invoice.corrects_id)
        issued[invoice.order_id].append(invoice)
    return issued


def _valid(issued: Sequence[Invoice]) -> list[Invoice]:
    """Return the newest invoice of an order, and what corrects it."""
    invoices = [invoice for invoice in issued if invoice.kind == INVOICE]
    if not invoices:
        return []
    current = invoices[-1]
    return [current, *(note for note in issued if note.corrects_id == current.pk)]


def _issue_missing(
    orders: Sequence[Order],
    issued: dict[int, list[Invoice]],
    *,
    actor: User | None,
    is_first_allowed: bool,
) -> list[Invoice]:
    """Write the documents that the orders lack, and return them."""
    items: dict[int, list[OrderItem]] = defaultdict(list)
    for item in OrderItem.objects.filter(order__in=orders).order_by("order_id", "pk"):
        items[item.order_id].append(item)
    paid_at = _read_payments([order for order in orders if not order.amount_due])
    now, new = timezone.now(), []
    for order in orders:
        account = _Account(order, items[order.pk], now, paid_at.get(order.pk), actor)
        if valid := _valid(issued.get(order.pk, ())):
            account.open(*valid)
        elif not is_first_allowed or order.status == Order.Status.CANCELLED:
            continue
        account.settle()
        new += account.new
    if new:
        _write(new)
    return new


def _read_payments(orders: Sequence[Order]) -> dict[int, datetime]:
    """Return when the last payment of each order was received."""
    payments = Payment.objects.filter(order__in=orders, kind=Payment.Kind.PAYMENT)
    return dict(payments.order_by("pk").values_list("order_id", "created_at"))


def _write(new: Sequence[Invoice]) -> None:
    """Number the documents and write them, those that others correct first."""
    year = timezone.localdate(new[0].issued_at).year
    for sequence, invoice in zip(_take_numbers(year, len(new)), new, strict=True):
        invoice.year, invoice.sequence = year, sequence
    for kind in (INVOICE, CREDIT_NOTE):
        if rows := [invoice for invoice in new if invoice.kind == kind]:
            for row in rows:
                row.corrects = row.corrects  # which has a key by now
            insert_rows(rows)


def _take_numbers(year: int, count: int) -> range:
    """Return the next numbers of a year, whose counter is locked from now until the commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO shop_invoicecounter (year, last) VALUES (%s, %s)"
            " ON CONFLICT (year) DO UPDATE SET last = shop_invoicecounter.last + excluded.last"
            " RETURNING last",
            [year, count],
        )
        (last,) = cursor.fetchone()
    return range(last - count + 1, last + 1)


@dataclass
class _Account:
    """What the documents of one order say, and those that it lacks."""

    order: Order
    items: Sequence[OrderItem]
    now: datetime
    paid_at: datetime | None
    actor: User | None
    invoice: Invoice | None = None
    notes: list[Invoice] = field(default_factory=list)
    new: list[Invoice] = field(default_factory=list)

    def open(self, invoice: Invoice, *notes: Invoice) -> None:
        """Start with the order's valid invoice and the credit notes that correct it."""
        self.invoice, self.notes = invoice, list(notes)

    def settle(self) -> None:
        """Add the documents that are missing to `new`."""
        invoice = self.invoice
        if invoice and not documents.is_still_true(invoice.contents, self.order, self.items):
            units = {line["item"]: line["quantity"] for line in invoice.contents["lines"]}
            self._credit(invoice, self._lines(invoice.contents["lines"], units), remaining=[])
            invoice = None
        if invoice is None:
            invoice = self._add_invoice()
        is_cancelled = self.order.status == Order.Status.CANCELLED
        credited = {
            item.pk: item.quantity if is_cancelled else item.returned_quantity
            for item in self.items
        }
        lines = self._lines(invoice.contents["lines"], credited)
        self._credit(invoice, lines, remaining=self._remaining(self._open_amounts(invoice)))

    def _add_invoice(self) -> Invoice:
        order, items = self.order, self.items
        contents = documents.build_contents(order, items, now=self.now, paid_at=self.paid_at)
        self.notes = []
        return self._add(INVOICE, contents, order.total_amount)

    def _add(self, kind: Invoice.Kind, contents: Any, amount: Decimal, **values: Any) -> Invoice:
        invoice = Invoice(
            kind=kind,
            order=self.order,
            contents=contents,
            amount=amount,
            actor=self.actor,
            issued_at=self.now,
            **values,
        )
        self.new.append(invoice)
        return invoice

    def _open_amounts(self, invoice: Invoice) -> dict[Rate, Amounts]:
        """Return net, tax and gross of each rate that the invoice says and no note credits."""
        amounts = {line.rate: line[1:] for line in documents.tax_lines(invoice.contents)}
        for note in self.notes:
            for line in documents.tax_lines(note.contents):
                amounts[line.rate] = _subtract(amounts[line.rate], line[1:])
        return amounts

    def _remaining(self, amounts: dict[Rate, Amounts]) -> list[TaxLine]:
        """Return what the order costs now: its value, shared out over what the customer keeps."""
        order, kept = self.order, dict.fromkeys(amounts, ZERO)
        for item in self.items:
            kept[item.tax_rate] += item.price * item.kept_quantity
        limits = {rate: gross for rate, (_net, _tax, gross) in amounts.items()}
        shares = share_out(order.current_total, kept, limits=limits, currency=order.currency)
        return split_tax(((s, rate) for rate, s in shares.items()), currency=order.currency)

    def _lines(self, lines: Sequence[Any], units: dict[int, int]) -> list[Any]:
        """Return the invoice's lines with the units that no credit note has credited so far."""
        left = defaultdict(int, units)
        for note in self.notes:
            for line in note.contents["lines"]:
                left[line["item"]] -= line["quantity"]
        return [line | {"quantity": left[line["item"]]} for line in lines if left[line["item"]] > 0]

    def _credit(self, invoice: Invoice, lines: Sequence[Any], *, remaining: list[TaxLine]) -> None:
        """Add a credit note for all of the invoice but what remains, unless that is nothing."""
        amounts = self._open_amounts(invoice)
        kept = {line.rate: line[1:] for line in remaining}
        tax = [
            TaxLine(rate, *_subtract(amounts[rate], kept.get(rate, (ZERO, ZERO, ZERO))))
            for rate in sort_rates(amounts)
        ]
        if tax := [line for line in tax if line.gross]:
            contents = documents.build_credit_contents(self.order, lines, tax, now=self.now)
            gross = sum((line.gross for line in tax), ZERO)
            self.notes.append(self._add(CREDIT_NOTE, contents, gross, corrects=invoice))


def _subtract(amounts: Any, others: Any) -> Amounts:
    net, tax, gross = (one - other for one, other in zip(amounts, others, strict=True))
    return net, tax, gross
