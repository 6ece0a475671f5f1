"""Orders of an older version get the amounts that their payment status stands for."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection
from support import factories
from support.invariants import assert_money

from shop.management.demo_shop import make_groups
from shop.models import Order, Payment
from shop.services.order_moves import move_order
from shop.services.orders import place_order

MIGRATION = import_module("shop.migrations.0009_order_money_and_rights")
CASES = [
    ("pending", "pending", "pending"),
    ("shipped", "paid", "paid"),
    ("delivered", "paid", "paid"),
    ("cancelled", "pending", "voided"),
    ("cancelled", "refunded", "refunded"),
]


class Editor:
    """What the migration uses of a schema editor."""

    def execute(self, sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)


@pytest.mark.parametrize(("status", "before", "after"), CASES)
def test_amounts_of_older_orders(carl, ada, mug, status, before, after):
    factories.add_to_cart(carl, (mug, 2))
    order = place_order(user=carl, shipping_address="1 Elm Street").order
    for to in Order.Status.path_to(status):
        move_order(order_id=order.pk, to=to, actor=ada, by_staff=True)
    Payment.objects.all().delete()
    Order.objects.update(
        payment_status=before, paid_amount=0, refunded_amount=0, credited_amount=0, shipped_at=None
    )
    MIGRATION.fill_amounts(apps, Editor())
    order.refresh_from_db()
    assert order.payment_status == after
    assert (order.shipped_at is not None) is (status in {"shipped", "delivered"})
    assert_money(order)


def test_ready_groups_get_the_new_rights(db):
    make_groups()
    rights = {
        group.name: {p.codename for p in group.permissions.all()} for group in Group.objects.all()
    }
    assert {"fulfil_order", "edit_order"} <= rights["Fulfilment"]
    assert not {"refund_order", "export_order", "view_revenue"} & rights["Fulfilment"]
    assert {"refund_order", "export_order", "view_revenue"} <= rights["Owner"]
