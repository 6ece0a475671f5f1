from decimal import Decimal

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from support import factories

from shop.models import CartItem, Order, OutboxMessage, Product
from shop.services import orders
from shop.services.errors import (
    CartEmpty,
    InsufficientStock,
    PaymentDeclined,
    ProductUnavailable,
    TotalChanged,
)
from shop.services.orders import authorize_checkout, place_order
from shop.services.stock import find_drift

ADDRESS = "1 Elm Street\nSpringfield"


def place(user, **values):
    return place_order(user=user, **{"shipping_address": ADDRESS, **values})


@pytest.fixture
def full_cart(carl, mug, lamp):
    factories.add_to_cart(carl, (lamp, 1), (mug, 3))


@pytest.mark.usefixtures("full_cart")
def test_placing_an_order_writes_everything_and_empties_the_cart(carl, mug, lamp):
    details = place(carl, note=" Ring twice ")
    order = Order.objects.get()
    assert (order, order.user, order.total_amount) == (details.order, carl, Decimal("87.40"))
    assert (order.status, order.payment_status, order.payment_method) == (
        "pending",
        "pending",
        "cash_on_delivery",
    )
    assert (order.shipping_address, order.note) == (ADDRESS, "Ring twice")
    assert order.created_at == order.updated_at == order.events.get().created_at
    lines = order.items.order_by("name").values_list(
        "product", "sku", "name", "price", "quantity", "subtotal"
    )
    assert list(lines) == [
        (lamp.pk, "LAMP-1", "Lamp", Decimal("49.90"), 1, Decimal("49.90")),
        (mug.pk, "MUG-1", "Mug", Decimal("12.50"), 3, Decimal("37.50")),
    ]
    assert sorted(Product.objects.values_list("name", "stock")) == [("Lamp", 4), ("Mug", 7)]
    assert CartItem.objects.count() == 0
    assert list(find_drift()) == []


@pytest.mark.usefixtures("full_cart")
def test_the_result_equals_the_stored_order(carl):
    details = place(carl)
    assert [item.subtotal for item in details.items] == [
        item.subtotal for item in details.order.items.all()
    ]
    event = details.order.events.get()
    assert list(details.events) == [event]
    assert (event.kind, event.status, event.payment_status, event.actor) == (
        "status",
        "pending",
        "pending",
        carl,
    )


def test_the_number_of_statements_does_not_depend_on_the_number_of_lines(
    carl, mug, lamp, statements
):
    factories.add_to_cart(carl, (mug, 1))
    with statements(8):
        place(carl)
    factories.add_to_cart(carl, (mug, 1), (lamp, 1), (factories.create_product("Mat"), 1))
    with statements(8):
        place(carl)


@pytest.mark.usefixtures("full_cart")
def test_later_product_changes_do_not_change_the_order(carl, mug):
    order = place(carl).order
    Product.objects.filter(pk=mug.pk).update(name="Cup", price=Decimal("99.00"), sku="CUP-9")
    line = order.items.get(product=mug)
    assert (line.name, line.price, line.sku, line.subtotal) == (
        "Mug",
        Decimal("12.50"),
        "MUG-1",
        Decimal("37.50"),
    )
    assert Order.objects.get().total_amount == Decimal("87.40")


@pytest.mark.parametrize(
    ("price", "quantity", "total"),
    [
        ("0.00", 5, "0.00"),
        ("0.01", 999, "9.99"),
        ("19.99", 3, "59.97"),
        ("99999999.99", 999, "99899999990.01"),
    ],
)
def test_totals_are_exact(carl, price, quantity, total):
    item = factories.create_product(price=price, stock=999)
    factories.add_to_cart(carl, (item, quantity))
    details = place(carl, expected_total=Decimal(total))
    assert Order.objects.get().total_amount == details.order.total_amount == Decimal(total)
    assert details.order.items.get().subtotal == Decimal(total)


