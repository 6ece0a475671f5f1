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
NEW = {"email": "Nora@Example.com", "first_name": "Nora", "last_name": "New", "phone": " 030 123 "}


@pytest.fixture
def take(ada, carl):
    """Ada takes an order for Carl."""

    def take(lines, **values):
        told = {"customer": carl, "actor": ada, "shipping_address": ADDRESS, **values}
        return place_phone_order(lines=lines, **told)

    return take


def test_staff_order_for_a_customer(take, ada, carl, mug, lamp):
    story = take({lamp.pk: 1, mug.pk: 3}, payment_method="bank_transfer", note=" Ring twice ")
    order = Order.objects.get()
    assert (order, order.user, order.total_amount) == (story.order, carl, Decimal("87.40"))
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


def test_the_customer_reads_who_took_it(take, ada, carl, mug):
    order = take({mug.pk: 1}).order
    event = order.events.get()
    assert (event.kind, event.status, event.actor, event.is_internal) == (
        "status",
        "pending",
        ada,
        False,
    )
    shown = factories.api_client(carl).get(f"/orders/{order.pk}/").json()
    assert [(step["status"], step["note"]) for step in shown["history"]] == [
        ("pending", "Taken by phone.")
    ]


def test_the_customers_own_cart_stays(take, carl, mug, lamp):
    factories.add_to_cart(carl, (mug, 2), (lamp, 1))
    before = list(CartItem.objects.values())
    take({mug.pk: 1})
    assert list(CartItem.objects.values()) == before


def test_the_customer_is_mailed_after_the_commit(take, mug, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        order = take({mug.pk: 1}).order
        assert mail.outbox == []
    assert [(message.to, order.order_number in message.subject) for message in mail.outbox] == [
        (["carl@example.com"], True)
    ]


def test_many_lines_take_as_many_statements_as_one(take, mug, lamp, statements):
    mat = factories.create_product("Mat")
    for lines in ({mug.pk: 1}, {mug.pk: 1, lamp.pk: 1, mat.pk: 1}):
        with statements(7):
            take(lines)


def test_all_that_is_short_is_named(take, mug, lamp, refused):
    with refused(InsufficientStock) as told:
        take({lamp.pk: 6, mug.pk: 11})
    assert told.value.details["items"] == [
        {"product_id": mug.pk, "requested": 11, "available": 10},
        {"product_id": lamp.pk, "requested": 6, "available": 5},
    ]


def test_what_is_archived_is_named(take, mug, lamp, refused):
    Product.objects.filter(pk=lamp.pk).update(is_active=False)
    with refused(ProductUnavailable) as told:
        take({lamp.pk: 1, mug.pk: 1})
    assert told.value.details == {"items": [{"product_id": lamp.pk}]}


def test_what_is_unknown_is_named(take, mug, refused):
    with refused(ProductUnavailable) as told:
        take({mug.pk: 1, 4711: 1})
    assert told.value.details == {"items": [{"product_id": 4711}]}


def test_nothing_is_no_order(take, refused):
    with refused(CartEmpty):
        take({})


@pytest.mark.parametrize("expected", ["12.49", "12.51", "0.00"])
def test_another_total_than_expected_is_refused(take, mug, refused, expected):
    with refused(TotalChanged) as told:
        take({mug.pk: 1}, expected_total=Decimal(expected))
    assert told.value.details == {"total_amount": Decimal("12.50")}


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
def test_what_a_cart_or_the_telephone_does_not_allow_is_refused(take, mug, refused, values, field):
    with refused(ValidationError) as told:
        take({mug.pk: 1}, **values)
    assert list(told.value.message_dict) == [field]


@pytest.mark.parametrize("quantity", [-1, 0, 1000])
def test_a_quantity_is_one_to_999(take, refused, quantity):
    plenty = factories.create_product(stock=2000)
    with refused(ValidationError, match="order 1 to 999"):
        take({plenty.pk: quantity})
    assert take({plenty.pk: 999}).order.items.get().quantity == 999


def test_an_order_has_at_most_100_lines(take, refused):
    shelf = [factories.create_product(f"Mat {number}", stock=1).pk for number in range(101)]
    with refused(ValidationError, match="at most 100 different products"):
        take(dict.fromkeys(shelf, 1))
    assert take(dict.fromkeys(shelf[:100], 1)).order.items.count() == 100


def test_a_customer_without_a_password_sets_one_by_the_reset(
    ada, django_capture_on_commit_callbacks
):
    nora = accounts.add_customer(actor=ada, **NEW)
    assert (nora, nora.email, nora.phone, nora.role) == (
        User.objects.get(email=NEW["email"]),
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
    assert accounts.login(email=nora.email, password=factories.PASSWORD).user == nora


@pytest.mark.parametrize("email", ["carl@example.com", "CARL@EXAMPLE.COM"])
def test_a_customer_is_added_once(ada, carl, refused, email):
    with refused(EmailTaken):
        accounts.add_customer(actor=ada, **{**NEW, "email": email})


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
def test_a_customer_with_a_bad_field_is_refused(ada, refused, field, value):
    with refused(ValidationError) as told:
        accounts.add_customer(actor=ada, **{**NEW, field: value})
    assert list(told.value.message_dict) == [field]
