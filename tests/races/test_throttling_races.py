from types import SimpleNamespace

import pytest
from support.concurrency import run_concurrently

from settings.env import Rate
from shop import throttling


@pytest.fixture
def five_a_minute(settings, monkeypatch):
    settings.SHOP_RATES = {"api": Rate(5, 60)}
    monkeypatch.setattr(throttling, "time", SimpleNamespace(time=lambda: 1_000_000_000))


def is_let_in(caller):
    try:
        throttling.check_rate("api", caller)
    except throttling.TooManyCalls:
        return False
    return True


def test_of_eight_calls_at_once_five_are_let_in(five_a_minute):
    for n in range(20):
        assert sum(run_concurrently(*[lambda n=n: is_let_in(f"caller {n}")] * 8)) == 5


def test_a_call_is_one_question_to_the_cache_but_for_the_first(five_a_minute, monkeypatch):
    asked, cache = [], throttling.cache

    class Asked:
        def __getattr__(self, name):
            asked.append(name)
            return getattr(cache, name)

    monkeypatch.setattr(throttling, "cache", Asked())
    assert [is_let_in("carl"), is_let_in("carl")] == [True, True]
    assert asked == ["incr", "add", "incr"]


@pytest.mark.parametrize("added", [True, False])
def test_a_cache_that_forgets_refuses_nobody(five_a_minute, monkeypatch, added):
    def forgotten(key):
        raise ValueError(key)

    monkeypatch.setattr(
        throttling, "cache", SimpleNamespace(incr=forgotten, add=lambda *_, **__: added)
    )
    assert all(is_let_in("carl") for _ in range(9))


def test_who_comes_second_to_the_first_call_counts_too(five_a_minute, monkeypatch):
    answers = iter([ValueError("not there yet"), 6])

    def incr(key):
        answer = next(answers)
        if isinstance(answer, ValueError):
            raise answer
        return answer

    monkeypatch.setattr(throttling, "cache", SimpleNamespace(incr=incr, add=lambda *_, **__: False))
    assert not is_let_in("carl")
