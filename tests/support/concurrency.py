"""Callers who start at the same moment, and what they were answered."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import httpx
import pytest
from django.db import connection

from support.servers import PATIENCE

on_postgresql = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="IMMEDIATE lets one transaction in after the other"
)


def run_concurrently(*calls):
    """Their results, in order; all of them start together, each in a thread of its own."""
    barrier = Barrier(len(calls), timeout=PATIENCE)

    def run(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def tally(answers):
    """How often each status was answered, with the code of a refusal."""
    return Counter(
        (answer.status_code, answer.json()["code"]) if answer.is_error else answer.status_code
        for answer in answers
    )


@dataclass
class Caller:
    """Someone's app, over the network; each call on a connection of its own."""

    http: httpx.Client
    token: str

    def __call__(self, method, path, body=None, **headers):
        """A call that is ready to be made."""
        headers["Authorization"] = f"Bearer {self.token}"
        return lambda: self.http.request(method, f"/api{path}", json=body, headers=headers)


def wait_for_waiting(number):
    """Until so many of this database's connections wait for a lock."""
    deadline, waiting = time.monotonic() + PATIENCE, 0
    with connection.cursor() as cursor:
        while waiting < number and time.monotonic() < deadline:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            (waiting,) = cursor.fetchone()
    assert waiting >= number
