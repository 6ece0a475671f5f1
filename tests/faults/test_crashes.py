"""Customers and staff at work while server processes are killed: each order that was told exists once.

`UNDER_FIRE_SECONDS=60 pytest -n 0 -s tests/faults/test_under_fire.py` takes longer and prints its figures.
"""

import os
import signal
from contextlib import suppress

import pytest
from django.db import connection
from support import factories
from support.crash_test import ADDRESS, FINE, Person, burn
from support.invariants import assert_invariants

from shop.models import Order

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SECONDS = float(os.environ.get("UNDER_FIRE_SECONDS", "8"))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's writers take turns")
def test_every_order_that_was_told_exists_once(fire, ada):
    def kill():
        with suppress(ProcessLookupError, KeyError):
            process = fire.processes.pop()
            fire.processes.clear()  # of those who answered before, some may be dead by the next time
            assert os.getpgid(process) == fire.group
            os.kill(process, signal.SIGKILL)
            return 1
        return 0

    burn(fire, ada, kill, seconds=SECONDS, every=1.5)
    assert fire.answers.keys() <= FINE


@pytest.mark.usefixtures("transactional_db")
def test_an_answer_that_died_on_its_way_is_told_again(fire, carl, mug):
    app = Person(fire, carl, 1)
    factories.add_to_cart(carl, (mug, 2))
    key = {"Idempotency-Key": "lost"}
    assert app.call("POST", "/orders/create/", ADDRESS, **key, **{"X-Die": "now"}) is None
    made = Order.objects.get()
    again = app.call("POST", "/orders/create/", ADDRESS, **key)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert again.json()["order_number"] == made.order_number
    assert Order.objects.count() == 1
    assert_invariants()
