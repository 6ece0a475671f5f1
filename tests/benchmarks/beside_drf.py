"""Compare the API's speed with that of a shop in Django REST framework, with the same data.

    DATABASE_URL=… .venv/bin/python tests/benchmarks/beside_drf.py [--products 100000]
        [--only list,order] [--short]

The two shops answer the same requests in turn. Their databases are created beside that of
DATABASE_URL and dropped at the end. The other shop is read from ../shared/peers/drf; without it
this shop is measured alone. Compare ratios between machines, not times. `--short` takes less than
a minute, and fails if a call needs more queries than LIMITS.
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
#: Items in a cart, in a large cart, and connections of the test `order_hot`.
ITEMS, MANY_ITEMS, BUYERS = 3, 12, 8
#: The most queries of a call. The third of a list is its count, which is cached for 30 seconds.
LIMITS = {
    "list": 3,
    "deep": 3,
    "detail": 2,
    "cart": 2,
    "add": 4,
    "orders": 3,
    "order": 11,
    "order_long": 11,
}
CHECKOUT = "/api/orders/create/"
ADDRESS = {"shipping_address": "12 Long Street, Springfield"}
#: Name -> method, path, body, items in the cart. `{…}` is random per request, and the same for both
#: shops.
CASES = {
    "list": ("GET", "/api/products/", None, None),
    "deep": ("GET", "/api/products/?page={half}", None, None),
    "search": ("GET", "/api/products/?search=copper%20lamp", None, None),
    "rare": ("GET", "/api/products/?search={product:06d}", None, None),
    "detail": ("GET", "/api/products/{product}/", None, None),
    "profile": ("GET", "/api/auth/profile/", None, None),
    "cart": ("GET", "/api/cart/", None, ITEMS),
    "add": ("POST", "/api/cart/", {"product_id": 0, "quantity": 1}, 0),
    "orders": ("GET", "/api/orders/", None, None),
    "order": ("POST", CHECKOUT, ADDRESS, ITEMS),
    "order_long": ("POST", CHECKOUT, ADDRESS, MANY_ITEMS),
}
HEADER = (
    f"{'case':12} {'shop':6} {'median ms':>9} {'p10 ms':>7} {'x median':>9} {'x p10':>6}"
    f" {'queries':>7} {'bytes':>6}  status"
)


def requests(case, shop, number, chunk):
    """Yield `chunk` requests of a case: in a round the same for all shops but for the tokens."""
    method, path, body, _ = CASES[case]
    rng = random.Random(f"{case} {number}")
    for token in shop.tokens[:chunk]:
        product = rng.randint(1, shop.products)
        url = path.format(product=product, half=shop.products // 40)
        data = body and body | ({"product_id": product} if "product_id" in body else {})
        # This shop stores the key with the order; the other one ignores it.
        headers = {"HTTP_IDEMPOTENCY_KEY": uuid.uuid4().hex} if "order" in case and body else {}
        yield method, url, token, data, headers


def measure(shops, cases, rounds, chunk):
    """Return the samples by (case, shop). The shops take turns; the first round is a warm-up."""
    samples = {}
    for number in range(rounds + 1):
        for case in cases:
            for shop in shops:
                newest = None
                if case == "order" and shop.alias == "default":
                    newest = shop.newest_order()
                fill_carts(shop, case, chunk)
                results = {shop.name: shop.send(list(requests(case, shop, number, chunk)))}
                if newest:
                    results["driver"] = replay(shop, case, chunk, newest, results[shop.name])
                for name, rows in results.items():
                    samples.setdefault((case, name), []).extend(rows if number else ())
    return samples


def replay(shop, case, chunk, newest, rows):
    """Execute the same statements with the driver only: the shortest possible time."""
    shop.delete_orders_after(newest)
    fill_carts(shop, case, chunk)
    return [[seconds, 201, rows[0][2], 0] for seconds in shop.send("replay")]


def fill_carts(shop, case, chunk):
    items = CASES[case][3]
    if items is not None:
        shop.fill_carts(2, 1 + chunk, items)


def print_report(samples):
    """Print a line per case and shop.

    `x` is how many times as fast this shop is; for `driver` how many times as slow.
    """
    print(HEADER)
    for (case, name), rows in samples.items():
        times, own = median_and_p10(rows), median_and_p10(samples[case, "shop"])
        slower, faster = (times, own) if name == "drf" else (own, times)
        ratios = f"{slower[0] / faster[0]:9.2f} {slower[1] / faster[1]:6.2f}"
        queries = sorted({row[2] for row in rows})
        query_range = f"{queries[0]}" if len(queries) == 1 else f"{queries[0]}-{queries[-1]}"
        size, statuses = statistics.median(row[3] for row in rows), sorted({row[1] for row in rows})
        print(
            f"{case:12} {name:6} {times[0]:9.2f} {times[1]:7.2f}"
            f" {'' if name == 'shop' else ratios:16} {query_range:>7} {size:6.0f}  {statuses}",
            flush=True,
        )


def median_and_p10(rows):
    """Return the median and the 10th percentile, in milliseconds."""
    times = sorted(row[0] * 1000 for row in rows)
    return statistics.median(times), times[len(times) // 10]


def exceeded_limits(samples):
    """Yield a message per case of this shop that needs more queries than its limit."""
    for case, limit in LIMITS.items():
        queries = max((row[2] for row in samples.get((case, "shop"), ())), default=0)
        if queries > limit:
            yield f"{case}: {queries} queries, at most {limit} are allowed"


@contextmanager
def serving(shop):
    """Serve the shop by gunicorn with two processes of four threads, and yield its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        port, file = listener.getsockname()[1], f"fd://{listener.fileno()}"
        options = "-w 2 --threads 4 -k gthread --keep-alive 60 --log-level error -b".split()
        command = [shop.python, "-m", "gunicorn", shop.wsgi, *options, file]
        process = subprocess.Popen(
            command,
            cwd=shop.folder,
            env=shop.environment,
            pass_fds=[listener.fileno()],
            stderr=subprocess.DEVNULL,
        )
        try:
            yield port
        finally:
            process.terminate()
            process.wait(30)


