"""Print a process's peak memory after each tenth of many API calls, to find leaks.

    DATABASE_URL=… .venv/bin/python tests/benchmarks/memory.py [--calls 100000]

One process answers all calls, without a socket: lists, searches, products, carts and orders. The
database is created beside that of DATABASE_URL and dropped at the end.
"""

import argparse
import os
import random
import uuid
from itertools import cycle

from beside_drf import ADDRESS, CHECKOUT, create_shops, databases

PRODUCTS, USERS, ORDERS = 10_000, 1_000, 10_000


def calls(tokens, rng):
    """Yield requests endlessly: eight reads per order of one product."""
    for token in cycle(tokens):
        product = rng.randint(1, PRODUCTS)
        yield "GET", "/api/products/", token, None, {}
        yield "GET", f"/api/products/?page={rng.randint(1, 400)}", token, None, {}
        yield "GET", f"/api/products/?search={rng.randint(1, PRODUCTS):06d}", token, None, {}
        for _ in range(4):
            yield "GET", f"/api/products/{rng.randint(1, PRODUCTS)}/", token, None, {}
        yield "GET", "/api/orders/", token, None, {}
        yield "POST", "/api/cart/", token, {"product_id": product, "quantity": 1}, {}
        yield "POST", CHECKOUT, token, ADDRESS, {"HTTP_IDEMPOTENCY_KEY": uuid.uuid4().hex}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=100_000)
    options = parser.parse_args()
    url = os.environ.get("DATABASE_URL", "sqlite:///db.sqlite3")
    with databases(url, ("memory", "unused")) as urls:
        shop = create_shops(*urls, (PRODUCTS, USERS, ORDERS), only_this=True)[0]
        # A new process, because creating the data took memory.
        shop.start()
        requests, tenth = calls(shop.tokens, random.Random(1)), options.calls // 10
        first = None
        for number in range(1, 11):
            statuses = set()
            for _ in range(tenth // 100):
                statuses |= {row[1] for row in shop.send([next(requests) for _ in range(100)])}
            peak = shop.send("memory")
            first = first or peak
            ratio = peak / first
            print(
                f"{number * tenth:8} calls  {peak:7.1f} MB  {ratio:5.3f}  {sorted(statuses)}",
                flush=True,
            )
        shop.stop()


if __name__ == "__main__":
    main()
