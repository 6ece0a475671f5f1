"""What a large shop costs: each page of the back office, and the API's calls beside those of a small shop.

    DATABASE_URL=… .venv/bin/python tests/benchmarks/growth.py [--orders 1000000] [--products 100000] [--only order]

It fills two databases of its own beside that of DATABASE_URL, a small shop and a large one, and drops them in the
end; a million orders take some minutes. A page is marked where it takes longer than it may, asks more queries in the
large shop than in the small one, or takes more memory there. Trust the API's ratios alone, and those only of one run.
"""

import argparse
import os
import re
import statistics
import sys
import time
import tracemalloc
from typing import NamedTuple

from beside_drf import CASES, ENVIRONMENT, ROOT, databases, measure

SMALL = {"products": 10_000, "users": 3_000, "orders": 30_000}
TRIES = 7
GOALS = {"/admin/": 100, "/admin/shop/order/": 60}  # milliseconds in all
OTHERS = 100
MEGABYTE = 1024 * 1024
GROWN = 1.0  # megabytes more than in the small shop
API = ("list", "deep", "search", "rare", "detail", "orders", "order")
LISTS = {
    "order": (
        "q={email}",
        "q={email}&status__exact=delivered",
        "q={last_name}",
        "q={last_name}&status__exact=delivered",
        "q={last_name}&status__exact=pending",
        "q={number}",
        "q={number}&status__exact=delivered",
        "q={number}&days=30",
        "q=SKU-77",
        "q={last_name} Lane",
        "q=street",
        "q=a",
        "q=qzqz",
        "status__exact=pending",
        "status__exact=delivered",
        "status__exact=cancelled",
        "days=1",
        "days=30",
        "created_at_from=2025-01-01&created_at_to=2025-01-31",
        "payment_status__exact=pending",
        "payment_status__exact=refunded",
        "payment_method__exact=card",
        "total_amount_from=1400&total_amount_to=1500",
        "total_amount_from=10&total_amount_to=12",
        "status__exact=cancelled&payment_method__exact=card",
        "o=5",
        "o=6",
        "o=-7",
    ),
    "product": (
        "q=copper lamp",
        "q=SKU-777",
        "q={product}",
        "q=dependable",
        "q=a",
        "q=qzqz",
        "level=low",
        "level=out",
        "level=enough",
        "is_active__exact=0",
        "is_active__exact=1",
        "price_from=10&price_to=12",
        "picture=no",
        "o=2",
        "o=5",
        "q=copper lamp&level=low",
    ),
    "user": (
        "q={email}",
        "q={last_name}",
        "q=example",
        "q=a",
        "role__exact=customer",
        "is_active__exact=0",
        "o=1",
    ),
    "stockmovement": (
        "q=SKU-777",
        "q={number}",
        "q={product}",
        "q=opening",
        "kind__exact=sale",
        "kind__exact=initial",
        "kind__exact=counted",
        "o=4",
    ),
    "orderitem": ("q=SKU-777", "q={number}", "q=lamp", "o=4"),
    "orderevent": ("q={number}", "kind__exact=status", "kind__exact=note", "status__exact=pending"),
    "auditentry": (
        "q={product}",
        "q=777.00",
        "model_name=product",
        "action__exact=removed",
        "model_name=product&record_id=777",
    ),
    "session": ("q={email}", "q=telephone"),
    "cartitem": ("q={email}", "q=SKU-777"),
    "productimport": (),
    "savedview": (),
    "idempotencykey": (),
}
OTHER_PAGES = (
    "/admin/",
    "/admin/?days=1",
    "/admin/?days=30",
    "/admin/shop/order/{order}/change/",
    "/admin/shop/product/1/change/",
    "/admin/shop/product/{products}/change/",
    "/admin/shop/user/2/change/",
    "/admin/shop/order/add/",
    "/admin/shop/order/pick/customer/?term={last_name}",
    "/admin/shop/order/pick/customer/?term=mar",
    "/admin/shop/order/pick/customer/?term=a",
    "/admin/shop/order/pick/product/?term=copper lamp",
    "/admin/shop/order/pick/product/?term=SKU-77",
    "/admin/shop/order/pick/product/?term=a",
    "/admin/search/?s={email}",
    "/admin/search/?s={last_name}",
    "/admin/search/?s={number}",
    "/admin/search/?s=SKU-777",
    "/admin/search/?s=copper lamp",
    "/admin/search/?s=qzqz",
    "/admin/search/?s=mar",
    "/admin/shop/order/export/",
    "/admin/shop/order/export/?status__exact=pending",
    "/admin/shop/product/export/",
)
EXPORTS = ("/admin/shop/order/export/", "/admin/shop/product/export/")


