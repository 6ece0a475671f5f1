"""Imports applied and undone while customers buy and workers are killed."""

import os
import random
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from support import factories
from support.concurrency import closing_connection, on_postgresql, run_concurrently, tally
from support.servers import database_url

from shop.models import ChangeSet, Order, Product
from shop.product_files.imports.preview import preview_import, store_upload
from shop.services.change_sets.apply import apply_change_set
from shop.services.change_sets.undo import undo_change_set
from shop.services.errors import ImportNotReady
from shop.services.stock import find_drift

pytestmark = pytest.mark.django_db(transaction=True)
CHECKOUT = ("POST", "/orders/create/", {"shipping_address": "1 Elm Street"})
HEADERS = "sku,name,price,stock,stock at export\n"


def create_preview(ada, *lines):
    change_set = store_upload(
        actor=ada, name="spring.csv", content=(HEADERS + "\n".join(lines)).encode()
    )
    preview_import(change_set)
    assert change_set.error == ""
    return change_set


def test_customers_buy_while_an_import_changes_stock(buyers, ada):
    mats = [factories.create_product(f"Mat {n}", sku=f"M-{n}", stock=12) for n in range(6)]
    lines = [f"M-{n},Rug {n},9,{4 if n % 2 else 20},12" for n in range(6)]
    change_set = create_preview(ada, *lines)
    everyone = buyers(10)
    for number, (user, _) in enumerate(everyone):
        chosen = mats if number % 2 else reversed(mats)
        factories.add_to_cart(user, *[(mat, 1) for mat in chosen])
    halves = [app(*CHECKOUT) for _, app in everyone]
    answers = run_concurrently(
        closing_connection(lambda: apply_change_set(change_set.pk, actor=ada, good_only=True)),
        *halves[:5],
    )
    assert answers[0]["changed"] + answers[0]["left_out"] == 6
    again = run_concurrently(
        closing_connection(lambda: undo_change_set(change_set.pk, actor=ada)), *halves[5:]
    )
    sold = tally(answers[1:] + again[1:])
    assert sold.keys() <= {201, (409, "insufficient-stock")}
    assert Order.objects.count() == sold[201]
    assert {mat.stock for mat in Product.objects.all()} == {12 - sold[201]}
    assert list(find_drift()) == []


def test_concurrent_requests_apply_once(ada):
    factories.create_product("Mat", sku="M-1", stock=10)
    for stock in range(11, 19):
        change_set = create_preview(ada, f"M-1,,,{stock},{stock - 1}", f"N-{stock},Rug,7,2,")

        def press(change_set=change_set):
            try:
                return apply_change_set(change_set.pk, actor=ada)["changed"]
            except ImportNotReady:
                return "refused"

        assert sorted(
            map(str, run_concurrently(closing_connection(press), closing_connection(press)))
        ) == ["1", "refused"]
        assert Product.objects.get(sku="M-1").stock == stock
    assert list(find_drift()) == []


#: Runs each requested step in a child process, which is killed after a number of statements.
KILLER = """
import os, signal, sys
import django
django.setup()
from django.db import connection
from shop.services.change_sets.apply import apply_change_set
from shop.services.change_sets.undo import undo_change_set
from shop.models import User

def step(name, change_set_id, last):
    count = 0

    def killed(execute, sql, params, many, context):
        nonlocal count
        count += 1
        if count > last:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)

    actor = User.objects.get(email="ada@example.com")
    with connection.execute_wrapper(killed):
        {"apply": apply_change_set, "undo": undo_change_set}[name](change_set_id, actor=actor)

for line in sys.stdin:
    name, change_set_id, last = line.split()
    if not (child := os.fork()):
        step(name, int(change_set_id), int(last))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture
def killed(ada):
    """`killed("apply", change_set, 3)`: run the step, return if 3 statements killed it."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "settings.test",
        "DATABASE_URL": database_url(),
    }
    root = Path(__file__).parents[2]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(
        [sys.executable, "-c", KILLER], env=environment, cwd=root, **pipes
    ) as killer:

        def killed(step, change_set, statements):
            print(step, change_set.pk, statements, file=killer.stdin, flush=True)
            code = int(killer.stdout.readline())
            assert code in {0, -signal.SIGKILL}
            # Make the step look stalled without waiting.
            ChangeSet.objects.update(heartbeat_at=change_set.created_at - timedelta(days=1))
            return code != 0

        yield killed
        killer.stdin.close()


def contents():
    return {
        name: table
        for name, table in factories.all_rows().items()
        if name not in {"ChangeSet", "AuditEntry"}
    }


@pytest.mark.slow
@on_postgresql
def test_killed_worker_leaves_all_or_nothing(ada, killed):
    dice = random.Random(20)  # noqa: S311 - the same statements each time
    factories.create_product("Mat", sku="M-1", stock=10)
    for turn in range(20):
        change_set = create_preview(ada, "M-1,Rug,9,15,10", f"N-{turn},Bag,7,3,")
        before = contents()
        assert killed("apply", change_set, dice.randint(0, 13))
        assert contents() == before
        assert apply_change_set(change_set.pk, actor=ada) == {"new": 1, "changed": 1, "left_out": 0}
        between = contents()
        assert killed("undo", change_set, dice.randint(0, 16))
        assert contents() == between
        assert undo_change_set(change_set.pk, actor=ada) == {
            "removed": 1,
            "restored": 1,
            "not_undone": 0,
        }
        assert list(Product.objects.values_list("sku", "name", "stock")) == [("M-1", "Mat", 10)]
    assert list(find_drift()) == []
