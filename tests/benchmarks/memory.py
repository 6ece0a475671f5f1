"""Whether a process grows while it serves: its peak after each tenth of many calls.

    DATABASE_URL=… .venv/bin/python tests/benchmarks/memory.py [--calls 100000]

All in one process, without a socket: pages of the list, searches, products, carts, orders, on a database of its own.
"""

import argparse
import os
import random
import uuid
from itertools import cycle

from beside_drf import ADDRESS, databases, shops_of

PRODUCTS, USERS, ORDERS = 10_000, 1_000, 10_000


def calls(tokens, rng):
    """Requests without end: nine that read for each sale of one product."""
    for token in cycle(tokens):
        product = rng.randint(1, PRODUCTS)
        yield "GET", "/api/products/", token, None, {}
        yield "GET", f"/api/products/?page={rng.randint(1, 400)}", token, None, {}
        yield "GET", f"/api/products/?search={rng.randint(1, PRODUCTS):06d}", token, None, {}
        for _ in range(4):
            yield "GET", f"/api/products/{rng.randint(1, PRODUCTS)}/", token, None, {}
        yield "GET", "/api/orders/", token, None, {}
        yield "POST", "/api/cart/", token, {"product_id": product, "quantity": 1}, {}
        yield (
            "POST",
            "/api/orders/create/",
            token,
            ADDRESS,
            {"HTTP_IDEMPOTENCY_KEY": uuid.uuid4().hex},
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=100_000)
    asked = parser.parse_args()
    url = os.environ.get("DATABASE_URL", "sqlite:///db.sqlite3")
    with databases(url, ("memory", "unused")) as urls:
        shop = shops_of(*urls, (PRODUCTS, USERS, ORDERS), only_ours=True)[0]
        # A process of its own: filling the shop took memory too.
        shop.start()
        several, tenth = calls(shop.tokens, random.Random(1)), asked.calls // 10
        first = None
        for number in range(1, 11):
            statuses = set()
            for _ in range(tenth // 100):
                statuses |= {row[1] for row in shop.ask([next(several) for _ in range(100)])}
            now = shop.ask("memory")
            first = first or now
            print(
                f"{number * tenth:8} calls  {now:7.1f} MB  {now / first:5.3f}  {sorted(statuses)}",
                flush=True,
            )
        shop.stop()


if __name__ == "__main__":
    main()
