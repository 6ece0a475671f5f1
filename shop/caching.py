"""The cache that all processes share, behind a circuit breaker.

While the cache is away, one call in five seconds waits for its time-out; the others fail at once.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Lock

from django.core.cache import cache
from redis.exceptions import RedisError

#: Seconds after a failure in which this process does not ask the cache again.
RETRY_AFTER_SECONDS = 5

logger = logging.getLogger(__name__)


class CacheUnavailable(Exception):
    """The cache failed now, or less than RETRY_AFTER_SECONDS ago."""


class CircuitBreaker:
    """Refuses calls for a while after a failed one, then lets a single call probe the cache."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._retry_at: float | None = None

    def call[R](self, command: Callable[[], R]) -> R:
        """Run the command. Raises CacheUnavailable if it fails, or is not tried."""
        with self._lock:
            now = time.monotonic()
            if self._retry_at is not None:
                if now < self._retry_at:
                    raise CacheUnavailable
                self._retry_at = now + RETRY_AFTER_SECONDS  # others don't wait for this probe
        try:
            result = command()
        except RedisError as error:
            self._retry_at = time.monotonic() + RETRY_AFTER_SECONDS
            logger.warning("The cache is unavailable: %s", error)
            raise CacheUnavailable from error
        self._retry_at = None
        return result


_breaker = CircuitBreaker()


def get_or_compute[R](
    key: str,
    compute: Callable[[], R],
    seconds: int,
    *,
    is_worth_caching: Callable[[R], bool] = lambda _value: True,
) -> R:
    """Return the cached value, or compute and cache it. Never raises CacheUnavailable."""
    cached: R | None = None
    with suppress(CacheUnavailable):
        cached = _breaker.call(partial(cache.get, key))
    if cached is not None:
        return cached
    value = compute()
    if is_worth_caching(value):
        with suppress(CacheUnavailable):
            _breaker.call(partial(cache.set, key, value, seconds))
    return value


def increment(key: str, *, seconds: int) -> int:
    """Count one in a counter that ends after `seconds`; return its value.

    Atomic across processes. Returns 1 if the cache evicted the counter. Raises CacheUnavailable.
    """
    return _breaker.call(partial(_increment, key, seconds))


def _increment(key: str, seconds: int) -> int:
    with suppress(ValueError):
        return cache.incr(key)
    if not cache.add(key, 1, timeout=seconds):  # another process created it meanwhile
        with suppress(ValueError):
            return cache.incr(key)
    return 1


def add(key: str, value: float, *, seconds: int) -> bool:
    """Store a value unless the key has one; return whether it was stored.

    Atomic across processes. Raises CacheUnavailable.
    """
    return _breaker.call(partial(cache.add, key, value, timeout=seconds))


def get(key: str, default: float) -> float:
    """Return the value of a key. Raises CacheUnavailable."""
    value: float = _breaker.call(partial(cache.get, key, default))
    return value
