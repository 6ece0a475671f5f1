"""Measure the admin's pages and the API's calls in a small and in a large shop.

    DATABASE_URL=… .venv/bin/python tests/benchmarks/growth.py [--orders 1000000]
        [--products 100000] [--only order]

The two databases are created beside that of DATABASE_URL and dropped at the end; a million orders
take some minutes. A page is marked if it is slower than its limit, or if it needs more queries or
memory in the large shop than in the small one. Of the API compare the ratios of one run, not
times.
"""

import argparse
import os
import re
import statistics
import sys
import time
import tracemalloc
from typing import NamedTuple

from beside_drf import CASES, ENVIRONMENT, ROOT, databases, measure, median_and_p10
from growth_pages import EXPORT_OPTIONS, EXPORTS, LISTS, OTHER_PAGES, REPORTS

SMALL = {"products": 10_000, "users": 3_000, "orders": 30_000}
TRIES = 7
#: URL path -> the most milliseconds of a page, and those of all other pages.
LIMITS_MS = {"/admin/": 100, "/admin/shop/order/": 60}
LIMITS_MS |= {f"/admin/reports/{name}/": 400 for name in REPORTS}
DEFAULT_LIMIT_MS = 100
MEGABYTE = 1024 * 1024
#: Megabytes by which a page's memory may be above that in the small shop.
MAX_GROWTH_MB = 1.0
API_CASES = ("list", "deep", "search", "rare", "detail", "orders", "order")


class PageCosts(NamedTuple):
    """The costs of a page: the best time of all tries, and the medians of the others."""

    best_ms: float
    median_ms: float
    sql_ms: float
    queries: float
    bytes: float
    peak_mb: float


class Browser:
    """A superuser's browser, which records the database queries of each page."""

    def __init__(self):
        self.queries = []

    def sign_in(self, shop):
        """Sign in to this shop; until the next call all requests go to it."""
        from django.contrib.auth import get_user_model  # noqa: PLC0415 - needs Django set up
        from django.db import connections  # noqa: PLC0415
        from django.test import Client  # noqa: PLC0415

        connections["default"] = connections[shop.alias]
        connections[shop.alias].execute_wrappers[:] = [self.record]
        self.client = Client(SERVER_NAME="127.0.0.1")
        self.client.force_login(get_user_model().objects.get(pk=1))

    def record(self, execute, *args):
        start = time.perf_counter()
        try:
            return execute(*args)
        finally:
            self.queries.append((time.perf_counter() - start, args[0]))

    def open(self, url, data=None):
        """Return the milliseconds of a page and of its queries, the queries, and its bytes.

        Of a streamed file only the first chunk is read.
        """
        self.queries = []
        start = time.perf_counter()
        response = self.client.post(url, data) if data else self.client.get(url)
        body = next(iter(response.streaming_content)) if response.streaming else response.content
        seconds = time.perf_counter() - start
        assert response.status_code == 200, (url, response.status_code)
        query_seconds = [
            seconds for seconds, sql in self.queries if not sql.startswith(("SAVEPOINT", "RELEASE"))
        ]
        self.body = body
        return seconds * 1000, sum(query_seconds) * 1000, len(query_seconds), len(body)

    def peak_memory(self, url, data=None):
        """Return the most memory that a page uses, in megabytes."""
        tracemalloc.start()
        self.open(url, data)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak / MEGABYTE


