"""Our export beside the stock resource of django-import-export, on the same 100,000 rows in one run.

Not a part of the suite: `pytest -n 0 -s tests/benchmarks/exports.py`. What counts are the
ratios: a machine's own seconds say nothing of another's.
"""

import gc
import os
import time
import tracemalloc
from decimal import Decimal

import pytest
from import_export.formats import base_formats
from import_export.resources import modelresource_factory

from shop import exposure
from shop.models import Product
from shop.product_files.exports.product_export import export_products

ROWS = int(os.environ.get("BENCHMARK_ROWS", "100000"))
ROUNDS = 3
STOCK = {"csv": base_formats.CSV, "xlsx": base_formats.XLSX}
#: How many times faster than stock, at least.
GOAL = 10
TEXT = "Thrown by hand in Cornwall, glazed in the colours of the moor. “Dishwasher safe”, says the potter."


@pytest.fixture
def catalogue(db):
    Product.objects.bulk_create(
        [
            Product(
                name=f"Mug number {n}, größer",
                sku=f"MUG-{n}",
                description=f"{TEXT}\nNumber {n}.",
                price=Decimal(n % 10_000) / 100,
                stock=n % 100,
                image=f"products/2026/01/mug-{n}.webp" if n % 2 else "",
            )
            for n in range(ROWS)
        ],
        batch_size=2000,
    )


def ours(file_format):
    """Seconds in all, seconds to the first row, and bytes."""
    began = time.perf_counter()
    pieces = export_products(
        Product.objects.all(),
        layout="own",
        file_format=file_format,
        build_url=lambda name: f"/media/{name}",
    )
    size = len(next(pieces)) + len(next(pieces))
    first = time.perf_counter() - began
    size += sum(map(len, pieces))
    return time.perf_counter() - began, first, size


def stock(file_format):
    """The same columns, by the library's own way."""
    fields = (*exposure.editable_fields(Product), "stock")
    resource = modelresource_factory(Product, meta_options={"fields": fields})()
    began = time.perf_counter()
    size = len(STOCK[file_format]().export_data(resource.export(Product.objects.order_by("pk"))))
    return time.perf_counter() - began, size


def peak(run, *given):
    gc.collect()
    tracemalloc.start()
    run(*given)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found / 1024 / 1024


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_export(catalogue, file_format):
    pairs = [(ours(file_format), stock(file_format)) for _ in range(ROUNDS)]
    ratios = sorted(theirs[0] / mine[0] for mine, theirs in pairs)
    (mine, first, size), (theirs, _) = pairs[0]
    print(
        f"\n{file_format}, {ROWS:,} rows: {ratios[ROUNDS // 2]:.1f} times as fast as stock"
        f" ({', '.join(f'{ratio:.1f}' for ratio in ratios)}); first round {mine:.2f} s and {theirs:.2f} s;"
        f"\n  first row after {first / mine:.1%} of the time ({first:.3f} s), {size / 1e6:.1f} MB;"
        f"\n  peak memory {peak(ours, file_format):.1f} MB, stock {peak(stock, file_format):.1f} MB"
    )
    assert ratios[ROUNDS // 2] >= GOAL
