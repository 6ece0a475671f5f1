"""Compare WSGI servers, numbers of threads and connection pools by calls per second.

    DATABASE_URL=… .venv/bin/python tests/benchmarks/servers.py [--processes 2]

Prints reads and orders per second over 1, 8 and 64 connections, and the ratio to gunicorn with 4
threads. granian and connection pools are compared if they are installed. The client runs on the
same cores.
"""

import argparse
import http.client
import importlib.util
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from beside_drf import CHECKOUT, ITEMS, ROOT, create_shops, databases, send_calls

READS = ("/api/products/", "/api/products/77/", "/api/cart/")
CONNECTIONS = (1, 8, 64)
BUYERS = 200
#: Settings with a connection pool instead of persistent connections.
POOL_SETTINGS = """
from settings.production import *
DATABASES["default"]["CONN_MAX_AGE"] = 0
DATABASES["default"]["OPTIONS"]["pool"] = {{"min_size": {threads}, "max_size": {threads}}}
"""


class Server(NamedTuple):
    """A command to start a server, which takes the number of threads as its last argument."""

    name: str
    command: list[str]
    threads: int
    has_pool: bool


def servers(processes, *, is_postgres):
    """Yield the servers to compare; the first is the one that the others are compared with."""
    gunicorn = (
        f"-m gunicorn settings.wsgi -w {processes} -k gthread --keep-alive 60 --log-level error"
        " -b 127.0.0.1:{port} --threads"
    )
    granian = (
        f"-m granian settings.wsgi:application --interface wsgi --workers {processes}"
        " --no-access-log --log-level error --port {port} --blocking-threads"
    )
    gunicorn, granian = ([sys.executable, *command.split()] for command in (gunicorn, granian))
    yield Server("gunicorn, 4 threads", gunicorn, 4, has_pool=False)
    yield Server("gunicorn, 2 threads", gunicorn, 2, has_pool=False)
    yield Server("gunicorn, 8 threads", gunicorn, 8, has_pool=False)
    if is_postgres and importlib.util.find_spec("psycopg_pool"):
        yield Server("gunicorn, 4 threads, pool", gunicorn, 4, has_pool=True)
    if importlib.util.find_spec("granian"):
        yield Server("granian, 4 threads", granian, 4, has_pool=False)


@contextmanager
def serving(server, shop, folder):
    """Serve the shop by this server, and yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = shop.environment | {"DJANGO_SETTINGS_MODULE": "settings.production"}
    if server.has_pool:
        (folder / "pooled.py").write_text(POOL_SETTINGS.format(threads=server.threads))
        environment["PYTHONPATH"] += f"{os.pathsep}{folder}"
        environment["DJANGO_SETTINGS_MODULE"] = "pooled"
    command = [part.format(port=port) for part in server.command] + [str(server.threads)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_until_healthy(port, server.name)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def wait_until_healthy(port, name):
    for _ in range(300):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            client.request("GET", "/api/health/")
            if client.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
        finally:
            client.close()
    sys.exit(f"{name} did not start.")


def measure(shop, compared, rounds, folder):
    """Return by (server, connections, calls) the calls per second of each round; and statuses."""
    speeds, statuses = {}, {}
    for number in range(rounds + 1):
        for server in compared:
            with serving(server, shop, folder) as port:
                send_calls(port, shop.tokens[:40], 8, READS)  # a warm-up
                for connections in CONNECTIONS:
                    for calls, paths in (("reads", READS), ("orders", (CHECKOUT,))):
                        shop.fill_carts(2, 1 + BUYERS, ITEMS)
                        seconds, counts = send_calls(port, shop.tokens[:BUYERS], connections, paths)
                        key = server.name, connections, calls
                        statuses[key] = statuses.get(key, Counter()) + counts
                        if number:
                            speeds.setdefault(key, []).append(counts.total() / seconds)
    return speeds, statuses


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    url = os.environ.get("DATABASE_URL", "sqlite:///db.sqlite3")
    with databases(url, ("servers", "unused")) as urls, tempfile.TemporaryDirectory() as folder:
        shop = create_shops(*urls, (10_000, 1_000, 20_000), only_this=True)[0]
        compared = list(servers(options.processes, is_postgres=url.startswith("postgres")))
        speeds, statuses = measure(shop, compared, options.rounds, Path(folder))
        print(
            f"{'server':28} {'connections':>11} {'calls':7} {'per second':>10} {'ratio':>6}"
            "  statuses"
        )
        for key, samples in speeds.items():
            name, connections, calls = key
            speed = statistics.median(samples)
            ratio = speed / statistics.median(speeds[compared[0].name, connections, calls])
            counts = dict(statuses[key])
            print(f"{name:28} {connections:11} {calls:7} {speed:10.0f} {ratio:6.2f}  {counts}")


if __name__ == "__main__":
    main()
