"""This shop beside an ordinary one in Django REST framework, request by request in turn, on the same goods.

    DATABASE_URL=… .venv/bin/python tests/benchmarks/beside_drf.py [--products 100000] [--only list,order] [--short]

It makes databases of its own beside that of DATABASE_URL and drops them. The peer is taken from ../shared/peers/drf
where that is there; else this shop is measured alone. Only the ratios mean something on another machine. `--short`
takes less than a minute and judges nothing but the numbers of queries: it fails if one is above its limit.
"""

import argparse
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "settings.production",
    "DJANGO_SECRET_KEY": "a-benchmark-only-secret-key-of-more-than-32-bytes",
    "JWT_SIGNING_KEY": "another-benchmark-only-key-of-more-than-32-bytes",
    "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
    "DJANGO_HTTPS": "false",
    "EMAIL_URL": "dummy://",
    "SHOP_RATE_API": "1000000/min",
}
LINES, LONG, BUYERS = 3, 12, 8
#: The most statements of one call. A list's third is its count, once in 30 seconds.
LIMITS = {
    "list": 3,
    "deep": 3,
    "detail": 2,
    "cart": 2,
    "add": 4,
    "orders": 3,
    "order": 10,
    "order_long": 10,
}
ORDER = "/api/orders/create/"
ADDRESS = {"shipping_address": "12 Long Street, Springfield"}
#: Name: method, path, body, lines in the cart. `{…}` is chosen anew for each request, alike for both shops.
CASES = {
    "list": ("GET", "/api/products/", None, None),
    "deep": ("GET", "/api/products/?page={half}", None, None),
    "search": ("GET", "/api/products/?search=copper%20lamp", None, None),
    "rare": ("GET", "/api/products/?search={product:06d}", None, None),
    "detail": ("GET", "/api/products/{product}/", None, None),
    "profile": ("GET", "/api/auth/profile/", None, None),
    "cart": ("GET", "/api/cart/", None, LINES),
    "add": ("POST", "/api/cart/", {"product_id": 0, "quantity": 1}, 0),
    "orders": ("GET", "/api/orders/", None, None),
    "order": ("POST", ORDER, ADDRESS, LINES),
    "order_long": ("POST", ORDER, ADDRESS, LONG),
}
HEAD = f"{'case':12} {'of':6} {'median ms':>9} {'p10 ms':>7} {'x median':>9} {'x p10':>6} {'queries':>7} {'bytes':>6}  status"


