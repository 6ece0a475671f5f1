"""Shopify exports: each variant is a product, and the first row of a handle describes them all."""

import datetime
from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from shop.product_files.formats.parsed_row import ParsedRow, derive_sku, find_row_errors
from shop.product_files.formula_escaping import unescape_formula
from shop.product_files.reading.html_to_text import html_to_text
from shop.product_files.reading.limits import quote_text
from shop.product_files.reading.sheets import Sheet

UNPUBLISHED = frozenset({"false", "no", "0"})
PUBLISHED_OR_ACTIVE = frozenset({"true", "yes", "1", "active"})
INACTIVE_STATUSES = frozenset({"draft", "archived", "unlisted"})
#: Shopify's only option value of a product without options. It is not shown.
NO_OPTION = "default title"

#: Fields that the first row of a handle sets for all its rows.
_PRODUCT_FIELDS = ("title", "description", "published", "status", "image")
_VARIANT_FIELDS = ("sku", "barcode", "price", "stock", "option1", "option2", "option3")


def parse_shopify_rows(
    sheet: Sheet, columns: Mapping[str, int], _today: datetime.date
) -> Iterator[ParsedRow]:
    """Yield the rows of the file, completed with the fields of their handle's first row."""
    products: dict[str, dict[str, str]] = {}
    for number, cells in sheet.rows:
        row = {field: unescape_formula(cells[index].strip()) for field, index in columns.items()}
        handle = row.get("handle") or derive_sku(row.get("title", ""))
        first = products.get(handle, {})
        product = {f: row[f] or first.get(f, "") for f in _PRODUCT_FIELDS if f in row}
        product["image"] = first.get("image") or row.get("image", "")
        products[handle] = product
        is_product = (not first and row.get("title")) or any(map(row.get, _VARIANT_FIELDS))
        if not is_product:
            yield _skip_row(number, cells, row.get("image", ""), handle)
            continue
        # The error report keeps single rows, which must be complete without the first one.
        for field in product.keys() & columns.keys():
            if product[field] != row[field]:
                cells[columns[field]] = product[field]
        yield _parse_variant(sheet, number, cells, row | product, handle)


def _skip_row(number: int, cells: list[str], picture: str, handle: str) -> ParsedRow:
    if picture:
        reason = _("This row is only a picture of %(product)s.")
    else:
        reason = _("This row has nothing to sell of %(product)s.")
    reason %= {"product": quote_text(handle)}
    return ParsedRow(number, cells, {}, skip=reason, pictures=(picture,) if picture else ())


def _parse_variant(
    sheet: Sheet, number: int, cells: list[str], row: dict[str, str], handle: str
) -> ParsedRow:
    options = [row.get(f"option{n}", "") for n in (1, 2, 3)]
    options = [option for option in options if option and option.casefold() != NO_OPTION]
    title = row.get("title", "")
    values = {
        "sku": row.get("sku") or derive_sku(handle, *options),
        "name": " / ".join([title, *options]) if title else "",
    }
    if "description" in row:
        values["description"] = html_to_text(row["description"])
    values |= {field: row[field] for field in ("barcode", "price", "stock") if field in row}
    if {"status", "published"} & row.keys():
        values["is_active"] = _parse_is_active(row.get("status", ""), row.get("published", ""))
    picture = row.get("variant_image") or row["image"]
    errors = find_row_errors(sheet, number, cells, values)
    return ParsedRow(number, cells, values, problems=errors, pictures=(picture,) if picture else ())


def _parse_is_active(status: str, published: str) -> str:
    """Return "yes", "no" or "". An unknown word is returned as it is, for validation to refuse."""
    if status.casefold() in INACTIVE_STATUSES or published.casefold() in UNPUBLISHED:
        return "no"
    words = [word for word in (status, published) if word]
    unknown = [word for word in words if word.casefold() not in PUBLISHED_OR_ACTIVE]
    return unknown[0] if unknown else "yes" if words else ""
