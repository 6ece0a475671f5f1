"""What is tried again, how often, and what is not."""

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from support import factories

from shop.db import transactions
from shop.db.transactions import atomically, is_retryable, sqlstate
from shop.models import Order, Product
from shop.services.orders import place_order


class FromPostgres(Exception):
    def __init__(self, code):
        self.sqlstate = code
        super().__init__(code)


def refusal(code, kind=OperationalError):
    error = kind(f"the database says {code}")
    error.__cause__ = FromPostgres(code)
    return error


@pytest.fixture
def naps(monkeypatch):
    """The pauses between attempts, which are not slept."""
    naps = []
    monkeypatch.setattr(transactions.time, "sleep", naps.append)
    return naps


@pytest.fixture
def attempt(naps):
    """Calls a function that fails with these errors, one after the other, then returns how often it ran."""

    def attempt(*errors):
        waiting = list(errors)
        ran = []

        @atomically
        def work(**values):
            ran.append(connection.in_atomic_block)
            Product.objects.create(name="Mug", price=1, **values)
            if waiting:
                raise waiting.pop(0)
            return ran

        try:
            return work(sku="A")
        except Exception as error:
            error.ran = ran
            raise

    return attempt


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("code", ["40001", "40P01"])
@pytest.mark.parametrize("failures", [0, 1, 2])
def test_what_lost_against_a_rival_is_tried_again(attempt, naps, code, failures):
    assert attempt(*[refusal(code)] * failures) == [True] * (failures + 1)
    assert len(naps) == failures
    assert all(0.02 <= nap <= 0.1 for nap in naps)
    assert Product.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_after_three_attempts_it_rises(attempt, naps):
    with pytest.raises(OperationalError) as raised:
        attempt(*[refusal("40P01")] * 3)
    assert (len(raised.value.ran), len(naps)) == (3, 2)
    assert Product.objects.count() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "error",
    [
        refusal("55P03"),
        refusal("57014"),
        refusal("23505", IntegrityError),
        DatabaseError("?"),
        ValueError("?"),
    ],
    ids=["lock-timeout", "statement-timeout", "unique", "unknown", "not-the-database"],
)
def test_nothing_else_is_tried_again(attempt, naps, error):
    with pytest.raises(type(error)) as raised:
        attempt(error)
    assert raised.value is error
    assert (len(error.ran), naps) == (1, [])
    assert Product.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_within_another_transaction_only_the_whole_is_tried_again(attempt, naps):
    with pytest.raises(OperationalError) as raised, transaction.atomic():
        attempt(refusal("40P01"))
    assert (len(raised.value.ran), naps) == (1, [])


@pytest.mark.django_db
def test_a_part_that_failed_is_undone_alone(naps):
    @atomically
    def part():
        Product.objects.create(name="Lamp", price=1)
        raise refusal("40P01")

    Product.objects.create(name="Mug", price=1)
    with pytest.raises(OperationalError):
        part()
    assert Product.objects.get().name == "Mug"
    assert naps == []


@pytest.mark.parametrize(
    ("error", "code", "again"),
    [
        (refusal("40001"), "40001", True),
        (refusal("40P01"), "40P01", True),
        (refusal("23505"), "23505", False),
        (OperationalError("database is locked"), "", False),
        (IntegrityError("UNIQUE constraint failed: shop_order.order_number"), "", True),
    ],
)
def test_an_error_may_pass_next_time(error, code, again):
    assert (sqlstate(error), is_retryable(error)) == (code, again)


@pytest.mark.django_db(transaction=True)
def test_a_taken_order_number_is_drawn_again(monkeypatch, naps, carl, mug):
    numbers = iter(["AAAA-0001", "AAAA-0001", "AAAA-0002"])
    monkeypatch.setattr(
        Order._meta.get_field("order_number"), "_get_default", lambda: next(numbers)
    )
    for _ in range(2):
        factories.add_to_cart(carl, (mug, 1))
        place_order(user=carl, shipping_address="1 Elm Street")
    assert sorted(str(order) for order in Order.objects.all()) == ["AAAA-0001", "AAAA-0002"]
    assert Product.objects.get().stock == 8
    assert len(naps) == 1
