"""Which server, with how many threads and with which connections: the same calls, asked in turn of each.

    DATABASE_URL=… .venv/bin/python tests/benchmarks/servers.py [--processes 2]

Reads and orders at 1, 8 and 64 connections, each as a ratio to gunicorn with 4 threads. granian and a pool of
connections take part where they are installed. The client is this process, on the same cores.
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

from beside_drf import LINES, ORDER, ROOT, ask, databases, shops_of

READS = ("/api/products/", "/api/products/77/", "/api/cart/")
CONNECTIONS = (1, 8, 64)
BUYERS = 200
#: What the settings of a server with a pool say besides; persistent connections are the project's own way.
POOLED = """
from settings.production import *
DATABASES["default"]["CONN_MAX_AGE"] = 0
DATABASES["default"]["OPTIONS"]["pool"] = {{"min_size": {threads}, "max_size": {threads}}}
"""


def ways(processes, *, is_postgres):
    """Name -> (command, threads, with a pool?); the first is what the others are compared with."""
    gunicorn = [
        sys.executable,
        "-m",
        "gunicorn",
        "settings.wsgi",
        "-w",
        str(processes),
        "-k",
        "gthread",
    ]
    gunicorn += [
        "--keep-alive",
        "60",
        "--log-level",
        "error",
        "-b",
        "127.0.0.1:{port}",
        "--threads",
    ]
    granian = [
        sys.executable,
        "-m",
        "granian",
        "settings.wsgi:application",
        "--interface",
        "wsgi",
        "--workers",
    ]
    granian += [str(processes), "--no-access-log", "--log-level", "error", "--port", "{port}"]
    yield "gunicorn, 4 threads", gunicorn, 4, False
    yield "gunicorn, 2 threads", gunicorn, 2, False
    yield "gunicorn, 8 threads", gunicorn, 8, False
    if is_postgres and importlib.util.find_spec("psycopg_pool"):
        yield "gunicorn, 4 threads, pool", gunicorn, 4, True
    if importlib.util.find_spec("granian"):
        yield "granian, 4 threads", [*granian, "--blocking-threads"], 4, False


@contextmanager
def serving(way, shop, folder):
    """The port at which the shop is served in this way."""
    name, command, threads, is_pooled = way
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    environment = shop.environment | {"DJANGO_SETTINGS_MODULE": "settings.production"}
    if is_pooled:
        (folder / "pooled.py").write_text(POOLED.format(threads=threads))
        environment["PYTHONPATH"] += f"{os.pathsep}{folder}"
        environment["DJANGO_SETTINGS_MODULE"] = "pooled"
    command = [part.format(port=port) for part in command] + [str(threads)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, name)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port, name):
    for _ in range(300):
        door = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            door.request("GET", "/api/health/")
            if door.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
        finally:
            door.close()
    sys.exit(f"{name} did not start.")


def measure(shop, found, rounds, folder):
    """Way, connections, kind of call -> calls a second of each round, and all statuses."""
    speeds, statuses = {}, {}
    for number in range(rounds + 1):
        for way in found:
            with serving(way, shop, folder) as port:
                ask(port, shop.tokens[:40], 8, READS)  # warms up
                for many in CONNECTIONS:
                    for kind, paths in (("reads", READS), ("orders", (ORDER,))):
                        shop.fill_carts(2, 1 + BUYERS, LINES)
                        seconds, told = ask(port, shop.tokens[:BUYERS], many, paths)
                        key = way[0], many, kind
                        statuses[key] = statuses.get(key, Counter()) + told
                        if number:
                            speeds.setdefault(key, []).append(told.total() / seconds)
    return speeds, statuses


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    url = os.environ.get("DATABASE_URL", "sqlite:///db.sqlite3")
    with databases(url, ("servers", "unused")) as urls, tempfile.TemporaryDirectory() as folder:
        shop = shops_of(*urls, (10_000, 1_000, 20_000), only_ours=True)[0]
        found = list(ways(asked.processes, is_postgres=url.startswith("postgres")))
        speeds, statuses = measure(shop, found, asked.rounds, Path(folder))
        print(
            f"{'way':28} {'connections':>11} {'calls':7} {'per second':>10} {'ratio':>6}  statuses"
        )
        for (name, many, kind), several in speeds.items():
            speed, first = (
                statistics.median(one) for one in (several, speeds[found[0][0], many, kind])
            )
            told = dict(statuses[name, many, kind])
            print(f"{name:28} {many:11} {kind:7} {speed:10.0f} {speed / first:6.2f}  {told}")


if __name__ == "__main__":
    main()
