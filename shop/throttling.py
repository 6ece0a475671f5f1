"""Rate limits: counters per caller and period, in the cache that all processes share."""

import hashlib
import math
import re
import time
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import ngettext

from shop import caching

#: Attempts at one account, from everywhere together, before it pauses between attempts.
ACCOUNT_ATTEMPTS = 100
#: Attempts at one account from one client; so a single client can't make the account pause.
CLIENT_ATTEMPTS = 40
ACCOUNT_PERIOD = 86_400
#: The pauses double from one second up to this many.
MAX_PAUSE = 900
#: An IP as some proxies write it: with a port, an IPv6 one in brackets.
IP_WITH_PORT = re.compile(r"\[(?P<v6>[^]]+)\](?::\d+)?|(?P<v4>[\d.]+):\d+")


class TooManyCalls(Exception):
    """The caller is over the rate limit. `wait` is the number of seconds until the next period."""

    code = "too-many-calls"

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

    While the cache is away, every call passes.
    """
    with suppress(caching.CacheUnavailable):
        _count_call(scope, caller)


def _count_call(scope: str, caller: str) -> None:
    """Count in a fixed window. Raises TooManyCalls and CacheUnavailable."""
    rate = settings.SHOP_RATES[scope]
    now = int(time.time())
    key = f"calls:{scope}:{_digest(caller)}:{now // rate.seconds}"
    if caching.increment(key, seconds=rate.seconds + 1) > rate.calls:
        raise TooManyCalls(rate.seconds - now % rate.seconds)


def check_login_rate(request: HttpRequest, account: str, *, is_known: Callable[[], bool]) -> None:
    """Count one attempt at an account's password or code: strictly per client, loosely per account.

    A client over CLIENT_ATTEMPTS gets one attempt at the account per pause, and does not count
    against the account. An account over ACCOUNT_ATTEMPTS gets one per pause from all clients
    together, so that nobody can guess on; `is_known`, asked only then, lets a client of the owner
    pass, so that nobody can lock the owner out. Raises TooManyCalls, and CacheUnavailable, since
    nobody could count the guesses.
    """
    client = client_ip(request)
    _count_call("login", client)
    name = _digest(_fold_account(account))
    limits = {f"{name}:{_digest(client)}": CLIENT_ATTEMPTS, name: ACCOUNT_ATTEMPTS}
    for counter, limit in limits.items():
        if caching.increment(f"attempts:{counter}", seconds=ACCOUNT_PERIOD) > limit:
            if not is_known():
                _take_turn(counter)
            return


def _take_turn(name: str) -> None:
    """Take the account's next attempt, and start the pause after it. Raises TooManyCalls."""
    now = time.time()
    turns = int(caching.get(f"turns:{name}", 0))
    pause = min(2**turns, MAX_PAUSE)
    if not caching.add(f"turn:{name}", now + pause, seconds=pause):
        ends_at = caching.get(f"turn:{name}", now)
        raise TooManyCalls(max(1, math.ceil(ends_at - now)))
    caching.increment(f"turns:{name}", seconds=ACCOUNT_PERIOD)


def _fold_account(account: str) -> str:
    """Return a name that all spellings of an account share: those that its lookup finds."""
    return unicodedata.normalize("NFKC", account.strip().lower()).lower()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()  # callers choose this text


def client_ip(request: HttpRequest) -> str:
    """Return the client's IP as our own proxies report it, or else the connection's.

    Only the last `SHOP_TRUSTED_PROXIES` entries of X-Forwarded-For count: clients can write the
    others. Of IPv6 it is the /64 network, since one client has all of it.
    """
    connection = str(request.META.get("REMOTE_ADDR", ""))
    proxies = settings.SHOP_TRUSTED_PROXIES
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    reported = forwarded[-proxies] if proxies and len(forwarded) >= proxies else ""
    return _parse_client(reported) or _parse_client(connection) or connection


def _parse_client(text: str) -> str:
    """Return an IPv4 address or an IPv6 /64 network in its one spelling; empty if it is neither."""
    text = text.strip()
    if match := IP_WITH_PORT.fullmatch(text):
        text = match["v6"] or match["v4"]
    try:
        ip = ip_address(text.partition("%")[0])  # without the zone of a link-local address
    except ValueError:
        return ""
    if isinstance(ip, IPv4Address):
        return str(ip)
    return str(ip.ipv4_mapped or IPv6Network((ip, 64), strict=False))
