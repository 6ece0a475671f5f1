"""One transaction, tried again when the database asks for it."""

import functools
import random
import sqlite3
import time
from collections.abc import Callable

from django.db import DatabaseError, transaction

ATTEMPTS = 3
#: SQLSTATE of a serialization failure and of a deadlock: PostgreSQL wants the whole transaction again.
RETRYABLE_SQLSTATES = frozenset({"40001", "40P01"})
#: That of a lock that was not to be had in time, and SQLite's codes for the same.
LOCK_TIMEOUT_SQLSTATE = "55P03"
SQLITE_LOCK_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class _Whole(transaction.Atomic):
    """A transaction of ours: nobody within it goes on after an error."""


def atomically[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Run the function in one transaction: its own, or that of another such function around it.

    Within somebody else's it is a savepoint. What `may_pass_next_time` is tried again, at most twice, after
    20 to 100 ms. Every other DatabaseError, and every ShopError, rolls back and rises.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        around = transaction.get_connection().atomic_blocks
        if around:
            with _Whole(None, savepoint=not isinstance(around[-1], _Whole), durable=False):
                return function(*args, **kwargs)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with _Whole(None, savepoint=True, durable=False):
                    return function(*args, **kwargs)
            except DatabaseError as error:
                if attempt == ATTEMPTS or not is_retryable(error):
                    raise
                time.sleep(random.uniform(0.02, 0.1))  # noqa: S311 - to part two rivals, not to keep a secret
        raise AssertionError  # pragma: no cover - the loop returns or raises

    return run


def is_retryable(error: DatabaseError) -> bool:
    """Whether the same call may succeed when made again: lost against a rival, or drew a taken number."""
    return sqlstate(error) in RETRYABLE_SQLSTATES or "order_number" in str(error)


def is_busy(error: Exception) -> bool:
    """Whether others stood in the way for too long: all is well, and the call can be made again at once."""
    if not isinstance(error, DatabaseError):
        return False
    code = getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF  # without SQLite's shades of it
    return code in SQLITE_LOCK_CODES or sqlstate(error) in RETRYABLE_SQLSTATES | {
        LOCK_TIMEOUT_SQLSTATE
    }


def sqlstate(error: DatabaseError) -> str:
    """PostgreSQL's five-character error code; empty elsewhere."""
    return getattr(error.__cause__, "sqlstate", None) or ""
