"""The columns in which other shops read products, as their documentation has them.

Their descriptions are HTML, ours are text: the signs of HTML are written as such, a line break as `<br>`. A
text that a spreadsheet would run starts with an entity there; where no HTML is read, with an apostrophe.
"""

from collections.abc import Callable
from functools import partial
from html import escape

from django.conf import settings
from django.utils.text import slugify

from shop.product_files.exports.csv_writer import CellType, Column, DecimalText
from shop.product_files.formula_escaping import GUARDED, escape_formula

type Address = Callable[[str], str]

#: WooCommerce takes an apostrophe away before these, and only these.
GUARDED_BY_WOOCOMMERCE = ("=", "+", "-", "@", "\t", "\r")


def _always(text: str) -> Callable[[], str]:
    return lambda: text


def _either(yes: str, no: str) -> Callable[[object], str]:
    return lambda value: yes if value else no


def _html(text: str) -> str:
    """The text as HTML that shows the same."""
    return _begun(escape(text, quote=False).replace("\n", "<br>"))


def _begun(text: str) -> str:
    return f"&#{ord(text[0])};{text[1:]}" if text.startswith(GUARDED) else text


def _handle(name: str, pk: int) -> str:
    """A readable address that no other product has."""
    return f"{slugify(name)}-{pk}".lstrip("-")


def _picture(address: Address, name: str) -> str:
    return address(name) if name else ""


def shopify_columns(address: Address) -> list[Column]:
    """Shopify's product CSV with its new headers.

    https://help.shopify.com/manual/products/import-export/using-csv
    """
    return [
        Column("Title", escape_formula, ("name",), CellType.LINE),
        Column("URL handle", _handle, ("name", "pk"), CellType.LINE),
        Column("Description", _html, ("description",)),
        Column("Vendor", _always(escape_formula(settings.SHOP_NAME))),
        Column("Published on online store", _either("TRUE", "FALSE"), ("is_active",)),
        Column("Status", _either("Active", "Archived"), ("is_active",)),
        Column("SKU", escape_formula, ("sku",), CellType.LINE),
        Column("Option1 name", _always("Title")),
        Column("Option1 value", _always("Default Title")),
        Column("Price", str, (DecimalText("price"),), CellType.MONEY),
        Column("Charge tax", _always("TRUE")),
        Column("Inventory tracker", _always("shopify")),
        Column("Inventory quantity", str, ("stock",), CellType.NUMBER),
        Column("Continue selling when out of stock", _always("DENY")),
        Column("Requires shipping", _always("TRUE")),
        Column("Fulfillment service", _always("manual")),
        Column("Product image URL", partial(_picture, address), ("image",)),
        Column("Image position", _either("1", ""), ("image",), CellType.NUMBER),
        Column(
            "Image alt text",
            lambda name, image: escape_formula(name) if image else "",
            ("name", "image"),
        ),
        Column("Gift card", _always("FALSE")),
    ]


def _guarded_for_woocommerce(text: str) -> str:
    return f"'{text}" if text.startswith(GUARDED_BY_WOOCOMMERCE) else text


def _name_for_woocommerce(name: str) -> str:
    """There a name is read as HTML too."""
    return _begun(name.replace("&", "&amp;"))


def _text_for_woocommerce(text: str) -> str:
    """There a backslash and an n are a line break, unless the backslash stands twice."""
    return _html(text).replace("\\n", "\\\\n")


def woocommerce_columns(address: Address) -> list[Column]:
    """WooCommerce's own schema.

    https://github.com/woocommerce/woocommerce/wiki/Product-CSV-Import-Schema
    """
    return [
        Column("ID", _always("")),
        Column("Type", _always("simple")),
        Column("SKU", _guarded_for_woocommerce, ("sku",), CellType.LINE),
        Column("Name", _name_for_woocommerce, ("name",), CellType.LINE),
        Column("Published", _either("1", "-1"), ("is_active",)),
        Column("Is featured?", _always("0")),
        Column("Visibility in catalog", _always("visible")),
        Column("Description", _text_for_woocommerce, ("description",)),
        Column("Tax status", _always("taxable")),
        Column("In stock?", _either("1", "0"), ("stock",)),
        Column("Stock", str, ("stock",), CellType.NUMBER),
        Column("Low stock amount", str, ("low_stock_threshold",), CellType.NUMBER),
        Column("Backorders allowed?", _always("0")),
        Column("Regular price", str, (DecimalText("price"),), CellType.MONEY),
        Column("Images", partial(_picture, address), ("image",)),
    ]
