import re
from decimal import Decimal

import pytest

from shop.models import CartItem, IdempotencyKey, Order, OrderEvent, OrderItem, Product
from shop.models.base import CODE_ALPHABET, generate_code
from shop.models.orders import generate_order_number

Status = Order.Status


def test_codes_use_no_letters_that_look_alike():
    assert len(CODE_ALPHABET) == len(set(CODE_ALPHABET)) == 32
    assert set("ILOU").isdisjoint(CODE_ALPHABET)
    assert [len(generate_code(length)) for length in (0, 1, 40)] == [0, 1, 40]


def test_order_numbers_are_random_and_readable():
    numbers = {generate_order_number() for _ in range(500)}
    assert len(numbers) == 500
    assert all(
        re.fullmatch(f"[{CODE_ALPHABET}]{{4}}-[{CODE_ALPHABET}]{{4}}", number) for number in numbers
    )


def test_each_order_gets_a_new_number():
    assert Order().order_number != Order().order_number


@pytest.mark.parametrize("status", Status)
def test_next_statuses_of_staff_and_customers(status):
    order = Order(status=status)
    assert order.next_statuses(by_staff=True) == status.facts.next == Order.FLOW[status]
    customers = ("cancelled",) if status.facts.customer_can_cancel else ()
    assert order.next_statuses(by_staff=False) == customers


@pytest.mark.parametrize(
    ("status", "staff_can_cancel", "customer_can_cancel"),
    [
        ("pending", True, True),
        ("confirmed", True, True),
        ("shipped", True, False),
        ("delivered", False, False),
        ("cancelled", False, False),
    ],
)
def test_who_can_cancel(status, staff_can_cancel, customer_can_cancel):
    order = Order(status=status)
    assert ("cancelled" in order.next_statuses(by_staff=True)) is staff_can_cancel
    assert ("cancelled" in order.next_statuses(by_staff=False)) is customer_can_cancel


def test_the_flow_contains_every_status():
    assert set(Order.FLOW) == set(Status)
    assert {to for steps in Order.FLOW.values() for to in steps} == set(Status) - {Status.PENDING}


@pytest.mark.parametrize(
    ("credited", "paid", "awaits"), [(0, 0, True), (0, 9, True), (0, 10, False), (10, 0, False)]
)
def test_awaits_payment(credited, paid, awaits):
    order = Order(
        total_amount=Decimal(10), credited_amount=Decimal(credited), paid_amount=Decimal(paid)
    )
    assert order.awaits_payment is awaits


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (Order(order_number="7KX2-9M4Q"), "7KX2-9M4Q"),
        (OrderItem(quantity=2, name="Mug"), "2 × Mug"),
        (CartItem(quantity=3, product=Product(name="Lamp")), "3 × Lamp"),
        (OrderEvent(status="shipped"), "Shipped"),
        (IdempotencyKey(key="abc"), "abc"),
    ],
)
def test_records_as_text(record, text):
    assert str(record) == text
