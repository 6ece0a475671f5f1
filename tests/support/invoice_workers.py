"""Eight processes that issue invoices and cancel orders at once, and are killed meanwhile.

`python -m support.invoice_workers` ends when every order that isn't cancelled has its invoice, and
prints how many processes were killed. A process kills itself before or after a random statement: so
also after it was given a number, and before it could commit.
"""

import os
import random
import signal
import sys

import django

django.setup()

from django.db import connection  # noqa: E402

from shop.models import Order, User  # noqa: E402
from shop.services.errors import InvalidTransition  # noqa: E402
from shop.services.invoices import issue_invoices  # noqa: E402
from shop.services.order_moves import move_order  # noqa: E402
from shop.services.outbox import suppress_messages  # noqa: E402

PROCESSES = 8
#: A process dies at one in so many statements, until so many have died.
STATEMENTS_PER_DEATH, MAX_DEATHS = 100, 40


def work(chance, *, is_mortal):
    """Issue invoices of random orders, and cancel some, until there is nothing to issue."""

    def maybe_die(execute, *arguments):
        for step in (lambda: None, lambda: execute(*arguments)):
            if is_mortal and chance.random() < 1 / STATEMENTS_PER_DEATH:
                os.kill(os.getpid(), signal.SIGKILL)
            result = step()
        return result

    with connection.execute_wrapper(maybe_die), suppress_messages():
        ada = User.objects.get(email="ada@example.com")
        lacking = Order.objects.filter(invoices=None).exclude(status=Order.Status.CANCELLED)
        while pks := list(lacking.order_by("pk").values_list("pk", flat=True)[:20]):
            issue_invoices(order_ids=chance.sample(pks, min(len(pks), 4)), actor=ada)
            cancel_one(chance, ada)


def cancel_one(chance, ada):
    """Cancel a random order, unless somebody else has cancelled it."""
    pks = Order.objects.filter(status=Order.Status.PENDING).values_list("pk", flat=True)
    if chance.random() < 0.2 and (pks := list(pks)):
        try:
            move_order(order_id=chance.choice(pks), to="cancelled", actor=ada, by_staff=True)
        except InvalidTransition:
            return


def start(number, *, is_mortal):
    """Start a process."""
    if os.fork() == 0:
        work(random.Random(number), is_mortal=is_mortal)  # noqa: S311 - not a secret
        os._exit(0)


def main():
    """Start the processes, and another one for each that died."""
    deaths = finished = 0
    for number in range(PROCESSES):
        start(number, is_mortal=True)
    while finished < PROCESSES:
        _pid, status = os.wait()
        if os.WIFSIGNALED(status):
            deaths += 1
            start(PROCESSES + deaths, is_mortal=deaths < MAX_DEATHS)
        else:
            assert status == 0
            finished += 1
    sys.stdout.write(f"{deaths}\n")


if __name__ == "__main__":
    main()
