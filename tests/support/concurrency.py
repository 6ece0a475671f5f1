"""Run calls at the same time, and summarise their responses."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import httpx
import pytest
from django.db import connection

from support.servers import TIMEOUT_SECONDS

on_postgresql = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite has one writing transaction at a time"
)


def closing_connection(call):
    """Close the thread's database connection after the call."""

    def run():
        try:
            return call()
        finally:
            connection.close()

    return run


def run_concurrently(*calls):
    """Start all calls together, each in its own thread, and return their results in order."""
    barrier = Barrier(len(calls), timeout=TIMEOUT_SECONDS)

    def run(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def tally(responses):
    """Count the responses by status; by (status, code) if it is an error."""
    return Counter(
        (response.status_code, response.json()["code"])
        if response.is_error
        else response.status_code
        for response in responses
    )


@dataclass
class Caller:
    """A user's app, which calls the server over HTTP, each time over a new connection."""

    http: httpx.Client
    token: str

    def __call__(self, method, path, body=None, **headers):
        """Return a function that sends the request."""
        headers["Authorization"] = f"Bearer {self.token}"
        return lambda: self.http.request(method, f"/api{path}", json=body, headers=headers)


def wait_for_waiting(number):
    """Wait until this number of the database's connections wait for a lock."""
    deadline, waiting = time.monotonic() + TIMEOUT_SECONDS, 0
    with connection.cursor() as cursor:
        while waiting < number and time.monotonic() < deadline:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            (waiting,) = cursor.fetchone()
    assert waiting >= number
