"""WooCommerce exports in English, French or German: each row that can be sold is a product."""

import datetime
import html
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from django.utils.translation import gettext, gettext_lazy

from shop.product_files.formats.header_aliases import normalize_header
from shop.product_files.formats.parsed_row import ParsedRow, derive_sku, find_row_errors
from shop.product_files.reading.html_to_text import html_to_text
from shop.product_files.reading.limits import quote_text
from shop.product_files.reading.sheets import Sheet

#: Product type → the reason why its row is skipped.
SKIPPED_TYPES = {
    "variable": gettext_lazy("Variable product: its variations are imported instead."),
    "grouped": gettext_lazy("Grouped product: the products in it are imported instead."),
    "external": gettext_lazy("External product: another shop sells it."),
}
VARIATION = "variation"
IS_ACTIVE = {"1": "yes", "true": "yes", "0": "no", "false": "no", "-1": "no", "2": "no"}
NOT_IN_STOCK = frozenset({"0", "false", "no", "outofstock"})
#: The stock cell of a variation whose stock is counted on its parent.
STOCK_ON_PARENT = "parent"

_ESCAPED = ("'=", "'+", "'-", "'@", "'\t", "'\r")
_ATTRIBUTE_VALUE = re.compile(r"attribute?(\d+)(?:value|wert)|valeurdelattribut(\d+)")
_SALE_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T].*)?")

#: Field → text of its cell.
type WooCells = dict[str, str]


@dataclass(frozen=True)
class _WooFile:
    sheet: Sheet
    columns: Mapping[str, int]
    attribute_columns: list[int]
    today: datetime.date

    def read_fields(self, cells: list[str]) -> WooCells:
        return {field: _unescape_cell(cells[index]) for field, index in self.columns.items()}

    def read_options(self, cells: list[str]) -> list[str]:
        """Return the values of the attributes, such as colour and size, in their order."""
        texts = (_unescape_cell(cells[index]) for index in self.attribute_columns)
        return [text.replace("\\,", ",") for text in texts if text]


def parse_woocommerce_rows(
    sheet: Sheet, columns: Mapping[str, int], today: datetime.date
) -> Iterator[ParsedRow]:
    """Yield the rows of the file. Blank fields of a variation are taken from its parent."""
    file = _WooFile(sheet, columns, _find_attribute_columns(sheet.headers), today)
    parents = _read_parents(file) if {"type", "parent"} <= columns.keys() else {}
    for number, cells in sheet.rows:
        row = file.read_fields(cells)
        types = _product_types(row)
        skip = next((str(reason) for type_, reason in SKIPPED_TYPES.items() if type_ in types), "")
        if skip:
            yield ParsedRow(number, cells, {}, skip=skip, pictures=_split_pictures(row))
        else:
            yield _parse_product(file, number, cells, row, parents)


def _parse_product(
    file: _WooFile, number: int, cells: list[str], row: WooCells, parents: Mapping[str, WooCells]
) -> ParsedRow:
    parent_key = row.get("parent", "") if VARIATION in _product_types(row) else ""
    parent = parents.get(parent_key.casefold(), {}) if parent_key else {}
    options = file.read_options(cells) if parent_key else []
    name = row.get("name") or " / ".join(filter(None, [parent.get("name", ""), *options]))
    values = {"sku": row.get("sku", "")}
    if not values["sku"]:
        woo_id = row.get("id", "")
        values["sku"] = f"woo-{woo_id}" if woo_id else derive_sku(parent_key or name, *options)
    if "barcode" in row:
        values["barcode"] = row["barcode"]
    if "name" in row or parent:
        values["name"] = html.unescape(name)
    if {"description", "short_description"} & row.keys():
        values["description"] = _parse_description(row) or _parse_description(parent)
    price, errors = _parse_selling_price(row, file.today)
    if {"sale_price", "regular_price"} & row.keys():
        values["price"] = price
    values |= _parse_stock(row)
    if "published" in row:
        values["is_active"] = _parse_published(row, parent)
    errors = find_row_errors(file.sheet, number, cells, values) + errors
    pictures = _split_pictures(row) or _split_pictures(parent)
    return ParsedRow(number, cells, values, problems=errors, pictures=pictures)


