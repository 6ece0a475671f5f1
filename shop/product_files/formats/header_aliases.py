"""What columns are called: here, and in the files of other shops."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

from django.db.models import FileField

from shop import exposure
from shop.models import Product

type Names = Mapping[str, tuple[str, ...]]

STOCK, STOCK_WAS_FIELD = "stock", "stock_was"
#: The header of the column that remembers the stock at the time of the export.
STOCK_WAS = "stock at export"

#: A field of ours → what people call it besides.
SYNONYMS: Names = {
    "name": ("title", "product name", "product title", "product", "item name", "article name"),
    "sku": (
        "article number",
        "article no",
        "article code",
        "item number",
        "item no",
        "item code",
        "product code",
        "product number",
        "stock keeping unit",
    ),
    "description": ("long description", "product description", "details"),
    "price": ("unit price", "selling price", "retail price", "price eur", "price usd", "price gbp"),
    "stock": ("qty", "quantity", "inventory", "stock quantity", "on hand", "units", "pieces"),
    "image": ("photo", "picture file", "image file", "picture url", "image url", "image src"),
    "is_active": ("published", "status", "visible", "enabled"),
    "low_stock_threshold": (
        "low stock",
        "low stock amount",
        "low stock threshold",
        "reorder level",
    ),
}

_SHOPIFY_OPTIONS: Names = {f"option{n}": (f"Option{n} Value",) for n in (1, 2, 3)}
SHOPIFY: Names = {
    "handle": ("Handle",),
    "title": ("Title",),
    "description": ("Body (HTML)",),
    "published": ("Published",),
    "status": ("Status",),
    "sku": ("Variant SKU",),
    "price": ("Variant Price",),
    "stock": ("Variant Inventory Qty",),
    "image": ("Image Src",),
    "variant_image": ("Variant Image",),
    **_SHOPIFY_OPTIONS,
}
SHOPIFY_NEW: Names = {
    "handle": ("URL handle",),
    "title": ("Title",),
    "description": ("Description",),
    "published": ("Published on online store",),
    "status": ("Status",),
    "sku": ("SKU",),
    "price": ("Price",),
    "stock": ("Inventory quantity",),
    "image": ("Product image URL",),
    "variant_image": ("Variant image URL",),
    **_SHOPIFY_OPTIONS,
}

#: WooCommerce writes its headers in the shop's language: English, then French, then German.
WOOCOMMERCE: Names = {
    "id": ("ID",),
    "type": ("Type", "Typ"),
    "sku": ("SKU", "UGS", "Artikelnummer"),
    "name": ("Name", "Nom"),
    "published": ("Published", "Publié", "Veröffentlicht"),
    "short_description": ("Short description", "Description courte", "Kurzbeschreibung"),
    "description": ("Description", "Beschreibung"),
    "sale_starts": (
        "Date sale price starts",
        "Date de début de promo",
        "Datum, an dem Angebotspreis beginnt",
        "Datum, an dem der Angebotspreis beginnt",
    ),
    "sale_ends": (
        "Date sale price ends",
        "Date de fin de promo",
        "Datum, an dem Angebotspreis endet",
        "Datum, an dem der Angebotspreis endet",
    ),
    "in_stock": ("In stock?", "En stock ?", "En inventaire?", "Vorrätig?", "Auf Lager?"),
    "stock": ("Stock", "Inventaire", "Lager", "Bestand", "Lagerbestand"),
    "low_stock": (
        "Low stock amount",
        "Montant de stock faible",
        "Geringe Lagermenge",
        "Geringer Lagerbestand",
    ),
    "sale_price": ("Sale price", "Tarif promo", "Angebotspreis"),
    "regular_price": ("Regular price", "Tarif régulier", "Regulärer Preis"),
    "images": ("Images", "Bilder"),
    "parent": ("Parent", "Übergeordnetes Produkt", "Eltern"),
    "featured": ("Is featured?", "Mis en avant ?", "Ist hervorgehoben?"),
    "visibility": (
        "Visibility in catalog",
        "Visibilité dans le catalogue",
        "Sichtbarkeit im Katalog",
    ),
}

_IN_PARENTHESES = re.compile(r"\([^)]*\)")


def field_aliases() -> Names:
    """A field of ours → its headers: as staff read it, its name, what people call it besides."""
    shown = {
        name: str(exposure.get_field(Product, name).verbose_name)
        for name in exposure.editable_fields(Product)
    }
    shown |= {STOCK: STOCK, STOCK_WAS_FIELD: STOCK_WAS}
    return {name: (label, name, *SYNONYMS.get(name, ())) for name, label in shown.items()}


def picture_fields() -> set[str]:
    """Fields whose cell names a picture instead of holding a value."""
    return {
        n
        for n in exposure.editable_fields(Product)
        if isinstance(exposure.get_field(Product, n), FileField)
    }


def normalize_header(header: str) -> str:
    """What is compared of a header: letters and digits, without case, accents, units in parentheses."""
    bare = _IN_PARENTHESES.sub("", header)
    for text in (bare, header):
        plain = unicodedata.normalize("NFKD", text.casefold())
        if folded := "".join(character for character in plain if character.isalnum()):
            return folded
    return ""


def is_known_header(header: str) -> bool:
    """Whether a column of this name is read in any kind of file."""
    return normalize_header(header) in _all()


@cache
def _all() -> frozenset[str]:
    kinds = (field_aliases(), SHOPIFY, SHOPIFY_NEW, WOOCOMMERCE)
    return frozenset(
        normalize_header(header)
        for names in kinds
        for headers in names.values()
        for header in headers
    )
