from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from support import factories, world

from shop.models import AuditEntry, Order, OutboxMessage, StockMovement
from shop.models.cart import MAX_QUANTITY
from shop.services.errors import (
    InsufficientStock,
    InvalidTransition,
    NotFound,
    OrderChanged,
    ProductUnavailable,
    TotalChanged,
)
from shop.services.order_edit import OrderChanges, edit_order, edit_version
from shop.services.order_moves import move_order
from shop.services.order_payments import mark_paid, refund_order
from shop.services.products import set_active, update_product
from shop.services.stock import find_drift


@pytest.fixture
def edit(ada, carls_order):
    """`edit(quantities={...}, notify=True)` edits Carl's order of two mugs and a lamp."""

    def edit(*, quantities=None, shipping_address=None, note=None, **options):
        changes = OrderChanges(shipping_address, note, quantities)
        return edit_order(order_id=carls_order.pk, changes=changes, actor=ada, **options)

    return edit


def lines(order):
    return list(order.items.order_by("sku").values_list("sku", "quantity", "price"))


def edit_movements():
    rows = StockMovement.objects.filter(kind="order_edit").order_by("product")
    return list(rows.values_list("product", "delta"))


def test_stock_total_event_and_audit_follow_the_items(edit, ada, carls_order, mug, lamp):
    bowl = factories.create_product("Bowl", price="9.00", sku="BOWL-1")
    edit(quantities={mug.pk: 3, lamp.pk: 0, bowl.pk: 2}, reason="On the phone")
    order = Order.objects.get()
    assert lines(order) == [("BOWL-1", 2, Decimal("9.00")), ("MUG-1", 3, Decimal("12.50"))]
    assert order.total_amount == order.amount_due == Decimal("55.50")
    assert edit_movements() == [(mug.pk, -1), (lamp.pk, 1), (bowl.pk, -2)]
    event = order.events.last()
    assert (event.kind, event.actor, event.note) == ("edited", ada, "On the phone")
    assert all(text in event.details for text in ("Mug: 2 → 3", "Lamp", "Bowl", "55.50 EUR"))
    assert AuditEntry.objects.get(record_id=str(order.pk)).actor == ada
    assert list(find_drift()) == []
    assert carls_order.updated_at < order.updated_at == event.created_at


def test_items_that_stay_keep_their_price(edit, ada, carls_order, mug, lamp):
    for product in (mug, lamp):
        update_product(product_id=product.pk, changes={"price": Decimal("1.00")}, actor=ada)
    edit(quantities={mug.pk: 1, lamp.pk: 0})
    assert lines(carls_order) == [("MUG-1", 1, Decimal("12.50"))]
    edit(quantities={lamp.pk: 1})
    assert lines(carls_order)[0] == ("LAMP-1", 1, Decimal("1.00"))


def test_an_archived_product_stays_but_is_not_added(edit, ada, refused, mug, lamp):
    set_active(product_ids=[mug.pk, lamp.pk], is_active=False, actor=ada)
    edit(quantities={mug.pk: 3, lamp.pk: 0})
    with refused(ProductUnavailable) as excinfo:
        edit(quantities={lamp.pk: 1})
    assert excinfo.value.details["items"] == [{"product_id": lamp.pk}]


@pytest.mark.parametrize("notify", [False, True])
def test_the_customer_is_mailed_if_asked_for(edit, notify):
    edit(shipping_address="2 Elm Street", notify=notify)
    assert OutboxMessage.objects.filter(kind="order_edited").count() == notify


def test_a_change_of_the_texts_moves_nothing_else(edit, carls_order):
    edit(shipping_address=" 2 Elm Street ", note="Ring twice.")
    order = Order.objects.get()
    assert (order.shipping_address, order.note) == ("2 Elm Street", "Ring twice.")
    assert (order.total_amount, edit_movements()) == (carls_order.total_amount, [])


def test_no_change_writes_nothing(edit, carls_order, mug):
    before = factories.all_rows()
    edit(
        quantities={mug.pk: 2}, shipping_address=carls_order.shipping_address, notify=True, note=""
    )
    assert factories.all_rows() == before


