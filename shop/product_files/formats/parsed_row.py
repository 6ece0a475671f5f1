"""One parsed row of a product file, before it is compared with the catalogue."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from shop.product_files.reading.sheets import Sheet

MAX_DERIVED_SKU_LENGTH = 64
#: What a failed formula leaves in its cell.
FORMULA_ERRORS = frozenset(
    {"#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}
)
NO_PICTURES: Mapping[str, str] = MappingProxyType({})
_SEPARATORS = re.compile(r"[^a-z0-9]+")
#: Text whose punctuation can become hyphens without making two products equal. A minus can't.
_SAFE_PUNCTUATION = re.compile(r"(?!.*(?:^|\s)-\d)[\w\s/.,'\u2019()&-]*")


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """A row as it is in the file (`number`, `cells`), and its fields as text.

    `values` is field → text, "" for a blank cell, for the columns that the file has. It also has
    `stock` and `stock_was`, which are no fields of a product. Pictures are in `pictures` instead,
    the main one first, and those of other fields in `further_pictures`. `skip` is the reason why
    the row is no product, if it is none.
    `problems` are errors of the row as messages for staff.
    """

    number: int
    cells: list[str]
    values: dict[str, str]
    skip: str = ""
    problems: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    #: Picture field -> picture, of the fields beside the main one.
    further_pictures: Mapping[str, str] = NO_PICTURES

    @property
    def all_pictures(self) -> tuple[str, ...]:
        """The pictures of all fields."""
        if not self.further_pictures:  # the common case
            return self.pictures
        return (*self.pictures, *self.further_pictures.values())


def find_row_errors(
    sheet: Sheet, number: int, cells: list[str], values: dict[str, str]
) -> tuple[str, ...]:
    """Return the errors that a row can have in every format: extra cells and failed formulas."""
    if len(cells) == len(sheet.headers) and sheet.format != "XLSX":
        return ()
    errors = []
    if len(cells) > len(sheet.headers):
        message = _(
            "Line %(line)d has more cells (%(cells)d) than there are columns (%(columns)d)."
            " Put text that contains the separator into quotation marks."
        )
        params = {"line": number, "cells": len(cells), "columns": len(sheet.headers)}
        errors.append(message % params)
    if sheet.format == "XLSX":
        message = _(
            "%(field)s: the formula in this cell failed (%(error)s). Correct it in the spreadsheet."
        )
        errors += [
            message % {"field": field, "error": text}
            for field, text in values.items()
            if text in FORMULA_ERRORS
        ]
    return tuple(errors)


def derive_sku(*parts: str) -> str:
    """Return a short ASCII SKU for a product without one: always the same for the same parts."""
    text = " ".join(part.strip() for part in parts if part.strip()).casefold()
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    sku = _SEPARATORS.sub("-", bare).strip("-")
    is_unique = bare.isascii() and _SAFE_PUNCTUATION.fullmatch(bare)
    if is_unique and len(sku) <= MAX_DERIVED_SKU_LENGTH:
        return sku
    # The hash tells products apart that differ only in characters that were dropped.
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{sku[: MAX_DERIVED_SKU_LENGTH - 9].rstrip('-')}-{digest}".lstrip("-")


def is_remote(picture: str) -> bool:
    """Return whether a picture is on another server. Exports of this shop link to its own media."""
    is_url = picture.startswith(("http://", "https://"))
    return is_url and not urlsplit(picture).path.startswith(settings.MEDIA_URL)
