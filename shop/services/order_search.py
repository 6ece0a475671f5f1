"""Finding orders: one search for the admin's list, the Ctrl+K search and the API."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from shop.db.row_search import RelatedSearch, SearchResult, field_condition, search_rows
from shop.db.search_text import FoldedText
from shop.models import Order, OrderItem, Product, User
from shop.models.base import CODE_ALPHABET

ORDER_NUMBER_LENGTH = 8  # without its dash
DASH_AT = 4
#: Fewer characters are no number: too many orders would have them.
MIN_NUMBER_LENGTH = 3
#: What people write for the characters of an order number, which has no I, L and O.
_MISREAD = str.maketrans("ILO", "110", "#- \t\u2010\u2011\u2012\u2013\u2014\u2212")
#: The most products whose keys are read for a word.
MAX_PRODUCTS = 5_000
STAFF_FIELDS = ("order_number", "user__search_text", "shipping_address")
CUSTOMER_FIELDS = ("order_number",)


#: Keys, or a query of them.
type Products = list[int] | QuerySet[Product, Any]


def search_orders(orders: QuerySet[Order], term: str, *, by_staff: bool) -> SearchResult[Order]:
    """Return the orders that have each word of the term.

    Words are looked for in the order number and in the names and SKUs of the items; for staff also
    in the shipping address and in the customer's name, email and phone, in any spelling. A whole
    order number is found without its dash, with `#`, spaces, O for 0, and I or L for 1. It, or a
    customer's whole email, finds nothing else.
    """
    term = term.strip()
    exact = _find_by_number(orders, term)
    if exact is None and by_staff and "@" in term:
        exact = _find_by_email(orders, term)
    if exact is not None:
        return SearchResult(exact)
    is_number = term.startswith("#")
    products_named = cache(_products_named)

    def orders_numbered(word: str) -> QuerySet[Order]:
        start = number_start(word, is_number=is_number)
        return Order.objects.filter(order_number__startswith=start) if start else _no_orders()

    related = [
        RelatedSearch(orders_numbered, "pk"),
        RelatedSearch(partial(_items_of_products, products_named), "order"),
        RelatedSearch(partial(_items_with_other_names, products_named), "order"),
    ]
    if by_staff and connection.vendor == "sqlite":
        related.append(RelatedSearch(_orders_addressed, "pk"))
    fields = STAFF_FIELDS if by_staff else CUSTOMER_FIELDS
    return search_rows(orders, fields, term.removeprefix("#"), related)


def number_start(word: str, *, is_number: bool = False) -> str:
    """Return the start of an order number that a word is, as it is stored; empty if it is none.

    A word without a digit is one only if the search started with `#`.
    """
    number = word.upper().translate(_MISREAD)
    is_number = is_number or any(character.isdigit() for character in word)
    is_code = set(number) <= set(CODE_ALPHABET)
    if not (is_number and is_code and MIN_NUMBER_LENGTH <= len(number) <= ORDER_NUMBER_LENGTH):
        return ""
    return f"{number[:DASH_AT]}-{number[DASH_AT:]}" if len(number) > DASH_AT else number


def _find_by_number(orders: QuerySet[Order], term: str) -> QuerySet[Order] | None:
    """Return the order with this number, or no order if it isn't among them; None without any."""
    start = number_start(term, is_number=True)
    if len(start) <= ORDER_NUMBER_LENGTH:
        return None
    is_in_list = Exists(orders.order_by().filter(pk=OuterRef("pk")))
    matches = Order.objects.filter(order_number=start)
    for pk, is_listed in matches.values_list("pk", is_in_list):
        return orders.filter(pk=pk) if is_listed else orders.none()
    return None


def _find_by_email(orders: QuerySet[Order], term: str) -> QuerySet[Order] | None:
    for pk in User.objects.filter(email=term).values_list("pk", flat=True):
        return orders.filter(user=pk)
    return None


def _orders_addressed(word: str) -> QuerySet[Order]:
    """Return the orders with the word in their folded address.

    SQLite reads every address anyway, and its own comparison knows the case of ASCII only.
    PostgreSQL compares in any case by an index, which a folded address has not.
    """
    orders = Order.objects.order_by().alias(address=FoldedText("shipping_address"))
    return orders.filter(field_condition(["address"], word))


def _no_orders() -> QuerySet[Order]:
    return Order.objects.filter(pk__in=[])


def _products_named(word: str) -> Products:
    """Return the products with the word in name or SKU, by the index of their search text.

    Their keys if they are few: tested on many orders, a query would look at each of their products.
    """
    named = Product.objects.order_by().alias(title=FoldedText("name", "sku"))
    named = named.filter(field_condition(["search_text"], word), field_condition(["title"], word))
    keys = list(named.values_list("pk", flat=True)[: MAX_PRODUCTS + 1])
    return keys if len(keys) <= MAX_PRODUCTS else named.values("pk")


def _items_of_products(products: Callable[[str], Products], word: str) -> QuerySet[OrderItem]:
    """Return the items of the products that have the word in name or SKU."""
    return OrderItem.objects.order_by().filter(product__in=products(word))


def _items_with_other_names(products: Callable[[str], Products], word: str) -> QuerySet[OrderItem]:
    """Return the items that have the word in a name or SKU that their product had before."""
    ordered_as = field_condition(["sku", "name"], word)
    return OrderItem.objects.order_by().filter(ordered_as).exclude(product__in=products(word))
