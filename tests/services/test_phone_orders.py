import re
from decimal import Decimal

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from support import factories

from shop.models import CartItem, Order, Product, StockMovement, User
from shop.services import accounts
from shop.services.errors import (
    CartEmpty,
    EmailTaken,
    InsufficientStock,
    InvalidCredentials,
    ProductUnavailable,
    TotalChanged,
)
from shop.services.phone_orders import place_phone_order
from shop.services.stock import find_drift

ADDRESS = "1 Elm Street\nSpringfield"
NEW_CUSTOMER = {
    "email": "Nora@Example.com",
    "first_name": "Nora",
    "last_name": "New",
    "phone": " 030 123 ",
}


@pytest.fixture
def place(ada, carl):
    """Place an order for Carl, entered by Ada."""

    def place(lines, **values):
        defaults = {"customer": carl, "actor": ada, "shipping_address": ADDRESS}
        return place_phone_order(lines=lines, **defaults | values)

    return place


def test_staff_place_an_order_for_a_customer(place, ada, carl, mug, lamp):
    details = place({lamp.pk: 1, mug.pk: 3}, payment_method="bank_transfer", note=" Ring twice ")
    order = Order.objects.get()
    assert (order, order.user, order.total_amount) == (details.order, carl, Decimal("87.40"))
    assert (order.status, order.payment_status, order.payment_method) == (
        "pending",
        "pending",
        "bank_transfer",
    )
    assert (order.shipping_address, order.note) == (ADDRESS, "Ring twice")
    assert sorted(order.items.values_list("sku", "price", "quantity")) == [
        ("LAMP-1", Decimal("49.90"), 1),
        ("MUG-1", Decimal("12.50"), 3),
    ]
    assert sorted(Product.objects.values_list("name", "stock")) == [("Lamp", 4), ("Mug", 7)]
    sold = StockMovement.objects.filter(kind="sale").values_list("actor", "order")
    assert list(sold) == [(ada.pk, order.pk)] * 2
    assert list(find_drift()) == []


def test_the_first_event_names_staff_and_is_shown_to_the_customer(place, ada, carl, mug):
    order = place({mug.pk: 1}).order
    event = order.events.get()
    assert (event.kind, event.status, event.actor, event.is_internal) == (
        "status",
        "pending",
        ada,
        False,
    )
    history = factories.api_client(carl).get(f"/orders/{order.pk}/").json()["history"]
    assert [(step["status"], step["note"]) for step in history] == [("pending", "Phone order.")]


def test_the_cart_of_the_customer_is_not_changed(place, carl, mug, lamp):
    factories.add_to_cart(carl, (mug, 2), (lamp, 1))
    before = list(CartItem.objects.values())
    place({mug.pk: 1})
    assert list(CartItem.objects.values()) == before


def test_the_customer_gets_an_email_after_the_commit(
    place, mug, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        order = place({mug.pk: 1}).order
        assert mail.outbox == []
    assert [(message.to, order.order_number in message.subject) for message in mail.outbox] == [
        (["carl@example.com"], True)
    ]


def test_the_number_of_statements_does_not_depend_on_the_number_of_lines(
    place, mug, lamp, statements
):
    mat = factories.create_product("Mat")
    for lines in ({mug.pk: 1}, {mug.pk: 1, lamp.pk: 1, mat.pk: 1}):
        with statements(8):
            place(lines)


def test_insufficient_stock_names_every_product(place, mug, lamp, refused):
    with refused(InsufficientStock) as excinfo:
        place({lamp.pk: 6, mug.pk: 11})
    assert excinfo.value.details["items"] == [
        {"product_id": mug.pk, "requested": 11, "available": 10},
        {"product_id": lamp.pk, "requested": 6, "available": 5},
    ]


def test_archived_products_are_named(place, mug, lamp, refused):
    Product.objects.filter(pk=lamp.pk).update(is_active=False)
    with refused(ProductUnavailable) as excinfo:
        place({lamp.pk: 1, mug.pk: 1})
    assert excinfo.value.details == {"items": [{"product_id": lamp.pk}]}


def test_unknown_products_are_named(place, mug, refused):
    with refused(ProductUnavailable) as excinfo:
        place({mug.pk: 1, 4711: 1})
    assert excinfo.value.details == {"items": [{"product_id": 4711}]}


def test_an_order_without_lines_is_refused(place, refused):
    with refused(CartEmpty):
        place({})


@pytest.mark.parametrize("expected", ["12.49", "12.51", "0.00"])
def test_a_total_that_differs_from_the_expected_one_is_refused(place, mug, refused, expected):
    with refused(TotalChanged) as excinfo:
        place({mug.pk: 1}, expected_total=Decimal(expected))
    assert excinfo.value.details == {"total_amount": Decimal("12.50")}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"shipping_address": " \n "}, "shipping_address"),
        ({"shipping_address": "x" * 1001}, "shipping_address"),
        ({"note": "\u202e"}, "note"),
        ({"payment_method": "shells"}, "payment_method"),
        ({"payment_method": "card"}, "payment_method"),
    ],
)
def test_invalid_values_are_refused(place, mug, refused, values, field):
    with refused(ValidationError) as excinfo:
        place({mug.pk: 1}, **values)
    assert list(excinfo.value.message_dict) == [field]


