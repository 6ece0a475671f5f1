"""Whose file it is, and its rows in our own words."""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone

from shop.exchange import shopify, vocabulary, woocommerce
from shop.exchange.cells import unguard
from shop.exchange.columns import match
from shop.exchange.limits import quoted
from shop.exchange.line import Line, problems
from shop.exchange.reading import Sheet
from shop.exchange.vocabulary import Names, fold
from shop.services.errors import FileRefused

__all__ = ["Dialect", "Line", "lines", "recognise"]

type Read = Callable[[Sheet, Mapping[str, int], datetime.date], Iterator[Line]]


@dataclass(frozen=True)
class Dialect:
    """One way to write a product file. `known()` is field → headers, for `columns.match`."""

    name: str
    label: str
    known: Callable[[], Names]
    read: Read


def recognise(headers: Sequence[str]) -> Dialect:
    """The dialect of a file with these headers; our own when it is nobody else's."""
    words = {fold(header) for header in headers}
    return next((dialect for dialect, is_it in _SIGNS if is_it(words)), OWN)


def lines(sheet: Sheet, dialect: Dialect, *, today: datetime.date | None = None) -> Iterator[Line]:
    """Every row of the file, also those that are no product and say why. `today` decides on sale prices.

    Raises FileRefused when no column is known or two mean the same, and what iterating a sheet raises.
    """
    places = match(sheet.headers, dialect.known()).places
    if not places:
        names = ", ".join(filter(None, sheet.headers[:8]))
        raise FileRefused(
            f"None of the columns is known ({quoted(names, 100)}). "
            "Rename them, for example: SKU, name, price, stock."
        )
    return dialect.read(sheet, places, today or timezone.localdate())


def _own(sheet: Sheet, places: Mapping[str, int], _: datetime.date) -> Iterator[Line]:
    pictures = [places[field] for field in sorted(vocabulary.picture_fields() & places.keys())]
    taken = [(field, place) for field, place in places.items() if place not in pictures]
    for number, cells in sheet.rows:
        # Only the rare cell is worth a call.
        values = {f: cells[at] if cells[at][:1] != "'" else unguard(cells[at]) for f, at in taken}
        found = (
            tuple(name for place in pictures if (name := unguard(cells[place]).strip())) if pictures else ()
        )
        yield Line(number, cells, values, problems=problems(sheet, number, cells, values), pictures=found)


def _shopify(sheet: Sheet, places: Mapping[str, int], _: datetime.date) -> Iterator[Line]:
    return shopify.lines(sheet, places)


def _is_woocommerce(words: set[str]) -> bool:
    has = {field for field, names in vocabulary.WOOCOMMERCE.items() if words & set(map(fold, names))}
    return ("regular_price" in has and bool(has & {"id", "type", "published", "sale_price", "in_stock"})) or (
        {"type", "published"} <= has and bool(has & {"featured", "visibility"})
    )


OWN = Dialect("own", "our own columns", vocabulary.own, _own)
SHOPIFY = Dialect("shopify", "Shopify", lambda: vocabulary.SHOPIFY, _shopify)
SHOPIFY_NEW = Dialect("shopify-new", "Shopify (new columns)", lambda: vocabulary.SHOPIFY_NEW, _shopify)
WOOCOMMERCE = Dialect("woocommerce", "WooCommerce", lambda: vocabulary.WOOCOMMERCE, woocommerce.lines)

_VARIANTS = frozenset({"variantprice", "variantsku", "variantinventoryqty", "option1value"})
_SIGNS: tuple[tuple[Dialect, Callable[[set[str]], bool]], ...] = (
    (SHOPIFY_NEW, lambda words: {"urlhandle", "title"} <= words),
    (SHOPIFY, lambda words: {"handle", "title"} <= words and bool(words & _VARIANTS)),
    (WOOCOMMERCE, _is_woocommerce),
)
