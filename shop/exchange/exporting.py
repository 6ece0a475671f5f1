"""Products as a file: in our own columns, or in those that Shopify and WooCommerce read."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from django.db.models import QuerySet

from shop.exchange import layouts
from shop.exchange.resources import ProductResource
from shop.exchange.tables import Column, Row, csv_file, rows
from shop.exchange.xlsx import xlsx_file
from shop.models import Product

type Layout = Literal["own", "shopify", "woocommerce"]
type Format = Literal["csv", "xlsx"]
type Address = Callable[[str], str]

LAYOUTS: dict[Layout, Callable[[Address], Sequence[Column]]] = {
    "own": lambda address: ProductResource().columns(address),
    "shopify": layouts.shopify,
    "woocommerce": layouts.woocommerce,
}
WRITERS: dict[Format, Callable[[Sequence[Column], Iterator[Row]], Iterator[bytes]]] = {
    "csv": csv_file,
    "xlsx": xlsx_file,
}


def export(
    products: QuerySet[Product], *, layout: Layout, file_format: Format, address: Address
) -> Iterator[bytes]:
    """The file in pieces, oldest product first, read while it is taken: its size costs no memory.

    `address` says where a stored file is, by its name. One statement, whatever the number of products.
    """
    columns = LAYOUTS[layout](address)
    return WRITERS[file_format](columns, rows(columns, products.order_by("pk")))