class Figures(NamedTuple):
    """Of a page: milliseconds in the best try and in the middle one, in the database, and what else it takes."""

    best: float
    median: float
    sql: float
    queries: float
    size: float
    peak: float


class Browser:
    """A superuser's, of one shop at a time; knows what a page asks the database."""

    def __init__(self):
        self.queries = []

    def visit(self, shop):
        """Sign in to this shop."""
        from django.contrib.auth import get_user_model  # noqa: PLC0415 - Django was set up in `main`
        from django.db import connections  # noqa: PLC0415
        from django.test import Client  # noqa: PLC0415

        connections["default"] = connections[shop.alias]
        connections[shop.alias].execute_wrappers[:] = [self._count]
        self.client = Client(SERVER_NAME="127.0.0.1")
        self.client.force_login(get_user_model().objects.get(pk=1))

    def _count(self, execute, *args):
        started = time.perf_counter()
        try:
            return execute(*args)
        finally:
            self.queries.append((time.perf_counter() - started, args[0]))

    def open(self, path, sent=None):
        """Milliseconds in all and in the database, queries, bytes (of a stream those of its first piece)."""
        self.queries = []
        started = time.perf_counter()
        answer = self.client.post(path, sent) if sent else self.client.get(path)
        body = next(iter(answer.streaming_content)) if answer.streaming else answer.content
        taken = time.perf_counter() - started
        assert answer.status_code == 200, (path, answer.status_code)
        asked = [
            seconds for seconds, sql in self.queries if not sql.startswith(("SAVEPOINT", "RELEASE"))
        ]
        self.body = body
        return taken * 1000, sum(asked) * 1000, len(asked), len(body)

    def memory(self, path, sent=None):
        """The most that it holds at once, in megabytes."""
        tracemalloc.start()
        self.open(path, sent)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak / MEGABYTE


