"""Constraints of the database, tested without the validation in Python."""

from decimal import Decimal

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Upper
from support import factories

from shop.models import (
    CartItem,
    IdempotencyKey,
    Invoice,
    Order,
    OrderItem,
    OutboxMessage,
    Payment,
    Product,
    SavedView,
    StockMovement,
    User,
)
from shop.models.products import MAX_STOCK
from shop.services.orders import place_order

CHECKS = [
    ("user_email_is_lower_case", User, {"email": Upper("email")}),
    ("user_role_is_known", User, {"role": "owner"}),
    ("user_superuser_is_admin", User, {"is_superuser": True}),
    ("product_stock_in_bounds", Product, {"stock": -1}),
    ("product_stock_in_bounds", Product, {"stock": MAX_STOCK + 1}),
    ("product_price_in_bounds", Product, {"price": Decimal("-0.01")}),
    ("movement_changes_something", StockMovement, {"delta": 0}),
    ("movement_balance_not_negative", StockMovement, {"balance_after": -1}),
    ("cart_quantity_in_bounds", CartItem, {"quantity": 0}),
    ("cart_quantity_in_bounds", CartItem, {"quantity": 1000}),
    ("order_status_is_known", Order, {"status": "lost"}),
    ("order_payment_method_is_known", Order, {"payment_method": "shells"}),
    ("order_payment_status_is_known", Order, {"payment_status": "promised"}),
    ("order_credited_in_bounds", Order, {"total_amount": Decimal("-0.01")}),
    ("order_credited_in_bounds", Order, {"credited_amount": Decimal("-0.01")}),
    ("order_credited_in_bounds", Order, {"credited_amount": F("total_amount") + 1}),
    ("order_refunded_in_bounds", Order, {"refunded_amount": Decimal("-0.01")}),
    ("order_refunded_in_bounds", Order, {"refunded_amount": F("paid_amount") + 1}),
    ("order_returned_in_bounds", OrderItem, {"returned_quantity": F("quantity") + 1}),
    ("payment_amounts_not_negative", Payment, {"amount": Decimal("-0.01")}),
    ("payment_amounts_not_negative", Payment, {"credited_amount": Decimal("-0.01")}),
    ("order_quantity_in_bounds", OrderItem, {"quantity": 0}),
    ("order_quantity_in_bounds", OrderItem, {"quantity": 1000}),
    ("order_price_not_negative", OrderItem, {"price": Decimal("-0.01")}),
    ("message_status_is_known", OutboxMessage, {"status": "lost"}),
    ("saved_view_screen_is_known", SavedView, {"screen": "cartitem"}),
]
#: Constraint, model, and a column: SQLite names the columns of a constraint that has only columns.
UNIQUE = [
    ("product_sku_is_unique", Product, "product_sku_is_unique"),
    ("movement_of_a_kind_once_per_order_and_product", StockMovement, "order_id"),
    ("cart_one_line_per_product", CartItem, "user_id"),
    ("order_one_line_per_product", OrderItem, "order_id"),
    ("idempotency_key_once_per_user", IdempotencyKey, "key"),
    ("payment_reference_once", Payment, "reference"),
    ("invoice_number_once", Invoice, "year"),
    ("saved_view_name_once_per_list", SavedView, "owner_id"),
]


@pytest.fixture
def _one_row_each(carl, mug):
    """One row of each table; the only movement is the sale's."""
    StockMovement.objects.all().delete()
    factories.add_to_cart(carl, (mug, 2))
    place_order(user=carl, shipping_address="1 Elm Street")
    factories.add_to_cart(carl, (mug, 1))
    IdempotencyKey.objects.create(user=carl, key="k", fingerprint="f")
    SavedView.objects.create(owner=carl, screen="order", name="n", query="q=1")
    order = Order.objects.get()
    Payment.objects.create(order=order, kind="payment", amount=1, reference="pay_1")
    Invoice.objects.create(order=order, year=2026, sequence=1, amount=1)


def stored_rows(model):
    return list(model.objects.order_by("pk").values())


@pytest.mark.usefixtures("_one_row_each")
@pytest.mark.parametrize(("name", "model", "values"), CHECKS)
def test_check_constraints(name, model, values):
    before = stored_rows(model)
    with pytest.raises(IntegrityError) as excinfo, transaction.atomic():
        model.objects.update(**values)
    # SQLite checks the column's own constraint first and names the column.
    expected = (
        next(iter(values)) if -1 in values.values() and connection.vendor == "sqlite" else name
    )
    assert expected in str(excinfo.value)
    assert stored_rows(model) == before


@pytest.mark.usefixtures("_one_row_each")
@pytest.mark.parametrize(("name", "model", "column"), UNIQUE)
def test_unique_constraints(name, model, column):
    before = stored_rows(model)
    copy = model.objects.get()
    copy.pk = None
    with pytest.raises(IntegrityError) as excinfo, transaction.atomic():
        model.objects.bulk_create([copy])
    assert (name if connection.vendor == "postgresql" else column) in str(excinfo.value)
    assert stored_rows(model) == before


def test_a_price_above_the_limit_is_refused(mug):
    with pytest.raises(DatabaseError), transaction.atomic():
        Product.objects.update(price=F("price") + Decimal("99999999.99"))
    assert Product.objects.get().price == mug.price == Decimal("12.50")


def test_movements_without_an_order_may_share_a_kind(mug):
    copy = StockMovement.objects.get()
    copy.pk = None
    StockMovement.objects.bulk_create([copy])
    assert StockMovement.objects.filter(product=mug, kind="initial").count() == 2


def test_every_constraint_is_tested_here():
    declared = {
        constraint.name
        for model in apps.get_app_config("shop").get_models()
        for constraint in model._meta.constraints
    }
    assert declared == {name for name, _, _ in (*CHECKS, *UNIQUE)}


@pytest.mark.parametrize(
    ("field", "model"), [("email", User), ("order_number", Order)], ids=["email", "order_number"]
)
@pytest.mark.usefixtures("_one_row_each")
def test_a_second_email_or_order_number_is_refused(field, model):
    before = stored_rows(model)
    copy = model.objects.get()
    copy.pk = None
    with pytest.raises(IntegrityError, match=field), transaction.atomic():
        model.objects.bulk_create([copy])
    assert stored_rows(model) == before


def test_the_database_computes_the_subtotal(carl, mug):
    factories.add_to_cart(carl, (mug, 3))
    Product.objects.update(price=Decimal("19.99"))
    order = place_order(user=carl, shipping_address="1 Elm Street").order
    assert order.items.get().subtotal == order.total_amount == Decimal("59.97")
