import re

import pytest

from shop.models import CartItem, IdempotencyKey, Order, OrderEvent, OrderItem, Product
from shop.models.base import CODE_ALPHABET, generate_code
from shop.models.orders import generate_order_number

Status = Order.Status


def test_a_readable_code_has_no_letters_that_look_like_others():
    assert len(CODE_ALPHABET) == len(set(CODE_ALPHABET)) == 32
    assert set("ILOU").isdisjoint(CODE_ALPHABET)
    assert [len(generate_code(length)) for length in (0, 1, 40)] == [0, 1, 40]


def test_an_order_number_can_be_read_aloud():
    numbers = {generate_order_number() for _ in range(500)}
    assert len(numbers) == 500
    assert all(
        re.fullmatch(f"[{CODE_ALPHABET}]{{4}}-[{CODE_ALPHABET}]{{4}}", number) for number in numbers
    )


def test_each_order_gets_a_number_of_its_own():
    assert Order().order_number != Order().order_number


@pytest.mark.parametrize(
    ("status", "by_staff", "by_customer"),
    [
        ("pending", ("confirmed", "cancelled"), ("cancelled",)),
        ("confirmed", ("shipped", "cancelled"), ("cancelled",)),
        ("shipped", ("delivered", "cancelled"), ()),
        ("delivered", (), ()),
        ("cancelled", (), ()),
    ],
)
def test_an_order_may_go_from(status, by_staff, by_customer):
    order = Order(status=status)
    assert order.next_statuses(by_staff=True) == by_staff == Order.FLOW[status]
    assert order.next_statuses(by_staff=False) == by_customer


def test_the_flow_knows_every_status_and_no_other():
    assert set(Order.FLOW) == set(Status)
    assert {to for steps in Order.FLOW.values() for to in steps} == set(Status) - {Status.PENDING}


def test_customers_may_only_do_what_staff_may():
    for status in Status:
        order = Order(status=status)
        assert set(order.next_statuses(by_staff=False)) <= set(order.next_statuses(by_staff=True))


@pytest.mark.parametrize(
    ("payment", "status", "awaits"),
    [
        ("pending", "pending", True),
        ("pending", "delivered", True),
        ("pending", "cancelled", False),
        ("paid", "pending", False),
        ("refunded", "cancelled", False),
    ],
)
def test_an_order_awaits_its_payment(payment, status, awaits):
    assert Order(payment_status=payment, status=status).awaits_payment is awaits


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (Order(order_number="7KX2-9M4Q"), "7KX2-9M4Q"),
        (OrderItem(quantity=2, name="Mug"), "2 × Mug"),
        (CartItem(quantity=3, product=Product(name="Lamp")), "3 × Lamp"),
        (OrderEvent(status="shipped"), "Shipped"),
        (IdempotencyKey(key="abc"), "abc"),
    ],
)
def test_a_row_says_what_it_is(row, shown):
    assert str(row) == shown
