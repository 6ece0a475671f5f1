"""PostgreSQL goes away under load and comes back: calls say so meanwhile, and nothing is lost or doubled."""

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
from support.crash_test import FINE, burn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ROOT = Path(__file__).parent.parent.parent
#: The folder of a PostgreSQL that may be restarted; set by the last test, for a run of its own.
OURS = os.environ.get("UNDER_FIRE_POSTGRES", "")
IS_ROOT, NOBODY = os.geteuid() == 0, pwd.getpwnam("nobody")
TERMINATE = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()"""


def postgres(program, folder, *arguments):
    """One of its programs, which do not run for root."""
    other = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []} if IS_ROOT else {}
    subprocess.run(
        [program, "-D", folder, *arguments], check=True, cwd="/", stdout=subprocess.DEVNULL, **other
    )


def terminate():
    with connection.cursor() as cursor:
        cursor.execute(TERMINATE)
        return cursor.fetchone()[0] > 0


def restart():
    postgres("pg_ctl", OURS, "restart", "-w", "-m", "immediate", "-l", f"{OURS}/log")
    return 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="needs a server that can go away")
def test_calls_fail_politely_and_recover(fire, ada):
    burn(fire, ada, restart if OURS else terminate, seconds=5, every=1)
    assert fire.answers.keys() <= FINE | {503}
    assert fire.answers[503]


@pytest.fixture
def private_postgres():
    """Folder and address of a PostgreSQL of our own."""
    folder = tempfile.mkdtemp(prefix="pg-")
    if IS_ROOT:
        shutil.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    try:
        postgres("initdb", folder, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
        postgres("pg_ctl", folder, "start", "-w", "-l", f"{folder}/log", "-o", options)
        yield folder, f"postgres://postgres@127.0.0.1:{port}/postgres"
    finally:
        postgres("pg_ctl", folder, "stop", "-m", "immediate")
        shutil.rmtree(folder)


@pytest.mark.skipif(bool(OURS) or connection.vendor != "postgresql", reason="once is enough")
@pytest.mark.skipif(not shutil.which("initdb"), reason="needs PostgreSQL's programs")
def test_it_is_restarted_under_load(private_postgres):
    folder, url = private_postgres
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "-s", __file__],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "UNDER_FIRE_POSTGRES": folder},
        capture_output=True,
        text=True,
        check=False,
    )
    print(run.stdout)
    assert run.returncode == 0, run.stdout
    assert "1 passed, 1 skipped" in run.stdout
