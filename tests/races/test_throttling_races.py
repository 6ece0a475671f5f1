from types import SimpleNamespace

import pytest
from support.concurrency import run_concurrently

from settings.env import Rate
from shop import caching, throttling


@pytest.fixture
def five_a_minute(settings, monkeypatch):
    settings.SHOP_RATES = {"api": Rate(5, 60)}
    monkeypatch.setattr(throttling, "time", SimpleNamespace(time=lambda: 1_000_000_000))


def is_allowed(caller):
    try:
        throttling.check_rate("api", caller)
    except throttling.TooManyCalls:
        return False
    return True


def test_five_of_eight_concurrent_calls_are_allowed(five_a_minute):
    for n in range(20):
        assert sum(run_concurrently(*[lambda n=n: is_allowed(f"caller {n}")] * 8)) == 5


def test_a_call_is_one_cache_command_after_the_first(five_a_minute, monkeypatch):
    commands, cache = [], caching.cache

    class RecordingCache:
        def __getattr__(self, name):
            commands.append(name)
            return getattr(cache, name)

    monkeypatch.setattr(caching, "cache", RecordingCache())
    assert [is_allowed("carl"), is_allowed("carl")] == [True, True]
    assert commands == ["incr", "add", "incr"]


@pytest.mark.parametrize("is_added", [True, False])
def test_calls_are_allowed_while_the_cache_stores_nothing(five_a_minute, monkeypatch, is_added):
    def incr(key):
        raise ValueError(key)

    cache = SimpleNamespace(incr=incr, add=lambda *_, **__: is_added)
    monkeypatch.setattr(caching, "cache", cache)
    assert all(is_allowed("carl") for _ in range(9))


def test_a_call_counts_that_was_concurrent_with_the_first(five_a_minute, monkeypatch):
    results = iter([ValueError("no such key yet"), 6])

    def incr(key):
        result = next(results)
        if isinstance(result, ValueError):
            raise result
        return result

    monkeypatch.setattr(caching, "cache", SimpleNamespace(incr=incr, add=lambda *_, **__: False))
    assert not is_allowed("carl")
