"""Values that no two products share: the SKU, and fields with `unique=True`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shop import exposure, natural_keys, text_validation
from shop.documents.field_text import field_label
from shop.models import Product
from shop.product_files.formats.parsed_row import ParsedRow
from shop.product_files.imports.field_parsing import (
    FIELDS,
    NAMES_BY_ATTNAME,
    RowProblem,
    build_parsers,
    cell_problem,
    row_problem,
)

SKU = "sku"
#: Attribute name -> field, without the SKU, by which products are found.
UNIQUE_FIELDS = {field.attname: field for field in FIELDS.values() if field.unique}
#: Line numbers that are listed if several rows have the same value.
MAX_LISTED_LINES = 5


class RepeatedValues:
    """The lines of a file that have the same value where each product needs its own."""

    def __init__(self) -> None:
        self._names = [SKU, *(field.name for field in UNIQUE_FIELDS.values())]
        self._normalize = {name: _normalizer(FIELDS[name]) for name in self._names}
        self._first_lines: dict[tuple[str, str], int] = {}
        self._lines: dict[tuple[str, str], list[int]] = {}

    def add(self, parsed: ParsedRow) -> None:
        """Note the row's values."""
        for name in self._names:
            place = name, self._key(parsed, name)
            if place[1] and self._first_lines.setdefault(place, parsed.number) != parsed.number:
                self._lines.setdefault(place, [self._first_lines[place]]).append(parsed.number)

    def __bool__(self) -> bool:
        return bool(self._lines)

    def count(self, name: str) -> int:
        """Return the number of rows that share a value of the field with another row."""
        return sum(len(lines) for (field, _key), lines in self._lines.items() if field == name)

    def problems(self, parsed: ParsedRow) -> Iterator[RowProblem]:
        """Yield a problem for each of the row's values that other rows have."""
        for name in self._names:
            lines = self._lines.get((name, self._key(parsed, name)), ())
            others = [str(number) for number in lines if number != parsed.number]
            if not others:
                continue
            shown = ", ".join(others[:MAX_LISTED_LINES])
            shown += ", …" if len(others) > MAX_LISTED_LINES else ""
            message = ngettext(
                "%(field)s: line %(lines)s has the same %(name)s.",
                "%(field)s: lines %(lines)s have the same %(name)s.",
                len(others),
            )
            field = FIELDS[name]
            texts = {"field": field_label(field), "name": field.verbose_name, "lines": shown}
            yield row_problem(name, message % texts, _("Keep one of these lines."))

    def _key(self, parsed: ParsedRow, name: str) -> str:
        return "" if parsed.skip else self._normalize[name](parsed.values.get(name, ""))


def sku_key(text: str) -> str:
    """Return the SKU in lower case for comparison, "" if there is none."""
    return clean_value(text).lower()


def clean_value(text: str) -> str:
    """Return the text without surrounding spaces; "" if it has forbidden characters."""
    try:
        return text_validation.clean_line(text)
    except ValueError:
        return ""


def _normalizer(field: exposure.Field) -> Callable[[str], str]:
    """Return the function that makes the texts of equal values equal."""
    if field.name == SKU:
        return sku_key
    if field.is_relation:
        return natural_keys.fold_key
    parse = build_parsers(".")[field.name]

    def normalize(cell: str) -> str:
        text = clean_value(cell)
        try:
            return str(parse(text)) if text else ""
        except ValueError:
            return ""  # reported for itself

    return normalize


def taken_values(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[Any, str]]:
    """Return attribute name -> value -> SKU of the product that has it; one query per field.

    Only for values in these rows, each of which is new to its own product.
    """
    rows = list(rows) if UNIQUE_FIELDS else []
    taken: dict[str, dict[Any, str]] = {}
    for attname in UNIQUE_FIELDS:
        values = {row[attname] for row in rows if row.get(attname) not in {None, ""}}
        if values:
            owners = Product._base_manager.filter(**{f"{attname}__in": values})
            taken[attname] = dict(owners.values_list(attname, SKU))
    return taken


def taken_problems(
    values: Mapping[str, Any], taken: Mapping[str, Mapping[Any, str]]
) -> Iterator[RowProblem]:
    """Yield a problem for each of the row's values that another product has."""
    for attname, owners in taken.items():
        if (sku := owners.get(values.get(attname))) is not None:
            message = _("Product %(sku)s has this value.") % {"sku": sku}
            yield cell_problem(FIELDS[NAMES_BY_ATTNAME[attname]], message)
