"""Deliveries and stock counts of many products."""

import pytest
from django.core.exceptions import ValidationError
from support import factories

from shop.models import ChangeSet, Product, StockMovement
from shop.models.products import MAX_STOCK
from shop.services.change_sets.undo import undo_change_set
from shop.services.errors import DeliveryReceived, NotFound
from shop.services.goods import Count, book_count, find_receipts, list_suppliers, receive_goods
from shop.services.orders import place_order
from shop.services.stock import adjust_stock, count_stock, find_drift
from shop.services.stock_since import products_with_movement, read_movements_since

Kind = StockMovement.Kind


def stocks():
    return dict(Product.objects.values_list("sku", "stock"))


def movements():
    rows = StockMovement.objects.exclude(kind=Kind.INITIAL).order_by("id")
    return list(rows.values_list("product__sku", "kind", "delta", "balance_after"))


def newest(product):
    return products_with_movement().get(pk=product.pk).newest_movement


def sell(user, product, units):
    factories.add_to_cart(user, (product, units))
    return place_order(user=user, shipping_address="1 Street")


def codes(refused):
    return [error.code for error in refused.value.error_list]


def test_a_delivery_is_added(ada, mug, lamp):
    units = {mug.pk: 12, lamp.pk: 0}
    receipt = receive_goods(units=units, actor=ada, supplier="Kiln ", delivery_note=" 4711")
    assert (receipt.kind, receipt.name) == (ChangeSet.Kind.RECEIPT, "Kiln · 4711")
    assert (receipt.supplier, receipt.delivery_note) == ("Kiln", "4711")
    assert receipt.result == {"changed": 1, "units": 12}
    assert movements() == [("MUG-1", "received", 12, 22)]
    assert (stocks(), list(find_drift())) == ({"MUG-1": 22, "LAMP-1": 5}, [])


@pytest.mark.parametrize(
    ("units", "error"),
    [
        ({}, ValidationError),
        ({"mug": 0}, ValidationError),
        ({"mug": MAX_STOCK, "lamp": 1}, ValidationError),
        ({"mug": 1, "none": 1}, NotFound),
    ],
)
def test_a_delivery_is_refused_as_a_whole(ada, mug, lamp, units, error):
    ids = {"mug": mug.pk, "lamp": lamp.pk, "none": 987}
    before = factories.all_rows()
    with pytest.raises(error) as refused:
        receive_goods(units={ids[name]: count for name, count in units.items()}, actor=ada)
    assert factories.all_rows() == before
    if MAX_STOCK in units.values():
        assert codes(refused) == ["stock_bounds"]


def test_a_delivery_note_is_received_once_unless_confirmed(ada, mug, lamp):
    delivery = {"supplier": "Kiln", "delivery_note": "4711", "actor": ada}
    first = receive_goods(units={mug.pk: 1}, **delivery)
    before = factories.all_rows()
    for note, supplier in (("4711", "Kiln"), (" 4711 ", "kiln"), ("4711", "")):
        with pytest.raises(DeliveryReceived):
            receive_goods(units={lamp.pk: 1}, actor=ada, supplier=supplier, delivery_note=note)
        assert find_receipts(supplier=supplier, delivery_note=note) == [first]
    assert factories.all_rows() == before

    receive_goods(units={mug.pk: 1}, actor=ada, supplier="Oak", delivery_note="4711")
    receive_goods(units={mug.pk: 1}, **delivery, may_repeat=True)
    receive_goods(units={mug.pk: 1}, actor=ada)
    receive_goods(units={mug.pk: 1}, actor=ada)
    assert stocks()["MUG-1"] == 15
    assert list_suppliers() == ["Kiln", "Oak"]


def test_an_undone_delivery_may_come_again(ada, mug):
    receipt = receive_goods(units={mug.pk: 3}, actor=ada, delivery_note="4711")
    undo_change_set(receipt.pk, actor=ada)
    assert find_receipts(supplier="", delivery_note="4711") == []
    receive_goods(units={mug.pk: 3}, actor=ada, delivery_note="4711")
    assert stocks() == {"MUG-1": 13}


def test_an_old_delivery_whose_rows_were_purged_is_still_found(ada, mug):
    receipt = receive_goods(units={mug.pk: 3}, actor=ada, delivery_note="4711")
    ChangeSet.objects.update(state=ChangeSet.State.CLOSED)
    assert find_receipts(supplier="", delivery_note="4711") == [receipt]


