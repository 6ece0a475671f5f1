"""Server processes are killed while customers and staff use the API.

`CRASH_TEST_SECONDS=60 pytest -n 0 -s tests/faults/test_crashes.py` runs longer and prints its
numbers.
"""

import os
import signal
from contextlib import suppress

import pytest
from django.db import connection
from support import factories
from support.crash_test import ADDRESS, EXPECTED_STATUSES, Client, run_crash_test
from support.invariants import assert_invariants

from shop.models import Order

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SECONDS = float(os.environ.get("CRASH_TEST_SECONDS", "8"))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_every_confirmed_order_exists_once_after_killed_processes(crash_test, ada):
    def kill_process():
        with suppress(ProcessLookupError, KeyError):
            process = crash_test.processes.pop()
            # Others that have answered may be dead by the next call.
            crash_test.processes.clear()
            assert os.getpgid(process) == crash_test.process_group
            os.kill(process, signal.SIGKILL)
            return 1
        return 0

    crash_test.processes_per_strike = 1
    run_crash_test(crash_test, ada, kill_process, seconds=SECONDS, every=1.5)
    assert crash_test.statuses.keys() <= EXPECTED_STATUSES


@pytest.mark.usefixtures("transactional_db")
def test_a_checkout_whose_response_was_lost_is_replayed(crash_test, carl, mug):
    client = Client(crash_test, carl, 1)
    factories.add_to_cart(carl, (mug, 2))
    key = {"Idempotency-Key": "lost"}
    assert client.send("POST", "/orders/create/", ADDRESS, **key, **{"X-Die": "now"}) is None
    order = Order.objects.get()
    response = client.send("POST", "/orders/create/", ADDRESS, **key)
    assert (response.status_code, response.headers["Idempotent-Replayed"]) == (201, "true")
    assert response.json()["order_number"] == order.order_number
    assert Order.objects.count() == 1
    assert_invariants()
