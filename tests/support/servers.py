"""Gunicorn with several processes on the test database."""

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

#: The folder from which `support` is imported.
TESTS = Path(__file__).parent.parent
#: Seconds after which a test fails rather than waits.
TIMEOUT_SECONDS = 30
GUNICORN = [sys.executable, "-m", "gunicorn", "--pythonpath", str(TESTS)]
WORKERS = ["-k", "gthread", "--preload", "--no-control-socket"]


def database_url():
    """Return the DATABASE_URL of this test run's database."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{quote(str(database['NAME']))}"
    user = f"{quote(database['USER'], safe='')}:{quote(database['PASSWORD'], safe='')}"
    port = f":{database['PORT']}" if database["PORT"] else ""
    return f"postgres://{user}@{database['HOST']}{port}/{quote(database['NAME'])}"


@pytest.fixture(scope="session")
def server(django_db_setup, tmp_path_factory):
    """The URL of the shop, served by three processes with four threads each."""
    log = tmp_path_factory.mktemp("races") / "server.log"
    with serving("support.strict_wsgi", log, processes=3) as url:
        yield url


@contextmanager
def serving(application, log, *, processes):
    """Serve a WSGI application by processes with four threads each, and yield its URL."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "settings.test",
        "DATABASE_URL": database_url(),
    }
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener, log.open("wb") as output:
        size = ["-w", str(processes), "--threads", "4"]
        command = [*GUNICORN, application, *WORKERS, *size, "-b", f"fd://{listener.fileno()}"]
        process = subprocess.Popen(
            command,
            cwd=TESTS.parent,
            env=environment,
            pass_fds=[listener.fileno()],
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            wait_until_healthy(f"{url}/api/health/", process, log)
            yield url
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_until_healthy(url, process, log):
    """Poll the URL until it answers 200. Fails with the server's log if it does not."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=1, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            continue
    pytest.fail(f"The server did not start:\n{log.read_text()}")


@pytest.fixture
def http(transactional_db, server):
    """A client of `server` that opens a connection per request."""
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(
        base_url=server, limits=limits, timeout=TIMEOUT_SECONDS, trust_env=False
    ) as client:
        yield client
