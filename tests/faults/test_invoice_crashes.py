"""Processes are killed while they issue invoices and credit notes."""

import os
import subprocess
import sys
from collections import Counter

import pytest
from support.concurrency import on_postgresql
from support.servers import TESTS, database_url

from shop.models import Invoice, InvoiceCounter, Order, OrderItem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ORDERS = 400


@pytest.fixture
def orders(ada, carl, mug):
    """400 orders of a mug, written as they are."""
    orders = Order.objects.bulk_create(
        Order(user=carl, total_amount=mug.price, shipping_address="1 Elm Street")
        for _ in range(ORDERS)
    )
    OrderItem.objects.bulk_create(
        OrderItem(order=order, product=mug, sku=mug.sku, name="Mug", price=mug.price, quantity=1)
        for order in orders
    )
    return orders


@on_postgresql
@pytest.mark.usefixtures("orders")
def test_invoice_numbers_have_no_gap_and_no_double_after_killed_processes():
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "settings.test",
        "DATABASE_URL": database_url(),
        "PYTHONPATH": str(TESTS.parent),
    }
    result = subprocess.run(
        [sys.executable, "-m", "support.invoice_workers"],
        cwd=TESTS,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(result.stdout) > 10
    sequences = sorted(Invoice.objects.values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))
    assert InvoiceCounter.objects.get().last == len(sequences) > ORDERS * 0.9

    sums, invoices = Counter(), Counter()
    for invoice in Invoice.objects.all():
        is_credit = invoice.kind == Invoice.Kind.CREDIT_NOTE
        sums[invoice.order_id] += -invoice.amount if is_credit else invoice.amount
        invoices[invoice.order_id] += not is_credit
    assert set(invoices.values()) == {1}
    for order in Order.objects.all():
        assert sums.get(order.pk, 0) == order.total_amount - order.credited_amount