def test_a_count_books_differences(ada, mug, lamp):
    counts = {mug.pk: Count(8, 10), lamp.pk: Count(5, 5)}
    counted = book_count(counts=counts, actor=ada, note="Shelf A")
    assert (counted.kind, counted.name) == (ChangeSet.Kind.COUNT, "Shelf A")
    assert counted.result == {"changed": 1, "units": -2}
    assert movements() == [("MUG-1", "counted", -2, 8)]
    assert (stocks(), list(find_drift())) == ({"MUG-1": 8, "LAMP-1": 5}, [])


def test_nothing_may_be_left(ada, mug):
    book_count(counts={mug.pk: Count(0, 10)}, actor=ada)
    assert stocks() == {"MUG-1": 0}


def test_what_is_sold_while_counting_stays_sold(ada, carl, mug):
    seen = newest(mug)
    sell(carl, mug, 2)
    book_count(counts={mug.pk: Count(9, 10, seen)}, actor=ada)
    assert stocks() == {"MUG-1": 7}
    assert list(find_drift()) == []


@pytest.mark.parametrize(
    ("counts", "error"),
    [
        ({}, ValidationError),
        ({"mug": Count(10, 10)}, ValidationError),
        ({"mug": Count(0, 11), "lamp": Count(6, 5)}, ValidationError),
        ({"mug": Count(MAX_STOCK, 9)}, ValidationError),
        ({"mug": Count(1, 2), "none": Count(1, 2)}, NotFound),
    ],
)
def test_a_count_is_refused_as_a_whole(ada, mug, lamp, counts, error):
    ids = {"mug": mug.pk, "lamp": lamp.pk, "none": 987}
    before = factories.all_rows()
    with pytest.raises(error):
        book_count(counts={ids[name]: count for name, count in counts.items()}, actor=ada)
    assert factories.all_rows() == before


@pytest.mark.parametrize("page", ["many", "one"])
def test_what_somebody_else_has_counted_is_counted_again(ada, mug, lamp, page):
    seen = {product.pk: newest(product) for product in (mug, lamp)}
    if page == "many":
        book_count(counts={mug.pk: Count(9, 10, seen[mug.pk])}, actor=ada)
    else:
        count_stock(product_id=mug.pk, counted=9, actor=ada)
    before = factories.all_rows()
    counts = {mug.pk: Count(9, 10, seen[mug.pk]), lamp.pk: Count(4, 5, seen[lamp.pk])}
    with pytest.raises(ValidationError) as refused:
        book_count(counts=counts, actor=ada)
    assert codes(refused) == ["counted_twice"]
    assert refused.value.error_list[0].params["product"] == mug
    assert factories.all_rows() == before

    counts[mug.pk] = Count(8, 9, newest(mug))
    book_count(counts=counts, actor=ada)
    assert stocks() == {"MUG-1": 8, "LAMP-1": 4}


def test_movements_since_are_told_apart(ada, carl, mug, lamp):
    vase = factories.create_product("Vase", stock=0, sku="VASE-1")
    seen = {product.pk: newest(product) for product in (mug, lamp, vase)}
    assert seen[vase.pk] == 0
    assert read_movements_since(seen) == {}
    sell(carl, mug, 2)
    adjust_stock(product_id=mug.pk, delta=5, kind=Kind.RECEIVED, actor=ada)
    count_stock(product_id=lamp.pk, counted=4, actor=ada)
    adjust_stock(product_id=vase.pk, delta=3, kind=Kind.RECEIVED, actor=ada)
    since = read_movements_since(seen)
    assert {pk: (s.sold, s.delta, s.is_counted) for pk, s in since.items()} == {
        mug.pk: (2, 3, False),
        lamp.pk: (0, -1, True),
        vase.pk: (0, 3, False),
    }


@pytest.mark.parametrize("number", [1, 3])
def test_statements_do_not_grow_with_rows(ada, statements, number):
    products = [factories.create_product(f"Mug {n}", sku=f"M-{n}") for n in range(number)]
    with statements(11):
        receive_goods(
            units={product.pk: 2 for product in products}, actor=ada, delivery_note="4711"
        )
    with statements(11):
        book_count(counts={p.pk: Count(11, 12, seen=99_999) for p in products}, actor=ada)
    with statements(1):
        read_movements_since({product.pk: 0 for product in products})
