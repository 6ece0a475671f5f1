"""Product export: in our own columns, or in Shopify's or WooCommerce's."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from django.db.models import QuerySet

from shop.models import Product
from shop.product_files.exports import export_formats
from shop.product_files.exports.columns import Cells, Column, table_rows
from shop.product_files.exports.csv_writer import write_csv
from shop.product_files.exports.export_formats import UrlBuilder
from shop.product_files.exports.resources import ProductResource
from shop.product_files.exports.xlsx_writer import write_xlsx

type Layout = Literal["own", "shopify", "woocommerce"]
type Format = Literal["csv", "xlsx"]

LAYOUTS: dict[Layout, Callable[[UrlBuilder], Sequence[Column]]] = {
    "own": lambda build_url: ProductResource().columns(build_url),
    "shopify": export_formats.shopify_columns,
    "woocommerce": export_formats.woocommerce_columns,
}
FILE_WRITERS: dict[Format, Callable[[Sequence[Column], Iterator[Cells]], Iterator[bytes]]] = {
    "csv": write_csv,
    "xlsx": write_xlsx,
}


def export_products(
    products: QuerySet[Product], *, layout: Layout, file_format: Format, build_url: UrlBuilder
) -> Iterator[bytes]:
    """Yield the file in chunks, oldest product first, with constant memory.

    `build_url` returns the URL of a stored picture, given its name. One statement, read while the
    chunks are consumed.
    """
    columns = LAYOUTS[layout](build_url)
    return FILE_WRITERS[file_format](columns, table_rows(columns, products.order_by("pk")))