@pytest.mark.parametrize(
    ("units", "status", "due", "refund_due"),
    [(3, "pending", "12.50", "0.00"), (1, "refund_due", "0.00", "12.50")],
)
def test_a_paid_order_owes_the_difference(
    edit, ada, carls_order, mug, units, status, due, refund_due
):
    mark_paid(order_id=carls_order.pk, actor=ada)
    order = edit(quantities={mug.pk: units})
    assert order.payment_status == status
    assert (order.amount_due, order.refund_due) == (Decimal(due), Decimal(refund_due))


def test_two_edits_back_and_forth_leave_no_stock_behind(edit, mug, lamp):
    edit(quantities={mug.pk: 10, lamp.pk: 0})
    edit(quantities={mug.pk: 1, lamp.pk: 5})
    for product, stock in ((mug, 9), (lamp, 0)):
        product.refresh_from_db()
        assert product.stock == stock
    assert list(find_drift()) == []


class TestRefusals:
    """Each changes nothing."""

    @pytest.mark.parametrize("status", ["shipped", "delivered", "cancelled"])
    def test_after_the_shipment(self, edit, ada, refused, carls_order, status):
        world.move_along(carls_order, status, by=ada)
        with refused(InvalidTransition):
            edit(note="Too late")

    def test_too_little_stock_names_the_products(self, edit, refused, mug, lamp):
        with refused(InsufficientStock) as excinfo:
            edit(quantities={mug.pk: 11, lamp.pk: 0})
        item = {"product_id": mug.pk, "requested": 9, "available": 8}
        assert excinfo.value.details["items"] == [item]

    def test_another_version(self, edit, refused, carls_order, mug):
        seen = edit_version(carls_order, carls_order.items.all())
        edit(quantities={mug.pk: 1}, expected_version=seen)
        with refused(OrderChanged):
            edit(note="Ring", expected_version=seen)

    def test_a_product_in_another_currency(self, edit, refused, mug):
        vase = factories.create_product("Vase", price="5.00", stock=9)
        Order.objects.update(currency="JPY")
        with refused(ValidationError):
            edit(quantities={vase.pk: 1})
        edit(quantities={mug.pk: 1})

    def test_another_total(self, edit, refused, mug):
        with refused(TotalChanged) as excinfo:
            edit(quantities={mug.pk: 1}, expected_total=Decimal("1.00"))
        assert excinfo.value.details["total_amount"] == Decimal("62.40")

    @pytest.mark.parametrize("units", [{"mug": 0, "lamp": 0}, {"mug": -1}, {"mug": 1000}])
    def test_impossible_quantities(self, edit, refused, mug, lamp, units):
        assert MAX_QUANTITY < 1000
        products = {"mug": mug.pk, "lamp": lamp.pk}
        with refused(ValidationError):
            edit(quantities={products[name]: number for name, number in units.items()})

    def test_an_empty_address(self, edit, refused):
        with refused(ValidationError) as excinfo:
            edit(shipping_address=" ")
        assert list(excinfo.value.error_dict) == ["shipping_address"]

    def test_less_than_was_credited(self, edit, ada, refused, carls_order, mug, lamp):
        mark_paid(order_id=carls_order.pk, actor=ada)
        refund_order(order_id=carls_order.pk, actor=ada, amount=Decimal("20.00"))
        with refused(ValidationError):
            edit(quantities={mug.pk: 1, lamp.pk: 0})

    def test_an_unknown_order(self, ada, refused):
        with refused(NotFound):
            edit_order(order_id=0, changes=OrderChanges(note="x"), actor=ada)


def test_a_cancellation_after_an_edit_returns_what_the_order_holds(
    edit, ada, carls_order, mug, lamp
):
    edit(quantities={mug.pk: 5, lamp.pk: 0})
    move_order(order_id=carls_order.pk, to="cancelled", actor=ada, by_staff=True)
    for product, stock in ((mug, 10), (lamp, 5)):
        product.refresh_from_db()
        assert product.stock == stock
    assert list(find_drift()) == []


@pytest.mark.parametrize("changed", [1, 3])
def test_the_number_of_statements_does_not_depend_on_the_items(ada, carl, statements, changed):
    products = [factories.create_product(f"P{n}") for n in range(3)]
    order = world.create_order(carl, *((product, 2) for product in products))
    quantities = {product.pk: 1 for product in products[:changed]}
    with statements(9):
        edit_order(order_id=order.pk, changes=OrderChanges(quantities=quantities), actor=ada)