def _read_parents(file: _WooFile) -> dict[str, WooCells]:
    """Return the variable products by SKU and by `id:7`, because variations may precede them."""
    parents: dict[str, WooCells] = {}
    for _number, cells in file.sheet.rows:
        if "variable" in cells[file.columns["type"]].casefold():
            row = file.read_fields(cells)
            keys = (row.get("sku", ""), f"id:{row.get('id', '')}")
            parents |= {key.casefold(): row for key in keys if key}
    return parents


def _product_types(row: WooCells) -> set[str]:
    """Split a type such as `simple, virtual` or, from a plug-in, `variable-subscription`."""
    words = {word.strip().casefold() for word in row.get("type", "").split(",")}
    return words | {word.partition("-")[0] for word in words}


def _find_attribute_columns(headers: list[str]) -> list[int]:
    matches = [_ATTRIBUTE_VALUE.fullmatch(normalize_header(header)) for header in headers]
    return [
        index
        for _number, index in sorted(
            (int(match[1] or match[2]), index) for index, match in enumerate(matches) if match
        )
    ]


def _unescape_cell(cell: str) -> str:
    return (cell[1:] if cell.startswith(_ESCAPED) else cell).strip()


def _parse_description(row: WooCells) -> str:
    r"""Return the description as plain text. The file has `\n` for a line break, `\\n` for `\n`."""
    text = row.get("description") or row.get("short_description", "")
    parts = (part.replace("\\n", "\n") for part in text.split("\\\\n"))
    return html_to_text("\\n".join(parts))


def _parse_selling_price(row: WooCells, today: datetime.date) -> tuple[str, tuple[str, ...]]:
    """Return the sale price within its dates, else the regular price; and errors of the dates."""
    sale, regular = row.get("sale_price", ""), row.get("regular_price", "")
    if not sale:
        return regular, ()
    try:
        starts = _parse_sale_date(row.get("sale_starts", ""), datetime.date.min)
        ends = _parse_sale_date(row.get("sale_ends", ""), datetime.date.max)
    except ValueError as error:
        return regular, (str(error),)
    return sale if starts <= today <= ends else regular, ()


def _parse_sale_date(text: str, default: datetime.date) -> datetime.date:
    """Return the date, or the default for "". Raises ValueError with a message for staff."""
    if not text:
        return default
    if match := _SALE_DATE.fullmatch(text):
        with suppress(ValueError):
            return datetime.date(*map(int, match.groups()))
    message = gettext("%(value)s isn't a date. Write it like 2026-12-31, or leave it empty.")
    raise ValueError(message % {"value": quote_text(text)})


def _parse_stock(row: WooCells) -> dict[str, str]:
    """Return stock and reorder level. Blank stock means not counted, or 0 if it is out of stock."""
    values = {}
    if "stock" in row:
        stock = "" if row["stock"].casefold() == STOCK_ON_PARENT else row["stock"]
        is_sold_out = row.get("in_stock", "").casefold() in NOT_IN_STOCK
        values["stock"] = "0" if not stock and is_sold_out else stock
    if "low_stock" in row:
        values["low_stock_threshold"] = row["low_stock"]
    return values


def _parse_published(row: WooCells, parent: WooCells) -> str:
    """Return "yes" or "no"; "no" if the parent is hidden. Validation refuses an unknown word."""
    if IS_ACTIVE.get(parent.get("published", "").casefold()) == "no":
        return "no"
    return IS_ACTIVE.get(row["published"].casefold(), row["published"])


def _split_pictures(row: WooCells) -> tuple[str, ...]:
    return tuple(filter(None, (url.strip() for url in row.get("images", "").split(","))))
