"""Matching of a file's columns to fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from django.utils.translation import gettext as _

from shop.product_files.formats.header_aliases import STOCK_WAS, FieldHeaders, normalize_header
from shop.product_files.reading.limits import quote_text
from shop.services.errors import FileRefused

__all__ = ["STOCK_WAS", "ColumnMatch", "match_columns"]

MIN_SIMILARITY = 0.75


@dataclass(frozen=True)
class ColumnMatch:
    """Field → index of its column, the headers that match no field, and messages about those."""

    places: dict[str, int]
    unknown: list[str]
    suggestions: list[str]


def match_columns(headers: Sequence[str], known: FieldHeaders) -> ColumnMatch:
    """Match headers to fields, whatever their order, case, spacing, punctuation and units.

    `known` is field → its headers, the preferred one first: in a file with `name` and `title`,
    `name` wins. Raises FileRefused if two columns match the same header.
    """
    fields = _rank_headers(known)
    best: dict[str, tuple[int, int]] = {}
    for index, header in enumerate(headers):
        if match := fields.get(normalize_header(header)):
            field, rank = match
            if field in best and best[field][0] == rank:
                other = headers[best[field][1]]
                message = _("%(first)s and %(second)s mean the same. Rename or delete one of them.")
                raise FileRefused(
                    message % {"first": quote_text(other), "second": quote_text(header)}
                )
            best[field] = min(best.get(field, (rank, index)), (rank, index))
    columns = {field: index for field, (_rank, index) in best.items()}
    unknown = [
        header for index, header in enumerate(headers) if header and index not in columns.values()
    ]
    missing: dict[str, str] = {}
    used: dict[str, str] = {}
    for name, (field, _rank) in fields.items():
        if field in columns:
            used[name] = headers[columns[field]]
        else:
            missing[name] = known[field][0]
    messages = (_suggest_header(header, used, missing) for header in unknown)
    return ColumnMatch(columns, unknown, [message for message in messages if message])


def _rank_headers(known: FieldHeaders) -> dict[str, tuple[str, int]]:
    """Return normalized header → its field, and its rank among the field's headers, 0 is best."""
    fields: dict[str, tuple[str, int]] = {}
    for field, headers in known.items():
        for rank, name in enumerate(dict.fromkeys(map(normalize_header, headers))):
            if name not in fields or fields[name][1] > rank:
                fields[name] = (field, rank)
    return fields


def _suggest_header(header: str, used: Mapping[str, str], missing: Mapping[str, str]) -> str:
    """Return a message about a header that is not imported, "" if there is nothing to suggest.

    Normalized header → the header in the file (`used`) or the preferred header (`missing`).
    """
    name = normalize_header(header)
    if name in used:
        message = _("%(header)s isn't imported, because the file also has %(other)s.")
        return message % {"header": quote_text(header), "other": quote_text(used[name])}
    if close := get_close_matches(name, missing, n=1, cutoff=MIN_SIMILARITY):
        message = _("%(header)s: did you mean %(other)s?")
        return message % {"header": quote_text(header), "other": quote_text(missing[close[0]])}
    return ""
