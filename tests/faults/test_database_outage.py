"""PostgreSQL goes away while customers and staff use the API, and comes back."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from django.db import connection
from support.crash_test import EXPECTED_STATUSES, run_crash_test

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ROOT = Path(__file__).parent.parent.parent
#: The data folder of a PostgreSQL server that may be restarted. The last test sets it for a second
#: run.
PRIVATE_POSTGRES = os.environ.get("CRASH_TEST_POSTGRES", "")
IS_ROOT, NOBODY = os.geteuid() == 0, pwd.getpwnam("nobody")
TERMINATE = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()"""


def run_postgres_program(program, folder, *arguments):
    """Run one of PostgreSQL's programs, which refuse to run as root."""
    user = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []} if IS_ROOT else {}
    subprocess.run(
        [program, "-D", folder, *arguments], check=True, cwd="/", stdout=subprocess.DEVNULL, **user
    )


def terminate_connections():
    with connection.cursor() as cursor:
        cursor.execute(TERMINATE)
        return cursor.fetchone()[0] > 0


def restart_postgres():
    options = ["-w", "-m", "immediate", "-l", f"{PRIVATE_POSTGRES}/log"]
    run_postgres_program("pg_ctl", PRIVATE_POSTGRES, "restart", *options)
    return 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs a server that can go away")
def test_calls_get_503_during_an_outage_and_succeed_after_it(crash_test, ada):
    strike = restart_postgres if PRIVATE_POSTGRES else terminate_connections
    run_crash_test(crash_test, ada, strike, seconds=5, every=1)
    assert crash_test.statuses.keys() <= EXPECTED_STATUSES | {503}
    assert crash_test.statuses[503]


@pytest.fixture
def private_postgres():
    """Start a PostgreSQL server; its data folder and URL."""
    folder = tempfile.mkdtemp(prefix="pg-")
    if IS_ROOT:
        shutil.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    try:
        options = ["-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8"]
        run_postgres_program("initdb", folder, *options)
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
        run_postgres_program("pg_ctl", folder, "start", "-w", "-l", f"{folder}/log", "-o", options)
        yield folder, f"postgres://postgres@127.0.0.1:{port}/postgres"
    finally:
        run_postgres_program("pg_ctl", folder, "stop", "-m", "immediate")
        shutil.rmtree(folder)


@pytest.mark.skipif(bool(PRIVATE_POSTGRES), reason="this is the second run")
@pytest.mark.skipif(connection.vendor != "postgresql", reason="tests PostgreSQL")
@pytest.mark.skipif(not shutil.which("initdb"), reason="needs PostgreSQL's programs")
def test_the_outage_test_passes_when_postgresql_is_restarted(private_postgres):
    folder, url = private_postgres
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "-s", __file__],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "CRASH_TEST_POSTGRES": folder},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert "1 passed, 1 skipped" in run.stdout
