"""Products of a Shopify export: one for each row that can be sold, whose product stands in its first row."""

from collections.abc import Iterator, Mapping

from shop.product_files.formats.parsed_row import ParsedRow, derive_sku, find_row_errors
from shop.product_files.formula_escaping import unescape_formula
from shop.product_files.reading.html_to_text import html_to_text
from shop.product_files.reading.limits import quote_text
from shop.product_files.reading.sheets import Sheet

NO = frozenset({"false", "no", "0"})
YES = frozenset({"true", "yes", "1", "active"})
HIDDEN = frozenset({"draft", "archived", "unlisted"})
#: Shopify's own word for a product that has no options: never shown.
NO_OPTION = "default title"

#: What the first row of a handle says for all of its rows.
_OF_THE_PRODUCT = ("title", "description", "published", "status", "image")
_OF_THE_VARIANT = ("sku", "price", "stock", "option1", "option2", "option3")


def parse_shopify_rows(sheet: Sheet, places: Mapping[str, int]) -> Iterator[ParsedRow]:
    """The rows of the file, with what their product's first row says."""
    products: dict[str, dict[str, str]] = {}
    for number, cells in sheet.rows:
        row = {field: unescape_formula(cells[place].strip()) for field, place in places.items()}
        handle = row.get("handle") or derive_sku(row.get("title", ""))
        before = products.get(handle, {})
        product = {
            field: row[field] or before.get(field, "") for field in _OF_THE_PRODUCT if field in row
        }
        product["image"] = before.get("image") or row.get("image", "")
        products[handle] = product
        if skip := _no_product(row, handle, is_first=not before):
            picture = row.get("image", "")
            yield ParsedRow(number, cells, {}, skip=skip, pictures=(picture,) if picture else ())
        else:
            for field in product.keys() & places.keys():
                if product[field] != row[field]:
                    cells[places[field]] = product[
                        field
                    ]  # so that the row can be told without the first
            yield _line(sheet, number, cells, row | product, handle)


def _no_product(row: Mapping[str, str], handle: str, *, is_first: bool) -> str:
    if (is_first and row.get("title")) or any(row.get(field) for field in _OF_THE_VARIANT):
        return ""
    return f"{'only a picture of' if row.get('image') else 'nothing that can be sold of'} {quote_text(handle)}"


def _line(
    sheet: Sheet, number: int, cells: list[str], row: dict[str, str], handle: str
) -> ParsedRow:
    options = [row.get(f"option{n}", "") for n in (1, 2, 3)]
    options = [option for option in options if option and option.casefold() != NO_OPTION]
    values = {
        "sku": row.get("sku") or derive_sku(handle, *options),
        "name": " / ".join([row["title"], *options]),
    }
    if not row["title"]:
        values["name"] = ""
    if "description" in row:
        values["description"] = html_to_text(row["description"])
    values |= {field: row[field] for field in ("price", "stock") if field in row}
    if {"status", "published"} & row.keys():
        values["is_active"] = _is_active(row.get("status", ""), row.get("published", ""))
    picture = row.get("variant_image") or row["image"]
    found = find_row_errors(sheet, number, cells, values)
    return ParsedRow(number, cells, values, problems=found, pictures=(picture,) if picture else ())


def _is_active(status: str, published: str) -> str:
    """Whether it is shown, as yes, no or blank; another word is handed on, to be refused by name."""
    if status.casefold() in HIDDEN or published.casefold() in NO:
        return "no"
    said = [word for word in (status, published) if word]
    return next((word for word in said if word.casefold() not in YES), "yes" if said else "")