def test_the_carts_of_other_customers_are_not_changed(carl, dora, mug, lamp):
    factories.add_to_cart(carl, (mug, 1))
    factories.add_to_cart(dora, (mug, 2), (lamp, 1))
    place(carl)
    assert list(dora.cart.values_list("product", "quantity")) == [(mug.pk, 2), (lamp.pk, 1)]


def test_an_empty_cart_is_refused(carl, refused):
    with refused(CartEmpty):
        place(carl)


@pytest.mark.usefixtures("full_cart")
def test_insufficient_stock_names_every_product(carl, mug, lamp, refused):
    Product.objects.filter(pk=mug.pk).update(stock=2)
    Product.objects.filter(pk=lamp.pk).update(stock=0)
    with refused(InsufficientStock) as excinfo:
        place(carl)
    assert sorted(excinfo.value.details["items"], key=lambda item: -item["requested"]) == [
        {"product_id": mug.pk, "requested": 3, "available": 2},
        {"product_id": lamp.pk, "requested": 1, "available": 0},
    ]


@pytest.mark.usefixtures("full_cart")
def test_archived_products_are_named(carl, mug, lamp, refused):
    Product.objects.update(is_active=False)
    with refused(ProductUnavailable) as excinfo:
        place(carl)
    assert {item["product_id"] for item in excinfo.value.details["items"]} == {mug.pk, lamp.pk}


@pytest.mark.usefixtures("full_cart")
@pytest.mark.parametrize("expected", ["87.39", "87.41", "0.00"])
def test_a_total_that_differs_from_the_expected_one_is_refused(carl, refused, expected):
    with refused(TotalChanged) as excinfo:
        place(carl, expected_total=Decimal(expected))
    assert excinfo.value.details == {"total_amount": Decimal("87.40")}


@pytest.mark.usefixtures("full_cart")
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"shipping_address": ""}, "shipping_address"),
        ({"shipping_address": " \n "}, "shipping_address"),
        ({"shipping_address": "x" * 1001}, "shipping_address"),
        ({"shipping_address": "\x00"}, "shipping_address"),
        ({"note": "\u202e"}, "note"),
        ({"note": "x" * 1001}, "note"),
        ({"payment_method": "shells"}, "payment_method"),
    ],
)
def test_invalid_values_are_refused(carl, refused, values, field):
    with refused(ValidationError) as excinfo:
        place(carl, **values)
    assert list(excinfo.value.message_dict) == [field]


@pytest.mark.usefixtures("full_cart")
def test_a_declined_card_is_refused(carl, refused):
    with refused(PaymentDeclined):
        authorize_checkout(user=carl, method="card", token="tok_declined", expected_total=None)


@pytest.mark.usefixtures("full_cart")
def test_the_ledger_refuses_what_the_first_check_missed(carl, mug, refused, monkeypatch):
    Product.objects.filter(pk=mug.pk).update(stock=2)
    monkeypatch.setattr(orders, "check_lines", lambda _: None)
    with refused(InsufficientStock):
        place(carl)


@pytest.mark.usefixtures("full_cart")
def test_the_email_is_sent_after_the_commit(carl, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        order = place(carl).order
        assert mail.outbox == []
    assert len(callbacks) == 1
    assert [(message.to, order.order_number in message.subject) for message in mail.outbox] == [
        (["carl@example.com"], True)
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("full_cart")
def test_no_email_is_sent_after_a_rollback(carl, refused, monkeypatch):
    monkeypatch.setattr(orders, "OrderDetails", None)  # the last step fails
    with refused(TypeError):
        place(carl)
    assert mail.outbox == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("full_cart")
def test_a_failing_email_does_not_undo_the_order(carl, monkeypatch):
    def fail_to_send(*_):
        raise ConnectionRefusedError("no mail server")

    monkeypatch.setattr("shop.documents.emails.EmailMultiAlternatives.send", fail_to_send)
    order = place(carl).order
    assert Order.objects.get() == order
    assert CartItem.objects.count() == 0
    message = OutboxMessage.objects.get()
    assert (message.status, message.attempts, message.error) == (
        "pending",
        1,
        "The mail server can't be reached.",
    )