def known(shop):
    """What the pages name: things that are there."""
    from shop.models import Order, User  # noqa: PLC0415

    order = Order.objects.get(pk=shop.orders // 2)
    user = User.objects.get(pk=order.user_id)
    return {
        "order": order.pk,
        "number": order.order_number,
        "email": user.email,
        "last_name": user.last_name,
        "product": f"{shop.products // 2:06d}",
        "products": shop.products,
    }


def pages(shop, browser, only):
    """Each page's path, the last one of long lists too, and what is posted to it."""
    names = known(shop)
    for path in OTHER_PAGES:
        if re.search(only, path):
            yield path, path.format(**names), None
    for path in EXPORTS:
        if re.search(only, path):
            yield f"{path} (its start)", path, {"file_format": "csv", "layout": "own"}
    for name, queries in LISTS.items():
        for query in ("", *queries):
            path = f"/admin/shop/{name}/{query and '?'}{query}"
            if not re.search(only, path):
                continue
            real = path.format(**names)
            yield path, real, None
            browser.open(real)
            last = max(map(int, re.findall(rb"[?&;]p=(\d+)", browser.body)), default=1)
            if last > 2:
                yield f"{path} (last page)", f"{real}{'&' if query else '?'}p={last}", None


def look(shop, browser, only):
    """Each page's figures: of some tries, and the memory that it takes."""
    browser.visit(shop)
    found = {}
    for name, path, sent in pages(shop, browser, only):
        browser.open(path, sent)
        tries = [browser.open(path, sent) for _ in range(TRIES)]
        middle = [statistics.median(column) for column in zip(*tries, strict=True)]
        found[name] = Figures(min(tries)[0], *middle, browser.memory(path, sent))
    return found


def tell_pages(small, large):
    """A line for each page, marked where it is above a limit; the best try is what the machine can."""
    print(
        f"{'best ms':>7} {'median':>7} {'SQL':>7} {'small':>7} {'queries':>7} {'KB':>4} {'peak MB':>7}  page"
    )
    for name, page in large.items():
        before = small.get(name.replace(" (last page)", ""), page)
        goal = GOALS.get(re.split("[? ]", name)[0], OTHERS)
        marks = [f"SLOW (may take {goal})"] if page.best > goal else []
        marks += (
            [f"QUERIES GROW from {before.queries:.0f}"] if page.queries > before.queries else []
        )
        marks += [f"MEMORY GROWS from {before.peak:.1f}"] if page.peak > before.peak + GROWN else []
        print(
            f"{page.best:7.1f} {page.median:7.1f} {page.sql:7.1f} {before.best:7.1f} {page.queries:7.0f} "
            f"{page.size / 1024:4.0f} {page.peak:7.1f}  {name}  {', '.join(marks)}",
            flush=True,
        )


def tell_api(samples, small, large):
    """A line for each call: what it takes in the small shop, in the large one, and their ratio."""
    print(f"{'small ms':>8} {'large ms':>8} {'ratio':>6} {'of p10':>6} queries  call")
    for case in API:
        if (case, small.name) not in samples:
            continue
        rows = [samples[case, shop.name] for shop in (small, large)]
        times = [sorted(row[0] * 1000 for row in every) for every in rows]
        (a, b), (a10, b10) = (
            map(statistics.median, times),
            (every[len(every) // 10] for every in times),
        )
        asked = "/".join(f"{statistics.median(row[2] for row in every):.0f}" for every in rows)
        codes = sorted({row[1] for every in rows for row in every})
        print(
            f"{a:8.2f} {b:8.2f} {b / a:6.2f} {b10 / a10:6.2f} {asked:>7}  {case} {CASES[case][1]} {codes}"
        )


def set_up(urls):
    """Django, with a connection to each of these databases."""
    os.environ.update(ENVIRONMENT | {"DATABASE_URL": next(iter(urls.values()))})
    sys.path.insert(0, str(ROOT))
    import django  # noqa: PLC0415 - only now it is known which database
    from django.conf import settings  # noqa: PLC0415

    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    django.setup()
    from django.db import connections  # noqa: PLC0415

    from settings import env  # noqa: PLC0415

    for name, url in urls.items():
        connections.databases[name] = connections.databases["default"] | {
            "NAME": env.database(url)["NAME"]
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--only", default="", help="a regular expression of pages, or `api`")
    asked = parser.parse_args()
    sizes = {"small": SMALL, "large": {name: getattr(asked, name) for name in SMALL}}
    with databases(
        os.environ.get("DATABASE_URL", "sqlite:///db.sqlite3"), tuple(sizes)
    ) as addresses:
        urls = dict(zip(sizes, addresses, strict=True))
        set_up(urls)
        from large_shop import LargeShop  # noqa: PLC0415 - needs Django set up

        shops = [LargeShop(name, urls[name], **sizes[name]) for name in sizes]
        for shop in shops:
            started = time.perf_counter()
            shop.fill()
            print(
                f"Filled the {shop.name} shop: {shop.orders:,} orders, {time.perf_counter() - started:.0f} s"
            )
        ask(shops, asked)


def ask(shops, asked):
    """Print the pages, then the API's calls."""
    browser = Browser()
    if asked.only != "api":
        tell_pages(*(look(shop, browser, asked.only) for shop in shops))
    if asked.only in {"", "api"}:
        for shop in shops:
            shop.start()
        samples = measure(shops, API, asked.rounds, 20)
        for shop in shops:
            shop.stop()
        tell_api(samples, *shops)


if __name__ == "__main__":
    main()
