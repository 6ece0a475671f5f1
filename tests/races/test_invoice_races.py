"""Invoices are printed while the same orders are refunded, returned, changed and cancelled."""

from collections import Counter
from decimal import Decimal

import pytest
from django.db import connection
from support import world
from support.concurrency import run_concurrently
from support.invariants import assert_invariants

from shop.models import Invoice
from shop.services.errors import ShopError
from shop.services.invoices import issue_invoices
from shop.services.order_edit import OrderChanges, edit_order
from shop.services.order_moves import move_order
from shop.services.order_payments import refund_order
from shop.services.returns import ReturnedUnits, return_items

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def tax(settings):
    settings.SHOP_TAX_RATE = Decimal("19.00")


def in_thread(service, **values):
    """Return a function that calls a service with a connection of its own."""

    def call():
        try:
            return service(**values)
        except ShopError as error:
            return error
        finally:
            connection.close()

    return call


def test_an_invoice_is_issued_once(carl, ada, mug):
    orders = [world.create_order(carl, (mug, 1)).pk for _ in range(3)]
    calls = [
        in_thread(issue_invoices, order_ids=pks, actor=ada)
        for pks in (orders, orders[::-1], orders[:1], orders[1:])
    ]
    run_concurrently(*calls)
    assert Counter(Invoice.objects.values_list("order", flat=True)) == Counter(orders)
    assert_invariants()


def test_what_is_credited_while_printing_gets_its_credit_note(carl, ada, mug, lamp):
    for _ in range(5):
        order = world.create_order(carl, (mug, 1), (lamp, 1))
        world.move_along(order, "delivered", by=ada)
        about = {"order_id": order.pk, "actor": ada}
        results = run_concurrently(
            in_thread(issue_invoices, order_ids=[order.pk], actor=ada),
            in_thread(refund_order, amount=Decimal("7.01"), **about),
            in_thread(return_items, returned={mug.pk: ReturnedUnits(1)}, **about),
            in_thread(issue_invoices, order_ids=[order.pk], actor=ada),
        )
        assert not any(isinstance(result, Exception) for result in results)
        assert_invariants()


def test_what_is_changed_or_cancelled_while_printing_is_corrected(carl, ada, mug, lamp):
    for _ in range(5):
        order = world.create_order(carl, (mug, 1))
        changes = OrderChanges(quantities={lamp.pk: 1})
        run_concurrently(
            in_thread(issue_invoices, order_ids=[order.pk], actor=ada),
            in_thread(edit_order, order_id=order.pk, changes=changes, actor=ada),
            in_thread(move_order, order_id=order.pk, to="cancelled", actor=ada, by_staff=True),
        )
        assert_invariants()
