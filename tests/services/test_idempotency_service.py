from datetime import timedelta

import pytest
from django.utils import timezone

from shop.models import IdempotencyKey, Product
from shop.services.errors import CartEmpty, IdempotencyKeyReused
from shop.services.idempotency import KEPT_FOR, purge_keys, run_once


@pytest.fixture
def work():
    """Create a product; return an answer that says how often this ran."""

    def work():
        Product.objects.create(name="Trace", price=1)
        return f"answer {Product.objects.count()}"

    return work


def test_a_repeated_key_returns_the_stored_answer(carl, work):
    call = {"user": carl, "key": "k", "request": "{}", "work": work}
    assert run_once(**call) == ("answer 1", False)
    assert run_once(**call) == run_once(**call) == ("answer 1", True)
    assert Product.objects.count() == 1
    stored = IdempotencyKey.objects.get()
    assert (stored.user, stored.key, stored.answer, len(stored.fingerprint)) == (
        carl,
        "k",
        "answer 1",
        64,
    )


def test_another_key_or_another_user_runs_again(carl, dora, work):
    assert run_once(user=carl, key="k", request="{}", work=work) == ("answer 1", False)
    assert run_once(user=carl, key="K", request="{}", work=work) == ("answer 2", False)
    assert run_once(user=dora, key="k", request="{}", work=work) == ("answer 3", False)


def test_without_a_key_every_call_runs(carl, work):
    for number in (1, 2):
        assert run_once(user=carl, key="", request="{}", work=work) == (f"answer {number}", False)
    assert IdempotencyKey.objects.count() == 0


def test_a_key_with_another_request_is_refused(carl, work, refused):
    run_once(user=carl, key="k", request="{}", work=work)
    with refused(IdempotencyKeyReused):
        run_once(user=carl, key="k", request="[]", work=work)


def test_a_failed_call_stores_no_key(carl, work, refused):
    def fail():
        work()
        raise CartEmpty

    with refused(CartEmpty):
        run_once(user=carl, key="k", request="{}", work=fail)
    assert run_once(user=carl, key="k", request="{}", work=work) == ("answer 1", False)


def test_the_request_body_is_not_stored(carl, work):
    run_once(user=carl, key="k", request="1 Elm Street", work=work)
    assert "Elm" not in str(IdempotencyKey.objects.values().get())


def test_keys_are_deleted_after_72_hours(carl, work):
    assert timedelta(hours=72) == KEPT_FOR
    ages = {"old": KEPT_FOR + timedelta(minutes=1), "young": KEPT_FOR - timedelta(minutes=1)}
    for key, age in ages.items():
        run_once(user=carl, key=key, request="{}", work=work)
        IdempotencyKey.objects.filter(key=key).update(created_at=timezone.now() - age)
    assert purge_keys() == 1
    assert [stored.key for stored in IdempotencyKey.objects.all()] == ["young"]
