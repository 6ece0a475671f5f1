"""Which errors make `atomically` run the transaction again, and how often."""

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from support import factories

from shop.db import transactions
from shop.db.transactions import atomically, is_retryable, sqlstate
from shop.models import Order, Product
from shop.services.orders import place_order


class PostgresError(Exception):
    def __init__(self, code):
        self.sqlstate = code
        super().__init__(code)


def database_error(code, error_class=OperationalError):
    """An error of Django with the SQLSTATE that PostgreSQL's driver gave."""
    error = error_class(f"the database says {code}")
    error.__cause__ = PostgresError(code)
    return error


@pytest.fixture
def pauses(monkeypatch):
    """The seconds between attempts; the test does not sleep."""
    pauses = []
    monkeypatch.setattr(transactions.time, "sleep", pauses.append)
    return pauses


@pytest.fixture
def create_mug(pauses):
    """`create_mug(error, …)` raises these errors in turn, one per attempt, then succeeds.

    Returns for each attempt whether it ran in a transaction; an error has this list as `attempts`.
    """

    def create_mug(*errors):
        remaining, attempts = list(errors), []

        @atomically
        def create(**values):
            attempts.append(connection.in_atomic_block)
            Product.objects.create(name="Mug", price=1, **values)
            if remaining:
                raise remaining.pop(0)
            return attempts

        try:
            return create(sku="A")
        except Exception as error:
            error.attempts = attempts
            raise

    return create_mug


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("code", ["40001", "40P01"])
@pytest.mark.parametrize("failures", [0, 1, 2])
def test_a_deadlock_or_serialization_failure_is_retried(create_mug, pauses, code, failures):
    assert create_mug(*[database_error(code)] * failures) == [True] * (failures + 1)
    assert len(pauses) == failures
    assert all(0.02 <= seconds <= 0.1 for seconds in pauses)
    assert Product.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_third_failure_is_raised(create_mug, pauses):
    with pytest.raises(OperationalError) as raised:
        create_mug(*[database_error("40P01")] * 3)
    assert (len(raised.value.attempts), len(pauses)) == (3, 2)
    assert Product.objects.count() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "error",
    [
        database_error("55P03"),
        database_error("57014"),
        database_error("23505", IntegrityError),
        DatabaseError("?"),
        ValueError("?"),
    ],
    ids=["lock-timeout", "statement-timeout", "unique", "unknown", "not-the-database"],
)
def test_no_other_error_is_retried(create_mug, pauses, error):
    with pytest.raises(type(error)) as raised:
        create_mug(error)
    assert raised.value is error
    assert (len(error.attempts), pauses) == (1, [])
    assert Product.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_part_of_another_transaction_is_not_retried(create_mug, pauses):
    with pytest.raises(OperationalError) as raised, transaction.atomic():
        create_mug(database_error("40P01"))
    assert (len(raised.value.attempts), pauses) == (1, [])


@pytest.mark.django_db
def test_a_failed_part_of_another_transaction_is_rolled_back_alone(pauses):
    @atomically
    def create_lamp():
        Product.objects.create(name="Lamp", price=1)
        raise database_error("40P01")

    Product.objects.create(name="Mug", price=1)
    with pytest.raises(OperationalError):
        create_lamp()
    assert Product.objects.get().name == "Mug"
    assert pauses == []


@pytest.mark.parametrize(
    ("error", "code", "expected"),
    [
        (database_error("40001"), "40001", True),
        (database_error("40P01"), "40P01", True),
        (database_error("23505"), "23505", False),
        (OperationalError("database is locked"), "", False),
        (IntegrityError("UNIQUE constraint failed: shop_order.order_number"), "", True),
    ],
)
def test_retryable_errors(error, code, expected):
    assert (sqlstate(error), is_retryable(error)) == (code, expected)


@pytest.mark.django_db(transaction=True)
def test_a_taken_order_number_is_replaced(monkeypatch, pauses, carl, mug):
    numbers = iter(["AAAA-0001", "AAAA-0001", "AAAA-0002"])
    monkeypatch.setattr(
        Order._meta.get_field("order_number"), "_get_default", lambda: next(numbers)
    )
    for _ in range(2):
        factories.add_to_cart(carl, (mug, 1))
        place_order(user=carl, shipping_address="1 Elm Street")
    assert sorted(str(order) for order in Order.objects.all()) == ["AAAA-0001", "AAAA-0002"]
    assert Product.objects.get().stock == 8
    assert len(pauses) == 1
