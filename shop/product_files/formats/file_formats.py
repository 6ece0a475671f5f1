"""Whose file it is, and its rows in our own words."""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone

from shop.product_files.formats import header_aliases, shopify, woocommerce
from shop.product_files.formats.column_matching import match_columns
from shop.product_files.formats.header_aliases import Names, normalize_header
from shop.product_files.formats.parsed_row import ParsedRow, find_row_errors
from shop.product_files.formula_escaping import unescape_formula
from shop.product_files.reading.limits import quote_text
from shop.product_files.reading.sheets import Sheet
from shop.services.errors import FileRefused

__all__ = ["FileFormat", "ParsedRow", "detect_format", "parse_rows"]

type Read = Callable[[Sheet, Mapping[str, int], datetime.date], Iterator[ParsedRow]]


@dataclass(frozen=True)
class FileFormat:
    """One way to write a product file. `known()` is field → headers, for `columns.match`."""

    name: str
    label: str
    known: Callable[[], Names]
    read: Read


def detect_format(headers: Sequence[str]) -> FileFormat:
    """The dialect of a file with these headers; our own when it is nobody else's."""
    words = {normalize_header(header) for header in headers}
    return next((dialect for dialect, is_it in _SIGNS if is_it(words)), OWN)


def parse_rows(
    sheet: Sheet, dialect: FileFormat, *, today: datetime.date | None = None
) -> Iterator[ParsedRow]:
    """Every row of the file, also those that are no product and say why. `today` decides on sale prices.

    Raises FileRefused when no column is known or two mean the same, and what iterating a sheet raises.
    """
    places = match_columns(sheet.headers, dialect.known()).places
    if not places:
        names = ", ".join(filter(None, sheet.headers[:8]))
        raise FileRefused(
            f"None of the columns is known ({quote_text(names, 100)}). "
            "Rename them, for example: SKU, name, price, stock."
        )
    return dialect.read(sheet, places, today or timezone.localdate())


def _own(sheet: Sheet, places: Mapping[str, int], _: datetime.date) -> Iterator[ParsedRow]:
    pictures = [places[field] for field in sorted(header_aliases.picture_fields() & places.keys())]
    taken = [(field, place) for field, place in places.items() if place not in pictures]
    for number, cells in sheet.rows:
        # Only the rare cell is worth a call.
        values = {
            f: cells[at] if cells[at][:1] != "'" else unescape_formula(cells[at]) for f, at in taken
        }
        found = (
            tuple(name for place in pictures if (name := unescape_formula(cells[place]).strip()))
            if pictures
            else ()
        )
        yield ParsedRow(
            number,
            cells,
            values,
            problems=find_row_errors(sheet, number, cells, values),
            pictures=found,
        )


def _shopify(sheet: Sheet, places: Mapping[str, int], _: datetime.date) -> Iterator[ParsedRow]:
    return shopify.parse_shopify_rows(sheet, places)


def _is_woocommerce(words: set[str]) -> bool:
    has = {
        field
        for field, names in header_aliases.WOOCOMMERCE.items()
        if words & set(map(normalize_header, names))
    }
    return (
        "regular_price" in has and bool(has & {"id", "type", "published", "sale_price", "in_stock"})
    ) or ({"type", "published"} <= has and bool(has & {"featured", "visibility"}))


OWN = FileFormat("own", "our own columns", header_aliases.field_aliases, _own)
SHOPIFY = FileFormat("shopify", "Shopify", lambda: header_aliases.SHOPIFY, _shopify)
SHOPIFY_NEW = FileFormat(
    "shopify-new", "Shopify (new columns)", lambda: header_aliases.SHOPIFY_NEW, _shopify
)
WOOCOMMERCE = FileFormat(
    "woocommerce",
    "WooCommerce",
    lambda: header_aliases.WOOCOMMERCE,
    woocommerce.parse_woocommerce_rows,
)

_VARIANTS = frozenset({"variantprice", "variantsku", "variantinventoryqty", "option1value"})
_SIGNS: tuple[tuple[FileFormat, Callable[[set[str]], bool]], ...] = (
    (SHOPIFY_NEW, lambda words: {"urlhandle", "title"} <= words),
    (SHOPIFY, lambda words: {"handle", "title"} <= words and bool(words & _VARIANTS)),
    (WOOCOMMERCE, _is_woocommerce),
)
