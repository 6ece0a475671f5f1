"""Rate limits: a counter per caller and period, in the cache that all processes share."""

import hashlib
import time
from contextlib import suppress

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import ngettext


class TooManyCalls(Exception):
    """The caller is over the rate limit. `wait` is the number of seconds until the next period."""

    def __init__(self, wait: int) -> None:
        self.wait = wait
        super().__init__(
            ngettext(
                "Too many requests. Try again in %(wait)d second.",
                "Too many requests. Try again in %(wait)d seconds.",
                wait,
            )
            % {"wait": wait}
        )


def check_rate(scope: str, caller: str) -> None:
    """Count one call against the scope's rate in `SHOP_RATES`. Raises TooManyCalls.

    A fixed window, counted by the cache's atomic operations, so that it holds across processes.
    """
    rate = settings.SHOP_RATES[scope]
    now = int(time.time())
    digest = hashlib.sha256(caller.encode()).hexdigest()  # callers choose this text
    key = f"calls:{scope}:{digest}:{now // rate.seconds}"
    if _increment_counter(key, seconds=rate.seconds + 1) > rate.calls:
        raise TooManyCalls(rate.seconds - now % rate.seconds)


def _increment_counter(key: str, *, seconds: int) -> int:
    """Return the number of this call in the period; 1 again if the cache evicted the counter."""
    with suppress(ValueError):
        return cache.incr(key)
    if not cache.add(key, 1, timeout=seconds):  # another process created it meanwhile
        with suppress(ValueError):
            return cache.incr(key)
    return 1


def check_login_rate(request: HttpRequest, account: str) -> None:
    """Count one attempt at an account's password or code, per client IP and per account.

    Raises TooManyCalls.
    """
    check_rate("login", client_ip(request))
    check_rate("login", account.lower())


def client_ip(request: HttpRequest) -> str:
    """Return the client's IP as our own proxies report it, or else the connection's.

    Only the last `SHOP_TRUSTED_PROXIES` entries of X-Forwarded-For count: clients can write the
    others.
    """
    proxies = settings.SHOP_TRUSTED_PROXIES
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    if proxies and len(forwarded) >= proxies and forwarded[-proxies].strip():
        return forwarded[-proxies].strip()
    return str(request.META.get("REMOTE_ADDR", ""))
