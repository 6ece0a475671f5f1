"""Too many calls: a counter for each caller and period, in the cache that all processes share."""

import hashlib
import time
from contextlib import suppress

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest


class TooManyCalls(Exception):
    """The caller has used up the rate; `wait` says for how many seconds."""

    def __init__(self, wait: int) -> None:
        self.wait = wait
        super().__init__(f"Too many calls. Try again in {wait} seconds.")


def check_rate(scope: str, caller: str) -> None:
    """Count one call against the scope's rate in `SHOP_RATES`; raises TooManyCalls.

    A fixed window: atomic operations of the cache, no lock, so that threads and processes count together.
    """
    rate = settings.SHOP_RATES[scope]
    now = int(time.time())
    who = hashlib.sha256(caller.encode()).hexdigest()  # callers choose what they are called
    key = f"calls:{scope}:{who}:{now // rate.seconds}"
    if _count(key, seconds=rate.seconds + 1) > rate.calls:
        raise TooManyCalls(rate.seconds - now % rate.seconds)


def _count(key: str, *, seconds: int) -> int:
    """Which call under this key this is; the first, too, where the cache has just forgotten the others."""
    with suppress(ValueError):
        return cache.incr(key)
    if not cache.add(key, 1, timeout=seconds):  # somebody else was the first
        with suppress(ValueError):
            return cache.incr(key)
    return 1


def check_login_rate(request: HttpRequest, account: str) -> None:
    """Count one try at an account's secret, by the address that it comes from and by the account.

    Raises TooManyCalls.
    """
    check_rate("login", client_ip(request))
    check_rate("login", account.lower())


def client_ip(request: HttpRequest) -> str:
    """Who is calling: the connection's other end, or the client that our own proxies name.

    Of X-Forwarded-For only as many hops count as there are proxies of ours; the rest anyone can write.
    """
    proxies = settings.SHOP_TRUSTED_PROXIES
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    if proxies and len(forwarded) >= proxies and forwarded[-proxies].strip():
        return forwarded[-proxies].strip()
    return str(request.META.get("REMOTE_ADDR", ""))
