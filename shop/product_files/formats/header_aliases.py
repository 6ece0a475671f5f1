"""Names of columns: this shop's own with their synonyms, Shopify's and WooCommerce's."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

from shop import exposure, natural_keys
from shop.models import Product
from shop.models.products import PictureField

#: Field → its headers, the preferred one first.
type FieldHeaders = Mapping[str, tuple[str, ...]]

STOCK, STOCK_WAS_FIELD = "stock", "stock_was"
#: The header of the column with the stock at the time of the export.
STOCK_WAS = "stock at export"

#: Product field → headers that other shops and spreadsheets use for it.
SYNONYMS: FieldHeaders = {
    field: tuple(headers.split(", "))
    for field, headers in {
        "name": "title, product name, product title, product, item name, article name",
        "sku": "article number, article no, article code, item number, item no, item code,"
        " product code, product number, stock keeping unit",
        "barcode": "ean, gtin, upc, isbn, ean13, gtin13, ean code, upc code, bar code,"
        " variant barcode, gtin upc ean or isbn",
        "description": "long description, product description, details",
        "price": "unit price, selling price, retail price, price eur, price usd, price gbp",
        "stock": "qty, quantity, inventory, stock quantity, on hand, units, pieces",
        "image": "photo, picture file, image file, picture url, image url, image src",
        "is_active": "published, status, visible, enabled",
        "low_stock_threshold": "low stock, low stock amount, low stock threshold, reorder level",
    }.items()
}

_SHOPIFY_OPTIONS: FieldHeaders = {f"option{n}": (f"Option{n} Value",) for n in (1, 2, 3)}
SHOPIFY: FieldHeaders = {
    "handle": ("Handle",),
    "title": ("Title",),
    "description": ("Body (HTML)",),
    "published": ("Published",),
    "status": ("Status",),
    "sku": ("Variant SKU",),
    "barcode": ("Variant Barcode",),
    "price": ("Variant Price",),
    "stock": ("Variant Inventory Qty",),
    "image": ("Image Src",),
    "variant_image": ("Variant Image",),
    **_SHOPIFY_OPTIONS,
}
SHOPIFY_NEW: FieldHeaders = {
    "handle": ("URL handle",),
    "title": ("Title",),
    "description": ("Description",),
    "published": ("Published on online store",),
    "status": ("Status",),
    "sku": ("SKU",),
    "barcode": ("Barcode",),
    "price": ("Price",),
    "stock": ("Inventory quantity",),
    "image": ("Product image URL",),
    "variant_image": ("Variant image URL",),
    **_SHOPIFY_OPTIONS,
}

#: WooCommerce writes headers in the language of the shop: English, French, German.
WOOCOMMERCE: FieldHeaders = {
    "id": ("ID",),
    "type": ("Type", "Typ"),
    "sku": ("SKU", "UGS", "Artikelnummer"),
    "barcode": (
        "GTIN, UPC, EAN, or ISBN",
        "GTIN, UPC, EAN ou ISBN",
        "GTIN, UPC, EAN oder ISBN",
    ),
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


def field_aliases() -> FieldHeaders:
    """Return product field → its headers: label, field name, then synonyms."""
    fields = [exposure.get_field(Product, name) for name in exposure.editable_fields(Product)]
    imported = {*exposure.names_of(natural_keys.file_fields(Product)), *picture_fields()}
    labels = {field.name: str(field.verbose_name) for field in fields if field.name in imported}
    labels |= {STOCK: STOCK, STOCK_WAS_FIELD: STOCK_WAS}
    return {name: (label, name, *SYNONYMS.get(name, ())) for name, label in labels.items()}


def picture_fields() -> set[str]:
    """Return the product fields whose cells name a picture."""
    return {
        name
        for name in exposure.editable_fields(Product)
        if isinstance(exposure.get_field(Product, name), PictureField)
    }


def normalize_header(header: str) -> str:
    """Reduce a header to letters and digits, without case, accents and units in parentheses."""
    # A header that is all in parentheses keeps what is inside them.
    for text in (_IN_PARENTHESES.sub("", header), header):
        decomposed = unicodedata.normalize("NFKD", text.casefold())
        if name := "".join(character for character in decomposed if character.isalnum()):
            return name
    return ""


def is_known_header(header: str) -> bool:
    """Return whether a column with this header is imported in any format."""
    return normalize_header(header) in _known_headers()


@cache
def _known_headers() -> frozenset[str]:
    formats = (field_aliases(), SHOPIFY, SHOPIFY_NEW, WOOCOMMERCE)
    return frozenset(
        normalize_header(header)
        for field_headers in formats
        for headers in field_headers.values()
        for header in headers
    )
