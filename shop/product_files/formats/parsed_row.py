"""One row of a product file, as far as it is understood without knowing the catalogue."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from shop.product_files.reading.sheets import Sheet

MAX_KEY = 64
#: What a formula leaves in its cell when it fails.
FAILED = frozenset(
    {"#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}
)
_PARTS = re.compile(r"[^a-z0-9]+")
#: Signs that a key may lose: between them and a hyphen nobody tells two products apart. A minus is none.
_LOSABLE = re.compile(r"(?!.*(?:^|\s)-\d)[\w\s/.,'\u2019()&-]*")


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """A row as it stands in the file, and what it says of a product.

    `values` is field → text of the columns that the file has, a blank cell as ""; besides the fields of a
    product also `stock` and `stock_was`. A field that is a picture is in `pictures` instead, the main one
    first. `skip` says why the row is no product, `problems` what is wrong already.
    """

    number: int
    cells: list[str]
    values: dict[str, str]
    skip: str = ""
    problems: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()


def find_row_errors(
    sheet: Sheet, number: int, cells: list[str], values: dict[str, str]
) -> tuple[str, ...]:
    """What is wrong with a row in any kind of file."""
    if len(cells) == len(sheet.headers) and sheet.format != "XLSX":
        return ()
    found = []
    if len(cells) > len(sheet.headers):
        found.append(
            f"Line {number} has {len(cells)} cells, the header {len(sheet.headers)}. "
            "Put text that holds the sign between columns into quotation marks."
        )
    if sheet.format == "XLSX":
        found += [
            f"{field}: the formula in this cell failed ({text}). Correct it in the spreadsheet."
            for field, text in values.items()
            if text in FAILED
        ]
    return tuple(found)


def derive_sku(*parts: str) -> str:
    """A SKU for what came without one: the same for the same parts in every import, plain ASCII, short."""
    whole = " ".join(part.strip() for part in parts if part.strip()).casefold()
    plain = unicodedata.normalize("NFKD", whole)
    bare = "".join(character for character in plain if not unicodedata.combining(character))
    key = _PARTS.sub("-", bare).strip("-")
    if bare.isascii() and _LOSABLE.fullmatch(bare) and len(key) <= MAX_KEY:
        return key
    # What the plain letters do not say has to tell two products apart all the same.
    mark = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return f"{key[: MAX_KEY - 9].rstrip('-')}-{mark}".lstrip("-")


def is_remote(picture: str) -> bool:
    """Whether another server has the picture; our own exports name our own addresses."""
    return picture.startswith(("http://", "https://")) and not urlsplit(picture).path.startswith(
        settings.MEDIA_URL
    )
