"""Checking and applying a large product file, beside django-import-export's own way and the bare database.

Not a part of the suite. `BENCHMARK_ROWS=20000,100000 pytest -n 0 -s tests/benchmarks/product_imports.py` prints
seconds, rows a second and ratios; a machine's own seconds say nothing of another's. The library's way is run on
2,000 rows and compared by the row: it costs the same for each, so that more of them only take longer.
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
from shop.product_files.imports.apply import apply_import
from shop.product_files.imports.preview import preview_import, store_upload
from shop.product_files.imports.undo import undo_import
from shop.services.stock import find_drift

pytestmark = pytest.mark.django_db(transaction=True)
SIZES = [int(size) for size in os.environ.get("BENCHMARK_ROWS", "20000").split(",")]
STOCK_ROWS = 2000
HEADERS = ("SKU", "name", "description", "price", "stock", "stock at export", "active")
TEXT = "A dependable everyday piece, made with care and tested for long use. "
COLUMNS = "name, sku, description, price, stock, image, is_active, low_stock_threshold, created_at, updated_at"


def rows_of(count, *, price=0, stock=0):
    dice = random.Random(1)
    for number in range(count):
        amount, text = dice.randint(100, 50_000) + price, (TEXT * dice.randint(1, 4)).strip()
        cells = [f"P-{number}", f"red oak chair {number}", text, f"{amount / 100:.2f}", 5 + stock]
        yield [*cells, "" if not price else 5, "yes"]


def file_of(count, **changes):
    out = io.StringIO()
    csv.writer(out).writerows([HEADERS, *rows_of(count, **changes)])
    return out.getvalue().encode()


@contextmanager
def timed(told, name):
    began = time.perf_counter()
    yield
    told[name] = time.perf_counter() - began


def analyse():
    """As a server does by itself, so that nobody pays for the rows of those before."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def bare(count, told):
    """What the database needs for the same new products and their ledger when nobody asks anything."""
    with timed(told, "bare"), transaction.atomic(), connection.cursor() as cursor:
        now = "2026-01-01 00:00:00+00:00"
        new = [(n, s, d, p, k, "", True, 5, now, now) for s, n, d, p, k, *_ in rows_of(count)]
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY shop_product ({COLUMNS}) FROM STDIN") as copy:
                for row in new:
                    copy.write_row(row)
        else:
            cursor.executemany(
                f"INSERT INTO shop_product ({COLUMNS}) VALUES ({', '.join(['%s'] * 10)})", new
            )
        ledger = "(product_id, kind, delta, balance_after, reason, created_at)"
        first = Product.objects.order_by("pk").values_list("pk", flat=True)[0]
        lines = [(first + n, "import", 5, 5, "", now) for n in range(count)]
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY shop_stockmovement {ledger} FROM STDIN") as copy:
                for line in lines:
                    copy.write_row(line)
        else:
            cursor.executemany(
                f"INSERT INTO shop_stockmovement {ledger} VALUES (%s, %s, %s, %s, %s, %s)", lines
            )


def stock_resource(told, *, price):
    """django-import-export's own row-by-row way, to preview and to write; without any ledger."""
    fields = ("sku", "name", "description", "price", "is_active")
    options = {"import_id_fields": ("sku",), "fields": fields}
    resource_ = modelresource_factory(Product, meta_options=options)()
    data = tablib.Dataset(headers=fields)
    for sku, name, text, amount, *_, active in rows_of(STOCK_ROWS, price=price):
        data.append((sku, name, text, amount, "1" if active else "0"))
    for name, is_dry in (("stock preview", True), ("stock apply", False)):
        with timed(told, name):
            result = resource_.import_data(data, dry_run=is_dry, use_transactions=True)
        assert not result.has_errors()


def ours(actor, content, told):
    product_import = store_upload(actor=actor, name="large.csv", content=content)
    with timed(told, "check"):
        preview_import(product_import)
    assert product_import.counts["error"] == 0
    with timed(told, "apply"):
        apply_import(product_import.pk, actor=actor)
    return product_import


def empty():
    StockMovement.objects.all().delete()
    Product.objects.all().delete()
    analyse()


def show(kind, count, told):
    stock, mine = told["stock preview"] + told["stock apply"], told["check"] + told["apply"]
    scale = count / STOCK_ROWS
    print(f"\n{connection.vendor}, {count:,} {kind} rows")
    for name, seconds in told.items():
        print(f"  {name:14} {seconds:8.2f} s")
    print(
        f"  check + apply {scale * stock / mine:6.1f} times as fast as the library's preview + apply"
    )
    print(
        f"  apply         {scale * told['stock apply'] / told['apply']:6.1f} times as fast as the library's"
    )
    if "bare" in told:
        print(f"  apply         {told['apply'] / told['bare']:6.1f} times the bare database's")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"  peak memory of the process so far {peak} MB")


@pytest.mark.parametrize("count", SIZES)
def test_a_large_file(ada, count):
    new, changed = {}, {}
    first = ours(ada, file_of(count), new)
    assert Product.objects.count() == count
    analyse()
    second = ours(ada, file_of(count, price=100, stock=2), changed)
    assert Product.objects.get(sku="P-0").stock == 7
    for product_import, told in ((second, changed), (first, new)):
        with timed(told, "undo"):
            undo_import(product_import.pk, actor=ada)
    assert (Product.objects.count(), list(find_drift())) == (0, [])
    analyse()
    bare(count, new)
    empty()
    stock_resource(new, price=0)
    stock_resource(changed, price=100)
    show("new", count, new)
    show("changed", count, changed)
