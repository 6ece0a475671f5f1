"""Find products by what a scanner sends or a person types: barcode, SKU or name."""

from collections.abc import Collection
from functools import reduce
from operator import and_

from django.db.models import Case, Q, QuerySet, Value, When
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from shop import text_validation
from shop.barcodes import is_gtin, normalize_gtin
from shop.db.row_search import field_condition, split_words
from shop.models import Product


def find_product_by_code(*, code: str) -> Product | None:
    """Return the product with this barcode, in any spelling, or else this SKU, in any case."""
    code = text_validation.trim_text(code)
    if not code or "\0" in code:
        return None
    barcode = normalize_gtin(code)
    has_code = Q(barcode=barcode) | Q(Exact(Lower("sku"), Lower(Value(code))))
    found = list(Product.objects.filter(has_code).order_by()[:2])
    return next((p for p in found if p.barcode == barcode), found[0] if found else None)


def find_products_by_codes(
    *, codes: Collection[str], products: QuerySet[Product] | None = None
) -> dict[str, Product]:
    """Return the products with these barcodes or else SKUs, by the code as given, by one query.

    `products` are those to choose from, by default all.
    """
    trimmed = {code: text_validation.trim_text(code) for code in codes if "\0" not in code}
    barcodes = {code: normalize_gtin(text) for code, text in trimmed.items() if text}
    skus = {code: trimmed[code].lower() for code in barcodes}
    if not barcodes:
        return {}
    has_code = Q(barcode__in=set(barcodes.values())) | Q(folded_sku__in=set(skus.values()))
    rows = Product.objects.all() if products is None else products
    found = list(rows.annotate(folded_sku=Lower("sku")).filter(has_code).order_by())
    by_barcode = {product.barcode: product for product in found if product.barcode}
    by_sku = {product.folded_sku: product for product in found}
    matches = {code: by_barcode.get(barcodes[code]) or by_sku.get(skus[code]) for code in barcodes}
    return {code: product for code, product in matches.items() if product}


def suggest_products(*, text: str, limit: int = 8) -> list[Product]:
    """Return products to complete what was typed so far.

    First those whose barcode or SKU starts with the text, then those whose name does, then others
    with each of its words, by name.
    """
    text = normalize_search(text).replace("\0", "")
    words = list(split_words(text))
    if not words:
        return []
    has_words = reduce(and_, (field_condition(["search_text"], word) for word in words))
    starts_code = Q(barcode__startswith=text) | Q(sku__istartswith=text)
    rank = Case(When(starts_code, then=0), When(search_text__istartswith=text, then=1), default=2)
    return list(Product.objects.filter(has_words).order_by(rank, "name", "pk")[:limit])


def normalize_search(term: str) -> str:
    """Return a barcode as it is stored, so that a search finds any spelling; another term as is."""
    trimmed = text_validation.trim_text(term)
    return normalize_gtin(trimmed) if is_gtin(trimmed) else trimmed