def test_a_method_that_the_shop_does_not_offer_is_refused(place, mug, refused, settings):
    settings.SHOP_PAYMENT_METHODS = ["cash_on_delivery"]
    with refused(ValidationError) as excinfo:
        place({mug.pk: 1}, payment_method="bank_transfer")
    assert list(excinfo.value.message_dict) == ["payment_method"]


@pytest.mark.parametrize("quantity", [-1, 0, 1000])
def test_a_quantity_outside_1_to_999_is_refused(place, refused, quantity):
    plenty = factories.create_product(stock=2000)
    with refused(ValidationError) as excinfo:
        place({plenty.pk: quantity})
    assert list(excinfo.value.message_dict) == ["lines"]
    assert place({plenty.pk: 999}).order.items.get().quantity == 999


def test_an_order_has_at_most_100_lines(place, refused):
    products = [factories.create_product(f"Mat {number}", stock=1).pk for number in range(101)]
    with refused(ValidationError) as excinfo:
        place(dict.fromkeys(products, 1))
    assert list(excinfo.value.message_dict) == ["lines"]
    assert place(dict.fromkeys(products[:100], 1)).order.items.count() == 100


def test_a_customer_without_a_password_can_set_one_by_the_reset_email(
    ada, django_capture_on_commit_callbacks
):
    nora = accounts.add_customer(actor=ada, **NEW_CUSTOMER)
    assert (nora, nora.email, nora.phone, nora.role) == (
        User.objects.get(email=NEW_CUSTOMER["email"]),
        "nora@example.com",
        "030 123",
        "customer",
    )
    with pytest.raises(InvalidCredentials):
        accounts.login(email=nora.email, password="")
    with django_capture_on_commit_callbacks(execute=True):
        accounts.request_reset(email=nora.email)
    uid, token = re.search(r"User: (\S+)\s+Code: (\S+)", mail.outbox[0].body).groups()
    accounts.reset_password(uid=uid, token=token, new=factories.PASSWORD)
    assert accounts.login(email=nora.email, password=factories.PASSWORD)[0].user == nora


@pytest.mark.parametrize("email", ["carl@example.com", "CARL@EXAMPLE.COM"])
def test_a_customer_with_a_known_email_is_refused(ada, carl, refused, email):
    with refused(EmailTaken):
        accounts.add_customer(actor=ada, **{**NEW_CUSTOMER, "email": email})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("email", ""),
        ("first_name", " "),
        ("last_name", ""),
        ("phone", "\u202e1"),
    ],
)
def test_a_customer_with_an_invalid_field_is_refused(ada, refused, field, value):
    with refused(ValidationError) as excinfo:
        accounts.add_customer(actor=ada, **{**NEW_CUSTOMER, field: value})
    assert list(excinfo.value.message_dict) == [field]
