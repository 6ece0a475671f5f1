"""The order export: one row per order or per item, with tax, credits, invoices and local dates."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from openpyxl import load_workbook
from support import factories

from shop.models import Invoice, Order, OrderItem, Payment
from shop.product_files.exports import order_export
from shop.services.orders import place_order

PAID = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)


@pytest.fixture
def orders(carl, mug, lamp, settings):
    """Two orders of two mugs with 19 % and a lamp with 7 %, one of them paid and part refunded."""
    settings.TIME_ZONE = "Europe/Berlin"
    carl.phone = "+49 30 1234"
    carl.save()
    for number in range(2):
        factories.add_to_cart(carl, (mug, 2), (lamp, 1))
        order = place_order(user=carl, shipping_address="1 Fern Road\nKew").order
        Order.objects.filter(pk=order.pk).update(
            created_at=datetime(2026, 3, number + 1, 23, 30, 15, 999, tzinfo=UTC),
            order_number=f"AAAA-000{number}",
            carrier="DHL",
            tracking_number="=1",
        )
    OrderItem.objects.filter(product=mug).update(tax_rate="19.00", returned_quantity=1)
    OrderItem.objects.filter(product=lamp).update(tax_rate="7.00")
    first = Order.objects.get(order_number="AAAA-0000")
    Payment.objects.create(order=first, kind="payment", amount="74.90", created_at=PAID)
    Order.objects.filter(pk=first.pk).update(
        payment_status="paid", paid_amount="74.90", credited_amount="12.50", refunded_amount="12.50"
    )
    for kind, sequence in (("credit_note", 13), ("invoice", 2)):
        Invoice.objects.create(kind=kind, order=first, year=2026, sequence=sequence, amount=1)
    return Order.objects.all()


def exported(orders, rows, file_format="csv"):
    return b"".join(order_export.export_orders(orders, rows=rows, file_format=file_format))


def csv_rows(orders, rows):
    """Return the rows as dictionaries by the columns' headers."""
    text = exported(orders, rows).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def xlsx_rows(orders, rows):
    sheet = load_workbook(io.BytesIO(exported(orders, rows, "xlsx"))).active
    header, *values = sheet.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in values]


def cells(row, *headers):
    return [row[header] for header in headers]


def test_a_row_per_order_has_net_tax_by_rate_and_gross(orders):
    first, second = csv_rows(orders, "order")
    assert list(first) == [
        *("order number", "placed", "status", "payment", "paid", "paid on", "customer email"),
        *("customer name", "phone", "shipping address", "units", "returned", "net", "tax 7%"),
        *("tax 19%", "gross", "credited", "amount paid", "refunded", "currency"),
        *("invoice number", "carrier", "tracking number", "tracking link", "shipped"),
    ]
    amounts = ("net", "tax 7%", "tax 19%", "gross")
    assert cells(first, *amounts) == ["57.14", "3.26", "2.00", "74.90"]
    assert cells(second, *amounts) == ["67.65", "3.26", "3.99", "74.90"]
    assert cells(first, "units", "returned") == ["3", "1"]
    assert cells(first, "credited", "amount paid", "refunded") == ["12.50", "74.90", "12.50"]
    assert cells(first, "currency", "invoice number") == ["EUR", "2026-00002, 2026-00013"]
    assert cells(second, "paid on", "invoice number") == ["", ""]


def test_only_a_csv_file_has_an_apostrophe_before_a_formula(orders):
    assert cells(csv_rows(orders, "order")[0], "tracking number", "phone") == [
        "'=1",
        "'+49 30 1234",
    ]
    assert cells(xlsx_rows(orders, "order")[0], "tracking number", "phone") == ["=1", "+49 30 1234"]


def test_a_row_per_item_has_its_tax_and_the_orders_amounts_once(orders):
    rows = csv_rows(orders, "item")
    assert [row["order number"] for row in rows] == ["AAAA-0000"] * 2 + ["AAAA-0001"] * 2
    shown = ("SKU", "quantity", "returned", "price", "tax rate", "subtotal")
    assert [cells(row, *shown) for row in rows[:2]] == [
        ["MUG-1", "2", "1", "12.50", "19", "25.00"],
        ["LAMP-1", "1", "0", "49.90", "7", "49.90"],
    ]
    assert [row["order total"] for row in rows] == ["74.90", "", "74.90", ""]
    assert [cells(row, "order credited", "order paid", "order refunded") for row in rows[:2]] == [
        ["12.50", "74.90", "12.50"],
        ["", "", ""],
    ]


def test_items_without_a_rate_have_no_tax(carl, mug):
    factories.add_to_cart(carl, (mug, 1))
    place_order(user=carl, shipping_address="1 Street")
    OrderItem.objects.update(tax_rate=None)
    [row] = csv_rows(Order.objects.all(), "item")
    assert cells(row, "order net", "tax rate", "order tax") == ["12.50", "", "0.00"]
    [row] = csv_rows(Order.objects.all(), "order")
    assert cells(row, "net", "gross") == ["12.50", "12.50"]
    assert [name for name in row if name.startswith("tax")] == []


@pytest.mark.parametrize("rows", ["order", "item"])
def test_moments_are_local_and_dates_in_a_sheet(orders, rows):
    row = csv_rows(orders, rows)[0]
    assert cells(row, "placed", "paid on") == ["2026-03-02 00:30:15", "2026-03-03 00:30:00"]
    row = xlsx_rows(orders, rows)[0]
    assert [str(row["placed"]), str(row["paid on"]), row["shipped"]] == [
        *("2026-03-02 00:30:15", "2026-03-03 00:30:00", None)
    ]
    assert isinstance(row["placed"], datetime)


def test_sums_of_a_sheets_columns_are_those_of_the_orders(orders):
    items, by_order = xlsx_rows(orders, "item"), xlsx_rows(orders, "order")
    total = pytest.approx(149.80)
    assert sum(row["order total"] or 0 for row in items) == total
    assert sum(row["subtotal"] for row in items) == total
    assert sum(row["gross"] for row in by_order) == total
    net = sum(row["net"] for row in by_order)
    tax = sum(row["tax 7%"] + row["tax 19%"] for row in by_order)
    assert net + tax == pytest.approx(149.80 - 12.50)
    assert sum(row["order net"] or 0 for row in items) == pytest.approx(net)
    assert sum(row["order tax"] or 0 for row in items) == pytest.approx(tax)


def test_a_cancelled_order_has_no_net_and_no_tax(orders):
    Order.objects.update(status="cancelled", credited_amount=0)
    for row in csv_rows(orders, "order"):
        assert cells(row, "net", "tax 7%", "tax 19%") == ["0.00"] * 3


@pytest.mark.parametrize(("rows", "count"), [("order", 2), ("item", 2)])
def test_the_number_of_statements_does_not_depend_on_the_number_of_orders(
    orders, statements, rows, count
):
    for chosen in (orders.filter(order_number="AAAA-0000"), orders):
        with statements(count):
            exported(chosen, rows)


@pytest.mark.parametrize("rows", ["order", "item"])
def test_a_fifteen_digit_total_is_exact(orders, rows):
    Order.objects.update(total_amount=Decimal("9999999999999.99"))
    assert exported(orders, rows).count(b",9999999999999.99,") == 2
