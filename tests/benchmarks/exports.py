"""Compare the export of 100,000 products with a plain resource of django-import-export.

Run by itself: `pytest -n 0 -s tests/benchmarks/exports.py`. Compare ratios between machines, not
times.
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
LIBRARY_FORMATS = {"csv": base_formats.CSV, "xlsx": base_formats.XLSX}
#: The export is at least this many times as fast as the library's.
MIN_RATIO = 10
TEXT = "Thrown by hand in Cornwall, glazed in the colours of the moor. “Dishwasher safe”, it says."


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


def export_by_shop(file_format):
    """Return the seconds of the export, the seconds to its first row, and its bytes."""
    start = time.perf_counter()
    chunks = export_products(
        Product.objects.all(),
        layout="own",
        file_format=file_format,
        build_url=lambda name: f"/media/{name}",
    )
    size = len(next(chunks)) + len(next(chunks))
    first = time.perf_counter() - start
    size += sum(map(len, chunks))
    return time.perf_counter() - start, first, size


def export_by_library(file_format):
    """Return the seconds and bytes of the same columns, exported by the library itself."""
    fields = (*exposure.editable_fields(Product), "stock")
    resource = modelresource_factory(Product, meta_options={"fields": fields})()
    start = time.perf_counter()
    dataset = resource.export(Product.objects.order_by("pk"))
    size = len(LIBRARY_FORMATS[file_format]().export_data(dataset))
    return time.perf_counter() - start, size


def peak_memory(function, *args):
    """Return the most memory that the call uses, in MB."""
    gc.collect()
    tracemalloc.start()
    function(*args)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1024 / 1024


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_the_export_is_faster_than_the_library(catalogue, file_format):
    pairs = [(export_by_shop(file_format), export_by_library(file_format)) for _ in range(ROUNDS)]
    ratios = sorted(library[0] / shop[0] for shop, library in pairs)
    (shop, first, size), (library, _) = pairs[0]
    shop_peak = peak_memory(export_by_shop, file_format)
    library_peak = peak_memory(export_by_library, file_format)
    print(
        f"\n{file_format}, {ROWS:,} rows: {ratios[ROUNDS // 2]:.1f} times as fast as the library"
        f" ({', '.join(f'{ratio:.1f}' for ratio in ratios)});"
        f" first round {shop:.2f} s, library {library:.2f} s;"
        f"\n  first row after {first / shop:.1%} of the time ({first:.3f} s), {size / 1e6:.1f} MB;"
        f"\n  peak memory {shop_peak:.1f} MB, library {library_peak:.1f} MB"
    )
    assert ratios[ROUNDS // 2] >= MIN_RATIO