def url_values(shop):
    """Return the values for the URLs, of rows that exist in the shop."""
    from shop.models import Order, User  # noqa: PLC0415

    order = Order.objects.get(pk=shop.orders // 2)
    user = User.objects.get(pk=order.user_id)
    return {
        "order": order.pk,
        "number": order.order_number,
        "email": user.email,
        "phone": user.phone.replace("+44", "0"),
        "last_name": user.last_name,
        "product": f"{shop.products // 2:06d}",
        "products": shop.products,
    }


def pages(shop, browser, only):
    """Yield name, URL and form data of each page, and of the last page of long lists."""
    values = url_values(shop)
    for path in OTHER_PAGES:
        if re.search(only, path):
            yield path, path.format(**values), None
    for path in EXPORTS:
        if re.search(only, path):
            yield f"{path} (first chunk)", path, EXPORT_OPTIONS
    for name, queries in LISTS.items():
        for query in ("", *queries):
            path = f"/admin/shop/{name}/{query and '?'}{query}"
            if not re.search(only, path):
                continue
            url = path.format(**values)
            yield path, url, None
            browser.open(url)
            last = max(map(int, re.findall(rb"[?&;]p=(\d+)", browser.body)), default=1)
            if last > 2:
                yield f"{path} (last page)", f"{url}{'&' if query else '?'}p={last}", None


def measure_pages(shop, browser, only):
    """Return the costs of each page by its name."""
    browser.sign_in(shop)
    costs = {}
    for name, url, data in pages(shop, browser, only):
        browser.open(url, data)
        tries = [browser.open(url, data) for _ in range(TRIES)]
        medians = [statistics.median(column) for column in zip(*tries, strict=True)]
        costs[name] = PageCosts(min(tries)[0], *medians, browser.peak_memory(url, data))
    return costs


def exceeded_limits(name, page, small):
    """Yield a message for each limit that the page exceeds in the large shop."""
    limit = LIMITS_MS.get(re.split("[? ]", name)[0], DEFAULT_LIMIT_MS)
    if page.best_ms > limit:
        yield f"SLOW (limit {limit} ms)"
    if page.queries > small.queries:
        yield f"MORE QUERIES than {small.queries:.0f}"
    if page.peak_mb > small.peak_mb + MAX_GROWTH_MB:
        yield f"MORE MEMORY than {small.peak_mb:.1f} MB"


def print_pages(small_costs, large_costs):
    """Print a line per page, with the limits that it exceeds."""
    print(
        f"{'best ms':>7} {'median':>7} {'SQL':>7} {'small':>7} {'queries':>7} {'KB':>4}"
        f" {'peak MB':>7}  page"
    )
    for name, page in large_costs.items():
        small = small_costs.get(name.replace(" (last page)", ""), page)
        print(
            f"{page.best_ms:7.1f} {page.median_ms:7.1f} {page.sql_ms:7.1f} {small.best_ms:7.1f}"
            f" {page.queries:7.0f} {page.bytes / 1024:4.0f} {page.peak_mb:7.1f}  {name}"
            f"  {', '.join(exceeded_limits(name, page, small))}",
            flush=True,
        )


def print_api(samples, small, large):
    """Print a line per API call: milliseconds in the small and the large shop, and the ratio."""
    print(f"{'small ms':>8} {'large ms':>8} {'ratio':>6} {'of p10':>6} queries  call")
    for case in API_CASES:
        if (case, small.name) not in samples:
            continue
        both_rows = [samples[case, shop.name] for shop in (small, large)]
        (small_ms, small_p10), (large_ms, large_p10) = map(median_and_p10, both_rows)
        queries = "/".join(f"{statistics.median(row[2] for row in rows):.0f}" for rows in both_rows)
        statuses = sorted({row[1] for rows in both_rows for row in rows})
        print(
            f"{small_ms:8.2f} {large_ms:8.2f} {large_ms / small_ms:6.2f}"
            f" {large_p10 / small_p10:6.2f} {queries:>7}  {case} {CASES[case][1]} {statuses}"
        )


def set_up_django(urls):
    """Set up Django with a connection to each database of name -> URL."""
    os.environ.update(ENVIRONMENT | {"DATABASE_URL": next(iter(urls.values()))})
    sys.path.insert(0, str(ROOT))
    import django  # noqa: PLC0415 - reads DATABASE_URL
    from django.conf import settings  # noqa: PLC0415

    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    django.setup()
    from django.db import connections  # noqa: PLC0415

    from settings import env  # noqa: PLC0415

    for name, url in urls.items():
        connections.databases[name] = connections.databases["default"] | {
            "NAME": env.parse_database_url(url)["NAME"]
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--only", default="", help="a regular expression for pages, or `api`")
    options = parser.parse_args()
    sizes = {"small": SMALL, "large": {name: getattr(options, name) for name in SMALL}}
    url = os.environ.get("DATABASE_URL", "sqlite:///db.sqlite3")
    with databases(url, tuple(sizes)) as new_urls:
        urls = dict(zip(sizes, new_urls, strict=True))
        set_up_django(urls)
        from large_shop import LargeShop  # noqa: PLC0415 - needs Django set up

        shops = [LargeShop(name, urls[name], **sizes[name]) for name in sizes]
        for shop in shops:
            start = time.perf_counter()
            shop.fill()
            seconds = time.perf_counter() - start
            print(f"Filled the {shop.name} shop: {shop.orders:,} orders, {seconds:.0f} s")
        compare(shops, options)


def compare(shops, options):
    """Measure and print the pages, then the API's calls."""
    browser = Browser()
    if options.only != "api":
        print_pages(*(measure_pages(shop, browser, options.only) for shop in shops))
    if options.only in {"", "api"}:
        for shop in shops:
            shop.start()
        samples = measure(shops, API_CASES, options.rounds, 20)
        for shop in shops:
            shop.stop()
        print_api(samples, *shops)


if __name__ == "__main__":
    main()
