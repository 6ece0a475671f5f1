"""A real server on the test database: several processes, spoken to over the network."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from django.db import connection

HERE = Path(__file__).parent.parent  # imports `support`
PATIENCE = 30  # seconds until something is broken, not slow
GUNICORN = [sys.executable, "-m", "gunicorn", "--pythonpath", str(HERE)]
WORKERS = ["-k", "gthread", "--preload", "--no-control-socket"]


def database_url():
    """The database that this test run has made, as the server is told of it."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{quote(str(found['NAME']))}"
    user = f"{quote(found['USER'], safe='')}:{quote(found['PASSWORD'], safe='')}"
    port = f":{found['PORT']}" if found["PORT"] else ""
    return f"postgres://{user}@{found['HOST']}{port}/{quote(found['NAME'])}"


@pytest.fixture(scope="session")
def server(django_db_setup, tmp_path_factory):
    """The address of the shop, served by three processes of four threads on a free port."""
    with serving(
        "support.strict_wsgi", tmp_path_factory.mktemp("races") / "server.log", processes=3
    ) as address:
        yield address


@contextmanager
def serving(application, log, *, processes, url=""):
    """The address at which so many processes of four threads serve it, until the block ends."""
    url = url or database_url()
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "settings.test", "DATABASE_URL": url}
    with socket.create_server(("127.0.0.1", 0), backlog=100) as door, log.open("wb") as output:
        size = ["-w", str(processes), "--threads", "4"]
        command = [*GUNICORN, application, *WORKERS, *size, "-b", f"fd://{door.fileno()}"]
        process = subprocess.Popen(
            command,
            cwd=HERE.parent,
            env=environment,
            pass_fds=[door.fileno()],
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        address = f"http://127.0.0.1:{door.getsockname()[1]}"
        try:
            _wait_for(f"{address}/api/health/", process, log)
            yield address
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(address, process, log):
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(address, timeout=1, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            continue
    pytest.fail(f"The server did not start:\n{log.read_text()}")


@pytest.fixture
def http(transactional_db, server):
    alone = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=server, limits=alone, timeout=PATIENCE, trust_env=False) as client:
        yield client
