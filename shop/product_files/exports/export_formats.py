"""Columns of the product files that Shopify and WooCommerce import.

Their descriptions are HTML, ours are plain text: HTML characters are escaped, line breaks become
`<br>`. Text that a spreadsheet would run as a formula starts with an HTML entity, or with an
apostrophe where the other shop does not read HTML.
"""

from collections.abc import Callable
from functools import partial
from html import escape

from django.conf import settings
from django.utils.text import slugify

from shop.product_files.exports.columns import CellType, Column, DecimalText
from shop.product_files.formula_escaping import FORMULA_PREFIXES, escape_formula

#: Returns the URL of a stored file, given its name.
type UrlBuilder = Callable[[str], str]

#: WooCommerce removes an apostrophe before these characters only.
WOOCOMMERCE_FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")


def _constant(text: str) -> Callable[[], str]:
    return lambda: text


def _if_true(yes: str, no: str) -> Callable[[object], str]:
    return lambda value: yes if value else no


def _to_html(text: str) -> str:
    """Convert plain text to HTML that displays the same."""
    return _escape_formula_as_html(escape(text, quote=False).replace("\n", "<br>"))


def _escape_formula_as_html(text: str) -> str:
    return f"&#{ord(text[0])};{text[1:]}" if text.startswith(FORMULA_PREFIXES) else text


def _url_handle(name: str, pk: int) -> str:
    """Return a readable slug, unique through the product's id."""
    return f"{slugify(name)}-{pk}".lstrip("-")


def _text_or_blank(text: str | None) -> str:
    return text or ""


def _picture_url(build_url: UrlBuilder, name: str) -> str:
    return build_url(name) if name else ""


def shopify_columns(build_url: UrlBuilder) -> list[Column]:
    """Return the columns of Shopify's product CSV, with its new headers.

    https://help.shopify.com/manual/products/import-export/using-csv
    """
    return [
        Column("Title", escape_formula, ("name",), CellType.LINE),
        Column("URL handle", _url_handle, ("name", "pk"), CellType.LINE),
        Column("Description", _to_html, ("description",)),
        Column("Vendor", _constant(escape_formula(settings.SHOP_NAME))),
        Column("Published on online store", _if_true("TRUE", "FALSE"), ("is_active",)),
        Column("Status", _if_true("Active", "Archived"), ("is_active",)),
        Column("SKU", escape_formula, ("sku",), CellType.LINE),
        Column("Barcode", _text_or_blank, ("barcode",), CellType.LINE),
        Column("Option1 name", _constant("Title")),
        Column("Option1 value", _constant("Default Title")),
        Column("Price", str, (DecimalText("price"),), CellType.MONEY),
        Column("Charge tax", _constant("TRUE")),
        Column("Inventory tracker", _constant("shopify")),
        Column("Inventory quantity", str, ("stock",), CellType.NUMBER),
        Column("Continue selling when out of stock", _constant("DENY")),
        Column("Requires shipping", _constant("TRUE")),
        Column("Fulfillment service", _constant("manual")),
        Column("Product image URL", partial(_picture_url, build_url), ("image",)),
        Column("Image position", _if_true("1", ""), ("image",), CellType.NUMBER),
        Column(
            "Image alt text",
            lambda name, image: escape_formula(name) if image else "",
            ("name", "image"),
        ),
        Column("Gift card", _constant("FALSE")),
    ]


def _escape_formula_for_woocommerce(text: str) -> str:
    return f"'{text}" if text.startswith(WOOCOMMERCE_FORMULA_PREFIXES) else text


def _woocommerce_name(name: str) -> str:
    """Escape a name: WooCommerce reads it as HTML."""
    return _escape_formula_as_html(name.replace("&", "&amp;"))


def _woocommerce_description(text: str) -> str:
    """Double a typed backslash before `n`: WooCommerce would read the pair as a line break."""
    return _to_html(text).replace("\\n", "\\\\n")


def woocommerce_columns(build_url: UrlBuilder) -> list[Column]:
    """Return the columns of WooCommerce's product CSV.

    https://github.com/woocommerce/woocommerce/wiki/Product-CSV-Import-Schema
    """
    return [
        Column("ID", _constant("")),
        Column("Type", _constant("simple")),
        Column("SKU", _escape_formula_for_woocommerce, ("sku",), CellType.LINE),
        Column("GTIN, UPC, EAN, or ISBN", _text_or_blank, ("barcode",), CellType.LINE),
        Column("Name", _woocommerce_name, ("name",), CellType.LINE),
        Column("Published", _if_true("1", "-1"), ("is_active",)),
        Column("Is featured?", _constant("0")),
        Column("Visibility in catalog", _constant("visible")),
        Column("Description", _woocommerce_description, ("description",)),
        Column("Tax status", _constant("taxable")),
        Column("In stock?", _if_true("1", "0"), ("stock",)),
        Column("Stock", str, ("stock",), CellType.NUMBER),
        Column("Low stock amount", str, ("low_stock_threshold",), CellType.NUMBER),
        Column("Backorders allowed?", _constant("0")),
        Column("Regular price", str, (DecimalText("price"),), CellType.MONEY),
        Column("Images", partial(_picture_url, build_url), ("image",)),
    ]
