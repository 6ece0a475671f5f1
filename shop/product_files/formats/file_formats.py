"""The known file formats: detection by headers, and parsing of rows into product fields."""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from shop.product_files.formats import header_aliases, shopify, woocommerce
from shop.product_files.formats.column_matching import match_columns
from shop.product_files.formats.header_aliases import FieldHeaders, normalize_header
from shop.product_files.formats.parsed_row import NO_PICTURES, ParsedRow, find_row_errors
from shop.product_files.formula_escaping import unescape_formula
from shop.product_files.reading.limits import quote_text
from shop.product_files.reading.sheets import Sheet
from shop.services.errors import FileRefused

__all__ = ["FileFormat", "ParsedRow", "detect_format", "parse_rows"]

#: The field that a picture without a column of its own goes to.
MAIN_PICTURE = "image"
#: Takes the sheet, field → column index, and today; yields the rows.
type RowParser = Callable[[Sheet, Mapping[str, int], datetime.date], Iterator[ParsedRow]]


@dataclass(frozen=True)
class FileFormat:
    """A format of product files. `known()` returns field → its headers, for `match_columns`."""

    name: str
    title: str | Promise
    known: Callable[[], FieldHeaders]
    row_parser: RowParser

    @property
    def label(self) -> str:
        """The format's name on screen."""
        return str(self.title)


def detect_format(headers: Sequence[str]) -> FileFormat:
    """Return the format of a file with these headers: this shop's own if no other fits."""
    names = {normalize_header(header) for header in headers}
    return next((file_format for file_format, fits in _DETECTORS if fits(names)), OWN_FORMAT)


def parse_rows(
    sheet: Sheet, file_format: FileFormat, *, today: datetime.date | None = None
) -> Iterator[ParsedRow]:
    """Yield each row of the file, also those to skip. `today` decides which sale prices apply.

    Raises FileRefused if no column is known, two columns match the same header, or a row can't be
    read.
    """
    columns = match_columns(sheet.headers, file_format.known()).places
    if not columns:
        message = gettext(
            "None of the columns is known (%(headers)s)."
            " Rename them, for example: SKU, name, price, stock."
        )
        names = ", ".join(filter(None, sheet.headers[:8]))
        raise FileRefused(message % {"headers": quote_text(names, 100)})
    return file_format.row_parser(sheet, columns, today or timezone.localdate())


def _parse_own_rows(
    sheet: Sheet, columns: Mapping[str, int], _today: datetime.date
) -> Iterator[ParsedRow]:
    picture_fields = sorted(header_aliases.picture_fields() & columns.keys())
    main = [columns[field] for field in picture_fields if field == MAIN_PICTURE]
    further = [(field, columns[field]) for field in picture_fields if field != MAIN_PICTURE]
    value_columns = [(f, index) for f, index in columns.items() if f not in picture_fields]
    for number, cells in sheet.rows:
        values = {
            # Checked here, because a call for each cell would be slow.
            field: unescape_formula(cells[index]) if cells[index][:1] == "'" else cells[index]
            for field, index in value_columns
        }
        pictures = [unescape_formula(cells[index]).strip() for index in main]
        named = {
            field: name
            for field, index in further
            if (name := unescape_formula(cells[index]).strip())
        }
        yield ParsedRow(
            number,
            cells,
            values,
            problems=find_row_errors(sheet, number, cells, values),
            pictures=tuple(filter(None, pictures)) if pictures else (),
            further_pictures=named or NO_PICTURES,
        )


def _is_woocommerce(names: set[str]) -> bool:
    fields = {
        field
        for field, headers in header_aliases.WOOCOMMERCE.items()
        if names & set(map(normalize_header, headers))
    }
    if "regular_price" in fields:
        return bool(fields & {"id", "type", "published", "sale_price", "in_stock"})
    return {"type", "published"} <= fields and bool(fields & {"featured", "visibility"})


OWN_FORMAT = FileFormat(
    "own", gettext_lazy("This shop"), header_aliases.field_aliases, _parse_own_rows
)
SHOPIFY_FORMAT = FileFormat(
    "shopify", "Shopify", lambda: header_aliases.SHOPIFY, shopify.parse_shopify_rows
)
SHOPIFY_NEW_FORMAT = FileFormat(
    "shopify-new",
    gettext_lazy("Shopify (new columns)"),
    lambda: header_aliases.SHOPIFY_NEW,
    shopify.parse_shopify_rows,
)
WOOCOMMERCE_FORMAT = FileFormat(
    "woocommerce",
    "WooCommerce",
    lambda: header_aliases.WOOCOMMERCE,
    woocommerce.parse_woocommerce_rows,
)

_VARIANT_HEADERS = frozenset({"variantprice", "variantsku", "variantinventoryqty", "option1value"})
#: Format → whether a file with these normalized headers has it.
_DETECTORS: tuple[tuple[FileFormat, Callable[[set[str]], bool]], ...] = (
    (SHOPIFY_NEW_FORMAT, lambda names: {"urlhandle", "title"} <= names),
    (SHOPIFY_FORMAT, lambda names: {"handle", "title"} <= names and bool(names & _VARIANT_HEADERS)),
    (WOOCOMMERCE_FORMAT, _is_woocommerce),
)
