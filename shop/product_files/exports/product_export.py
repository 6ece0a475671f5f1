"""Products as a file: in our own columns, or in those that Shopify and WooCommerce read."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from django.db.models import QuerySet

from shop.models import Product
from shop.product_files.exports import export_formats
from shop.product_files.exports.csv_writer import Column, Row, table_rows, write_csv
from shop.product_files.exports.resources import ProductResource
from shop.product_files.exports.xlsx_writer import write_xlsx

type Layout = Literal["own", "shopify", "woocommerce"]
type Format = Literal["csv", "xlsx"]
type Address = Callable[[str], str]

LAYOUTS: dict[Layout, Callable[[Address], Sequence[Column]]] = {
    "own": lambda address: ProductResource().columns(address),
    "shopify": export_formats.shopify_columns,
    "woocommerce": export_formats.woocommerce_columns,
}
WRITERS: dict[Format, Callable[[Sequence[Column], Iterator[Row]], Iterator[bytes]]] = {
    "csv": write_csv,
    "xlsx": write_xlsx,
}


def export_products(
    products: QuerySet[Product], *, layout: Layout, file_format: Format, address: Address
) -> Iterator[bytes]:
    """The file in pieces, oldest product first, read while it is taken: its size costs no memory.

    `address` says where a stored file is, by its name. One statement, whatever the number of products.
    """
    columns = LAYOUTS[layout](address)
    return WRITERS[file_format](columns, table_rows(columns, products.order_by("pk")))
