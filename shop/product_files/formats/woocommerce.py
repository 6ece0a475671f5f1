"""Products of a WooCommerce export, in English, French or German: each row that can be sold."""

import datetime
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shop.product_files.formats.header_aliases import normalize_header
from shop.product_files.formats.parsed_row import ParsedRow, derive_sku, find_row_errors
from shop.product_files.reading.html_to_text import html_to_text
from shop.product_files.reading.limits import quote_text
from shop.product_files.reading.sheets import Sheet

#: A word of the Type cell → why the row is no product.
NO_PRODUCT = {
    "variable": "a variable product: its variations are the products",
    "grouped": "a grouped product: the products in it are the products",
    "external": "an external product: another shop sells it",
}
VARIATION = "variation"
PUBLISHED = {"1": "yes", "true": "yes", "0": "no", "false": "no", "-1": "no", "2": "no"}
SOLD_OUT = frozenset({"0", "false", "no", "outofstock"})
#: The stock cell of a variation whose parent counts for it.
COUNTED_BY_PARENT = "parent"

_GUARDED = ("'=", "'+", "'-", "'@", "'\t", "'\r")
_VALUE_OF_ATTRIBUTE = re.compile(r"attribute?(\d+)(?:value|wert)|valeurdelattribut(\d+)")
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T].*)?")

type Row = dict[str, str]


@dataclass(frozen=True)
class _File:
    sheet: Sheet
    places: Mapping[str, int]
    attributes: list[int]
    today: datetime.date

    def row(self, cells: list[str]) -> Row:
        return {field: _unguarded(cells[place]) for field, place in self.places.items()}

    def options(self, cells: list[str]) -> list[str]:
        values = (_unguarded(cells[place]).replace("\\,", ",") for place in self.attributes)
        return [value for value in values if value]


def parse_woocommerce_rows(
    sheet: Sheet, places: Mapping[str, int], today: datetime.date
) -> Iterator[ParsedRow]:
    """The rows of the file; a variation takes from its parent what it does not say itself."""
    file = _File(sheet, places, _attributes(sheet.headers), today)
    parents = _parents(file) if {"type", "parent"} <= places.keys() else {}
    for number, cells in sheet.rows:
        row = file.row(cells)
        kinds = _kinds(row)
        skip = next((why for kind, why in NO_PRODUCT.items() if kind in kinds), "")
        if skip:
            yield ParsedRow(number, cells, {}, skip=skip, pictures=_pictures(row))
        else:
            yield _line(file, number, cells, row, parents)


def _line(
    file: _File, number: int, cells: list[str], row: Row, parents: Mapping[str, Row]
) -> ParsedRow:
    parent = row.get("parent", "") if VARIATION in _kinds(row) else ""
    above = parents.get(parent.casefold(), {}) if parent else {}
    options = file.options(cells) if parent else []
    name = row.get("name") or " / ".join(filter(None, [above.get("name", ""), *options]))
    number_there = row.get("id", "")
    values = {
        "sku": row.get("sku")
        or (f"woo-{number_there}" if number_there else derive_sku(parent or name, *options))
    }
    if "name" in row or above:
        values["name"] = html.unescape(name)
    if {"description", "short_description"} & row.keys():
        values["description"] = _description(row) or _description(above)
    price, wrong = _selling_price(row, file.today)
    if {"sale_price", "regular_price"} & row.keys():
        values["price"] = price
    values |= _stock(row)
    if "published" in row:
        values["is_active"] = _is_active(row, above)
    found = find_row_errors(file.sheet, number, cells, values)
    return ParsedRow(
        number, cells, values, problems=found + wrong, pictures=_pictures(row) or _pictures(above)
    )


def _parents(file: _File) -> dict[str, Row]:
    """What variations refer to, by SKU and as `id:7`: the parent may stand anywhere in the file."""
    found: dict[str, Row] = {}
    for _, cells in file.sheet.rows:
        if "variable" in cells[file.places["type"]].casefold():
            row = file.row(cells)
            found |= {
                key.casefold(): row
                for key in (row.get("sku", ""), f"id:{row.get('id', '')}")
                if key
            }
    return found


def _kinds(row: Row) -> set[str]:
    """The words of the Type cell, such as `simple, virtual`; plug-ins add `variable-subscription`."""
    words = {word.strip().casefold() for word in row.get("type", "").split(",")}
    return words | {word.partition("-")[0] for word in words}


def _attributes(headers: list[str]) -> list[int]:
    found = (
        (_VALUE_OF_ATTRIBUTE.fullmatch(normalize_header(header)), place)
        for place, header in enumerate(headers)
    )
    return [
        place for _, place in sorted((int(hit[1] or hit[2]), place) for hit, place in found if hit)
    ]


def _unguarded(cell: str) -> str:
    return (cell[1:] if cell.startswith(_GUARDED) else cell).strip()


def _description(row: Row) -> str:
    """WooCommerce writes a line break as backslash and n, and a real backslash before an n twice."""
    text = row.get("description") or row.get("short_description", "")
    parts = (part.replace("\\n", "\n") for part in text.split("\\\\n"))
    return html_to_text("\\n".join(parts))


def _selling_price(row: Row, today: datetime.date) -> tuple[str, tuple[str, ...]]:
    """The sale price between its dates, else the regular one; and what is wrong with the dates."""
    sale, regular = row.get("sale_price", ""), row.get("regular_price", "")
    if not sale:
        return regular, ()
    is_on = True
    for field, is_before in (("sale_starts", False), ("sale_ends", True)):
        if text := row.get(field, ""):
            try:
                day = _day(text)
            except ValueError:
                wrong = f"{quote_text(text)} is no date of a sale. Write it like 2026-12-31, or leave it out."
                return regular, (wrong,)
            is_on = is_on and (today <= day if is_before else day <= today)
    return sale if is_on else regular, ()


def _day(text: str) -> datetime.date:
    if not (hit := _DATE.fullmatch(text)):
        raise ValueError(text)
    return datetime.date(*map(int, hit.groups()))


def _stock(row: Row) -> dict[str, str]:
    """A blank is stock that nobody counts there: it is kept here, unless the row says that it is sold out."""
    found = {}
    if "stock" in row:
        stock = "" if row["stock"].casefold() == COUNTED_BY_PARENT else row["stock"]
        is_sold_out = row.get("in_stock", "").casefold() in SOLD_OUT
        found["stock"] = "0" if not stock and is_sold_out else stock
    if "low_stock" in row:
        found["low_stock_threshold"] = row["low_stock"]
    return found


def _is_active(row: Row, above: Row) -> str:
    """A variation is shown as long as its parent is; a word that says neither is handed on, to be refused."""
    mine = PUBLISHED.get(row["published"].casefold(), row["published"])
    return "no" if PUBLISHED.get(above.get("published", "").casefold()) == "no" else mine


def _pictures(row: Row) -> tuple[str, ...]:
    return tuple(filter(None, (address.strip() for address in row.get("images", "").split(","))))
