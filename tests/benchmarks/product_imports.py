"""Compare the import of a large product file with django-import-export and with the database alone.

Run by itself: `BENCHMARK_ROWS=20000,100000 pytest -n 0 -s tests/benchmarks/product_imports.py`. It
prints seconds and ratios; compare ratios between machines, not times. The library imports 2,000
rows, and its time is scaled to the size of the file, because it is proportional to the number of
rows.
"""

import csv
import io
import os
import random
import resource
import time
from contextlib import contextmanager

import pytest
import tablib
from django.db import connection, transaction
from import_export.resources import modelresource_factory

from shop.models import Product, StockMovement
from shop.product_files.imports.preview import preview_import, store_upload
from shop.services.change_sets.apply import apply_change_set
from shop.services.change_sets.undo import undo_change_set
from shop.services.stock import find_drift

pytestmark = pytest.mark.django_db(transaction=True)
SIZES = [int(size) for size in os.environ.get("BENCHMARK_ROWS", "20000").split(",")]
LIBRARY_ROWS = 2000
HEADERS = ("SKU", "name", "description", "price", "stock", "stock at export", "active")
TEXT = "A dependable everyday piece, made with care and tested for long use. "
COLUMNS = (
    "name, sku, description, price, stock, image, is_active, low_stock_threshold,"
    " created_at, updated_at"
)


def product_rows(count, *, price=0, stock=0):
    """Yield the cells of products; `price` and `stock` are added, so that each row is a change."""
    rng = random.Random(1)
    for number in range(count):
        amount, text = rng.randint(100, 50_000) + price, (TEXT * rng.randint(1, 4)).strip()
        cells = [f"P-{number}", f"red oak chair {number}", text, f"{amount / 100:.2f}", 5 + stock]
        yield [*cells, "" if not price else 5, "yes"]


def csv_file(count, **changes):
    file = io.StringIO()
    csv.writer(file).writerows([HEADERS, *product_rows(count, **changes)])
    return file.getvalue().encode()


@contextmanager
def timed(seconds, name):
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start


def analyze():
    """Update the statistics and remove deleted rows, as a server does in the background."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def insert_without_checks(count, seconds):
    """Insert the same products and stock movements by the database's fastest statements."""
    with timed(seconds, "database"), transaction.atomic(), connection.cursor() as cursor:
        now = "2026-01-01 00:00:00+00:00"
        products = [
            (name, sku, text, price, stock, "", True, 5, now, now)
            for sku, name, text, price, stock, *_ in product_rows(count)
        ]
        copy_rows(cursor, f"shop_product ({COLUMNS})", products)
        first = Product.objects.order_by("pk").values_list("pk", flat=True)[0]
        columns = "product_id, kind, delta, balance_after, reason, created_at"
        movements = [(first + n, "import", 5, 5, "", now) for n in range(count)]
        copy_rows(cursor, f"shop_stockmovement ({columns})", movements)


def copy_rows(cursor, table, rows):
    if connection.vendor == "postgresql":
        with cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        placeholders = ", ".join(["%s"] * len(rows[0]))
        cursor.executemany(f"INSERT INTO {table} VALUES ({placeholders})", rows)


def import_by_library(seconds, *, price):
    """Preview and import with a plain resource of the library, which writes no stock movements."""
    fields = ("sku", "name", "description", "price", "is_active")
    options = {"import_id_fields": ("sku",), "fields": fields}
    resource_ = modelresource_factory(Product, meta_options=options)()
    data = tablib.Dataset(headers=fields)
    for sku, name, text, amount, *_, active in product_rows(LIBRARY_ROWS, price=price):
        data.append((sku, name, text, amount, "1" if active else "0"))
    for name, is_dry in (("library preview", True), ("library apply", False)):
        with timed(seconds, name):
            result = resource_.import_data(data, dry_run=is_dry, use_transactions=True)
        assert not result.has_errors()


def import_by_shop(actor, content, seconds):
    change_set = store_upload(actor=actor, name="large.csv", content=content)
    with timed(seconds, "preview"):
        preview_import(change_set)
    assert change_set.counts["error"] == 0
    with timed(seconds, "apply"):
        apply_change_set(change_set.pk, actor=actor)
    return change_set


def delete_products():
    StockMovement.objects.all().delete()
    Product.objects.all().delete()
    analyze()


def print_times(kind, count, seconds):
    scale = count / LIBRARY_ROWS
    library = scale * (seconds["library preview"] + seconds["library apply"])
    both = library / (seconds["preview"] + seconds["apply"])
    apply = scale * seconds["library apply"] / seconds["apply"]
    print(f"\n{connection.vendor}, {count:,} {kind} rows")
    for name, value in seconds.items():
        print(f"  {name:15} {value:8.2f} s")
    print(f"  preview + apply {both:6.1f} times as fast as the library")
    print(f"  apply           {apply:6.1f} times as fast as the library")
    if "database" in seconds:
        ratio = seconds["apply"] / seconds["database"]
        print(f"  apply           {ratio:6.1f} times as long as the database alone")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"  peak memory of the process so far {peak} MB")


@pytest.mark.parametrize("count", SIZES)
def test_import_of_a_large_file(ada, count):
    new, changed = {}, {}
    first = import_by_shop(ada, csv_file(count), new)
    assert Product.objects.count() == count
    analyze()
    second = import_by_shop(ada, csv_file(count, price=100, stock=2), changed)
    assert Product.objects.get(sku="P-0").stock == 7
    for change_set, seconds in ((second, changed), (first, new)):
        with timed(seconds, "undo"):
            undo_change_set(change_set.pk, actor=ada)
    assert (Product.objects.count(), list(find_drift())) == (0, [])
    analyze()
    insert_without_checks(count, new)
    delete_products()
    import_by_library(new, price=0)
    import_by_library(changed, price=100)
    print_times("new", count, new)
    print_times("changed", count, changed)