def compare_concurrent_orders(shops, rounds, count):
    """Print orders per second of eight buyers of the same three products; check the stock."""
    speeds = {shop.name: [] for shop in shops}
    all_statuses = {shop.name: Counter() for shop in shops}
    wrong_rounds = dict.fromkeys(speeds, 0)
    with ExitStack() as stack:
        ports = {shop.name: stack.enter_context(serving(shop)) for shop in shops}
        for number in range(rounds + 1):
            for shop in shops:
                shop.fill_carts(2, 1 + count, ITEMS, same_products=True)
                before = shop.units_sold(ITEMS)
                tokens = shop.tokens[:count]
                seconds, statuses = send_calls(ports[shop.name], tokens, BUYERS, (CHECKOUT,))
                units_per_order = sum(1 + k % 3 for k in range(ITEMS))
                orders = (shop.units_sold(ITEMS) - before) / units_per_order
                wrong_rounds[shop.name] += orders != statuses[201]
                all_statuses[shop.name] += statuses
                if number:
                    speeds[shop.name].append(statuses[201] / seconds)

    own_speed = statistics.median(speeds["shop"])
    for name, samples in speeds.items():
        speed, wrong = statistics.median(samples), wrong_rounds[name]
        stock = f"stock wrong in {wrong} rounds" if wrong else "stock exact"
        statuses = dict(all_statuses[name])
        ratio = own_speed / speed
        print(f"order_hot    {name:6} {speed:9.1f} orders/s {ratio:6.2f}  {stock}  {statuses}")


def send_calls(port, tokens, connections, paths):
    """Call the paths with each token over some connections; return seconds and statuses."""

    def send_over_one_connection(tokens):
        statuses = Counter()
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for token in tokens:
            for path in paths:
                headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
                headers["Idempotency-Key"] = uuid.uuid4().hex
                method, body = ("POST", json.dumps(ADDRESS)) if path == CHECKOUT else ("GET", None)
                client.request(method, path, body, headers)
                response = client.getresponse()
                response.read()
                statuses[response.status] += 1
        client.close()
        return statuses

    start = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        shares = (tokens[n::connections] for n in range(connections))
        results = list(pool.map(send_over_one_connection, shares))
    return time.perf_counter() - start, sum(results, Counter())


@contextmanager
def databases(url, names):
    """Create empty databases beside this one, yield their URLs, and drop them at the end."""
    if url.startswith("sqlite"):
        with tempfile.TemporaryDirectory() as folder:
            yield [f"sqlite:///{folder}/{name}.sqlite3" for name in names]
            close_connections()
        return
    import psycopg  # noqa: PLC0415 - not installed where SQLite is measured

    parts = urlsplit(url)
    urls = [parts._replace(path=f"{parts.path}_{name}") for name in names]
    with psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True) as server:
        try:
            for new in urls:
                server.execute(f'DROP DATABASE IF EXISTS "{new.path[1:]}" WITH (FORCE)')
                server.execute(f'CREATE DATABASE "{new.path[1:]}"')
            yield [new.geturl() for new in urls]
            close_connections()
        finally:
            for new in urls:
                server.execute(f'DROP DATABASE IF EXISTS "{new.path[1:]}" WITH (FORCE)')


def close_connections():
    from django.db import connections  # noqa: PLC0415 - needs Django set up

    connections.close_all()


def create_shops(url, peer_url, sizes, *, only_this=False):
    """Set up Django and return the shops to compare, with data; first the peer, if it exists."""
    os.environ.update(ENVIRONMENT | {"DATABASE_URL": url})
    sys.path.insert(0, str(ROOT))
    import django  # noqa: PLC0415 - reads DATABASE_URL

    django.setup()
    from beside_shops import Peer, Shop  # noqa: PLC0415 - needs Django set up
    from django.db import connections  # noqa: PLC0415

    name = urlsplit(peer_url).path.removeprefix("/")
    connections.databases["drf"] = connections.databases["default"] | {"NAME": name}
    shops = [Shop(*sizes)]
    if not only_this and Peer.folder.is_dir():
        shops.insert(0, Peer(*sizes, peer_url))
    elif not only_this:
        print("There is no ../shared/peers/drf: only this shop is measured.")
    for shop in shops:
        print(f"Filling {shop.name} …", flush=True)
        shop.fill()
    return shops


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--only", default=",".join([*CASES, "order_hot"]), help="cases: a,b,c")
    parser.add_argument("--short", action="store_true", help="small tables; check query counts")
    options = parser.parse_args()
    sizes, rounds, chunk, orders = (options.products, 3_000, 60_000), options.rounds, 20, 400
    if options.short:
        sizes, rounds, chunk, orders = (1_000, 200, 4_000), 3, 5, 40
    only = options.only.split(",")
    url = os.environ.get("DATABASE_URL", "sqlite:///db.sqlite3")
    with databases(url, ("shop", "drf")) as urls:
        shops = create_shops(*urls, sizes)
        for shop in shops:
            shop.start()
        samples = measure(shops, [case for case in CASES if case in only], rounds, chunk)
        for shop in shops:
            shop.stop()
        print_report(samples)
        if "order_hot" in only:
            compare_concurrent_orders(shops, max(2, rounds // 3), orders)
    if options.short:
        sys.exit("\n".join(exceeded_limits(samples)) or 0)


if __name__ == "__main__":
    main()