def requests(case, shop, number, chunk):
    """A chunk's requests: those of a round are the same for every shop, but for their tokens."""
    method, path, body, _ = CASES[case]
    rng = random.Random(f"{case} {number}")
    for token in shop.tokens[:chunk]:
        product = rng.randint(1, shop.products)
        where = path.format(product=product, half=shop.products // 40)
        sent = body and body | ({"product_id": product} if "product_id" in body else {})
        # The peer has no use for the key; ours writes it with the order.
        headers = {"HTTP_IDEMPOTENCY_KEY": uuid.uuid4().hex} if "order" in case and body else {}
        yield method, where, token, sent, headers


def measure(shops, cases, rounds, chunk):
    """The samples of each case and shop, taken in turn: A B C … A B C …; the first round only warms up."""
    samples = {}
    for number in range(rounds + 1):
        for case in cases:
            for shop in shops:
                newest = (
                    shop.newest_order() if case == "order" and shop.alias == "default" else None
                )
                _fill_carts(shop, case, chunk)
                found = {shop.name: shop.ask(list(requests(case, shop, number, chunk)))}
                if (
                    newest
                ):  # the very same orders again, without anything between them and the database
                    shop.forget_orders(newest)
                    _fill_carts(shop, case, chunk)
                    replayed = shop.ask("replay")
                    found["driver"] = [
                        [seconds, 201, found[shop.name][0][2], 0] for seconds in replayed
                    ]
                for name, rows in found.items():
                    samples.setdefault((case, name), []).extend(rows if number else ())
    return samples


def _fill_carts(shop, case, chunk):
    lines = CASES[case][3]
    if lines is not None:
        shop.fill_carts(2, 1 + chunk, lines)


def report(samples):
    """Print each row; `x` is how many times faster this shop is (for `driver`: how many times slower)."""
    print(HEAD)
    for (case, name), rows in samples.items():
        median, best = _middle(rows)
        ours = _middle(samples[case, "shop"])
        ratios = (
            (median / ours[0], best / ours[1])
            if name == "drf"
            else (ours[0] / median, ours[1] / best)
        )
        shown = "                " if name == "shop" else f"{ratios[0]:9.2f} {ratios[1]:6.2f}"
        queries = sorted({row[2] for row in rows})
        told = f"{queries[0]}" if len(queries) == 1 else f"{queries[0]}-{queries[-1]}"
        size, codes = statistics.median(row[3] for row in rows), sorted({row[1] for row in rows})
        print(
            f"{case:12} {name:6} {median:9.2f} {best:7.2f} {shown} {told:>7} {size:6.0f}  {codes}",
            flush=True,
        )


def _middle(rows):
    """The median and the 10th percentile, in milliseconds."""
    times = sorted(row[0] * 1000 for row in rows)
    return statistics.median(times), times[len(times) // 10]


def too_many(samples):
    """Each case of ours that asks more than it may, in words."""
    for case, limit in LIMITS.items():
        most = max((row[2] for row in samples.get((case, "shop"), ())), default=0)
        if most > limit:
            yield f"{case}: {most} queries, at most {limit} are allowed"


@contextmanager
def served(shop):
    """The shop's port, behind gunicorn: two processes of four threads."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as door:
        port = door.getsockname()[1]
        options = f"-w 2 --threads 4 -k gthread --keep-alive 60 --log-level error -b fd://{door.fileno()}".split()
        command = [shop.python, "-m", "gunicorn", shop.wsgi, *options]
        process = subprocess.Popen(
            command,
            cwd=shop.folder,
            env=shop.environment,
            pass_fds=[door.fileno()],
            stderr=subprocess.DEVNULL,
        )
        try:
            yield port
        finally:
            process.terminate()
            process.wait(30)


def hot(shops, rounds, count):
    """Eight buyers of the same three products: orders a second, and whether the stock is exact."""
    speeds = {shop.name: [] for shop in shops}
    codes = {shop.name: Counter() for shop in shops}
    wrong = dict.fromkeys(speeds, 0)
    with ExitStack() as stack:
        ports = {shop.name: stack.enter_context(served(shop)) for shop in shops}
        for number in range(rounds + 1):
            for shop in shops:
                shop.fill_carts(2, 1 + count, LINES, alike=True)
                before = shop.taken(LINES)
                seconds, statuses = ask(ports[shop.name], shop.tokens[:count], BUYERS, (ORDER,))
                sold = (shop.taken(LINES) - before) / sum(1 + k % 3 for k in range(LINES))
                wrong[shop.name] += sold != statuses[201]
                codes[shop.name] += statuses
                if number:
                    speeds[shop.name].append(statuses[201] / seconds)
    ours = statistics.median(speeds["shop"])
    for name, found in speeds.items():
        speed = statistics.median(found)
        exact = "stock exact" if not wrong[name] else f"stock wrong in {wrong[name]} rounds"
        print(
            f"order_hot    {name:6} {speed:9.1f} orders/s {ours / speed:6.2f}  {exact}  {dict(codes[name])}"
        )


def ask(port, tokens, connections, paths):
    """Call these paths with each of the tokens, over so many connections; returns the seconds and the statuses."""

    def one(mine):
        statuses = Counter()
        door = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for token in mine:
            for path in paths:
                headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
                headers["Idempotency-Key"] = uuid.uuid4().hex
                method, body = ("POST", json.dumps(ADDRESS)) if path == ORDER else ("GET", None)
                door.request(method, path, body, headers)
                answer = door.getresponse()
                answer.read()
                statuses[answer.status] += 1
        door.close()
        return statuses

    started = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        found = list(pool.map(one, (tokens[n::connections] for n in range(connections))))
    return time.perf_counter() - started, sum(found, Counter())


@contextmanager
def databases(url, names):
    """Addresses of empty databases beside this one, dropped in the end."""
    if url.startswith("sqlite"):
        with tempfile.TemporaryDirectory() as folder:
            yield [f"sqlite:///{folder}/{name}.sqlite3" for name in names]
            _close()
        return
    import psycopg  # noqa: PLC0415 - only where it is PostgreSQL

    beside = [urlsplit(url)._replace(path=f"{urlsplit(url).path}_{name}") for name in names]
    with psycopg.connect(
        urlsplit(url)._replace(path="/postgres").geturl(), autocommit=True
    ) as server:
        dropping = [f'DROP DATABASE IF EXISTS "{one.path[1:]}" WITH (FORCE)' for one in beside]
        try:
            for one, drop in zip(beside, dropping, strict=True):
                server.execute(drop)
                server.execute(f'CREATE DATABASE "{one.path[1:]}"')
            yield [one.geturl() for one in beside]
            _close()
        finally:
            for drop in dropping:
                server.execute(drop)


def _close():
    from django.db import connections  # noqa: PLC0415 - set up by who filled the databases

    connections.close_all()


def shops_of(url, peers_url, sizes, *, only_ours=False):
    """The shops that are there, filled."""
    os.environ.update(ENVIRONMENT | {"DATABASE_URL": url})
    sys.path.insert(0, str(ROOT))
    import django  # noqa: PLC0415 - only now it is known which database

    django.setup()
    from beside_shops import Peer, Shop  # noqa: PLC0415 - needs Django set up
    from django.db import connections  # noqa: PLC0415

    name = urlsplit(peers_url).path.removeprefix("/")
    connections.databases["drf"] = connections.databases["default"] | {"NAME": name}
    shops = [Shop(*sizes)]
    if not only_ours and Peer.folder.is_dir():
        shops.insert(0, Peer(*sizes, peers_url))
    elif not only_ours:
        print("The peer is not here: this shop alone.")
    for shop in shops:
        print(f"Filling {shop.name} …", flush=True)
        shop.fill()
    return shops


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument(
        "--only", default=",".join([*CASES, "order_hot"]), help="cases, with commas between them"
    )
    parser.add_argument(
        "--short", action="store_true", help="small tables; judges the numbers of queries"
    )
    asked = parser.parse_args()
    sizes, rounds, chunk, many = (asked.products, 3_000, 60_000), asked.rounds, 20, 400
    if asked.short:
        sizes, rounds, chunk, many = (1_000, 200, 4_000), 3, 5, 40
    only = asked.only.split(",")
    url = os.environ.get("DATABASE_URL", "sqlite:///db.sqlite3")
    with databases(url, ("shop", "drf")) as urls:
        shops = shops_of(*urls, sizes)
        for shop in shops:
            shop.start()
        samples = measure(shops, [case for case in CASES if case in only], rounds, chunk)
        for shop in shops:
            shop.stop()
        report(samples)
        if "order_hot" in only:
            hot(shops, max(2, rounds // 3), many)
    if asked.short:
        sys.exit("\n".join(too_many(samples)) or 0)


if __name__ == "__main__":
    main()
