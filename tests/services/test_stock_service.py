import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from support import factories

from shop.models import Product, StockMovement
from shop.models.products import MAX_STOCK
from shop.services.errors import InsufficientStock, NotFound, StockChanged
from shop.services.order_moves import move_order
from shop.services.stock import (
    Kind,
    StockChange,
    adjust_stock,
    count_stock,
    find_drift,
    lock_products,
    return_stock,
    take_stock,
)


def ledger(product):
    """Return the product's movements without the first, oldest first."""
    movements = product.movements.order_by("pk")
    rows = movements.values_list("kind", "delta", "balance_after", "order", "actor", "reason")
    return list(rows)[1:]


def stock_of(product):
    return Product.objects.get(pk=product.pk).stock


def test_a_new_product_has_an_initial_movement(mug):
    first = mug.movements.get()
    assert (first.kind, first.delta, first.balance_after) == ("initial", 10, 10)
    assert (first.order, first.actor) == (None, None)
    assert mug.stock == stock_of(mug) == 10


def test_a_new_product_without_stock_has_an_empty_ledger(db):
    item = factories.create_product(stock=0)
    assert (item.stock, item.movements.count()) == (0, 0)


@pytest.mark.parametrize(
    ("delta", "kind", "expected"), [(5, "received", 15), (-4, "damaged", 6), (-10, "correction", 0)]
)
def test_staff_can_adjust_the_stock(ada, mug, delta, kind, expected):
    product = adjust_stock(
        product_id=mug.pk, delta=delta, kind=Kind(kind), actor=ada, reason="Shelf 3"
    )
    assert product.stock == stock_of(mug) == expected
    assert ledger(mug) == [(kind, delta, expected, None, ada.pk, "Shelf 3")]
    assert product.updated_at > mug.updated_at
    assert list(find_drift()) == []


def test_adjusting_by_zero_writes_nothing(ada, mug):
    assert adjust_stock(product_id=mug.pk, delta=0, kind=Kind.RECEIVED, actor=ada).stock == 10
    assert ledger(mug) == []


def test_a_negative_stock_is_refused(ada, mug, refused):
    with refused(InsufficientStock) as excinfo:
        adjust_stock(product_id=mug.pk, delta=-11, kind=Kind.CORRECTION, actor=ada)
    assert excinfo.value.details == {"available": 10}


def test_a_stock_above_the_limit_is_refused(ada, mug, refused):
    with refused(ValidationError) as excinfo:
        adjust_stock(product_id=mug.pk, delta=MAX_STOCK - 9, kind=Kind.CORRECTION, actor=ada)
    assert list(excinfo.value.message_dict) == ["delta"]


def test_the_stock_can_reach_the_limit(ada, mug):
    adjust_stock(product_id=mug.pk, delta=MAX_STOCK - 10, kind=Kind.RECEIVED, actor=ada)
    assert stock_of(mug) == MAX_STOCK


@pytest.mark.parametrize("change", [adjust_stock, count_stock])
def test_an_unknown_product_is_not_found(ada, mug, refused, change):
    number = {"delta": 1, "kind": Kind.RECEIVED} if change is adjust_stock else {"counted": 1}
    with refused(NotFound):
        change(product_id=mug.pk + 1, actor=ada, **number)


@pytest.mark.parametrize(("counted", "delta"), [(7, -3), (12, 2), (0, -10)])
@pytest.mark.parametrize("expected", [None, 10])
def test_a_count_records_the_difference(ada, mug, counted, delta, expected):
    count_stock(product_id=mug.pk, counted=counted, expected=expected, actor=ada, reason="May")
    assert stock_of(mug) == counted
    assert ledger(mug) == [("counted", delta, counted, None, ada.pk, "May")]


def test_a_count_without_a_difference_writes_nothing(ada, mug):
    assert count_stock(product_id=mug.pk, counted=10, expected=10, actor=ada).stock == 10
    assert ledger(mug) == []


@pytest.mark.parametrize("counted", [10, 7])
def test_a_count_is_refused_if_the_stock_has_changed_since(ada, mug, refused, counted):
    with refused(StockChanged) as excinfo:
        count_stock(product_id=mug.pk, counted=counted, expected=12, actor=ada)
    assert excinfo.value.details == {"stock": 10}


@pytest.mark.parametrize("counted", [-1, MAX_STOCK + 1])
def test_a_count_out_of_bounds_is_refused(ada, mug, refused, counted):
    with refused(InsufficientStock):
        count_stock(product_id=mug.pk, counted=counted, actor=ada)


def test_a_sale_runs_two_statements_whatever_the_number_of_products(
    carl, mug, lamp, carls_order, statements
):
    mat = factories.create_product("Mat", stock=3)
    with statements(2):
        take_stock([StockChange(mat.pk, -2, carls_order.pk)], actor=carl)
    assert ledger(mug) == [("sale", -2, 8, carls_order.pk, carl.pk, "")]
    assert ledger(lamp) == [("sale", -1, 4, carls_order.pk, carl.pk, "")]
    assert ledger(mat) == [("sale", -2, 1, carls_order.pk, carl.pk, "")]


def test_a_sale_takes_all_products_or_none(carl, mug, lamp, carls_order, refused):
    mat = factories.create_product("Mat", stock=1)
    with refused(InsufficientStock), transaction.atomic():
        take_stock([StockChange(mat.pk, -1), StockChange(mug.pk, -9)], actor=carl)
    assert [stock_of(product) for product in (mat, mug, lamp)] == [1, 8, 4]


def test_a_cancellation_returns_the_units_sold(ada, mug, lamp, carls_order):
    move_order(order_id=carls_order.pk, to="cancelled", actor=ada, by_staff=True, note="Lost")
    assert [stock_of(product) for product in (mug, lamp)] == [10, 5]
    assert ledger(mug)[1:] == [("cancellation", 2, 10, carls_order.pk, ada.pk, "Lost")]
    assert list(find_drift()) == []


def test_the_database_refuses_a_second_return(ada, mug, carls_order, refused):
    common = {"actor": ada, "reason": ""}
    return_stock([StockChange(mug.pk, 2, carls_order.pk)], **common)
    with refused(Exception, match=r"movement_of_a_kind|UNIQUE"), transaction.atomic():
        return_stock([StockChange(mug.pk, 2, carls_order.pk)], **common)


@pytest.mark.django_db(transaction=True)
def test_movements_outside_a_transaction_are_refused(carl, mug, refused):
    with refused(transaction.TransactionManagementError):
        take_stock([StockChange(mug.pk, -1)], actor=carl)


def test_products_are_locked_in_id_order(mug, lamp):
    locked = lock_products([lamp.pk, mug.pk, lamp.pk + 1])
    assert [product.pk for product in locked] == sorted([mug.pk, lamp.pk])
    assert StockMovement.objects.count() == 2
