"""Which column of a file is which field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from shop.product_files.formats.header_aliases import STOCK_WAS, normalize_header
from shop.product_files.reading.limits import quote_text
from shop.services.errors import FileRefused

__all__ = ["STOCK_WAS", "ColumnMatch", "match_columns"]

CLOSE_ENOUGH = 0.75


@dataclass(frozen=True)
class ColumnMatch:
    """Field → place in the row; the headers that are no field's; and what they were perhaps meant to be."""

    places: dict[str, int]
    unknown: list[str]
    suggestions: list[str]


def match_columns(headers: Sequence[str], known: Mapping[str, Sequence[str]]) -> ColumnMatch:
    """The fields of a file's columns, whatever the headers' order, case, spaces, hyphens and units.

    `known` is field → its headers, the best first: a file with `name` and `title` is read by `name`. Raises
    FileRefused, naming both, when two columns have an equal claim on a field.
    """
    meanings = _meanings(known)
    best: dict[str, tuple[int, int]] = {}
    for place, header in enumerate(headers):
        if meaning := meanings.get(normalize_header(header)):
            field, rank = meaning
            if field in best and best[field][0] == rank:
                other = headers[best[field][1]]
                raise FileRefused(
                    f"{quote_text(other)} and {quote_text(header)} are the same column to us. Rename or delete one."
                )
            best[field] = min(best.get(field, (rank, place)), (rank, place))
    places = {field: place for field, (_, place) in best.items()}
    unknown = [
        header for place, header in enumerate(headers) if header and place not in places.values()
    ]
    missing = {word: field for word, (field, _) in meanings.items() if field not in places}
    told = (_suggestion(header, headers, places, meanings, missing, known) for header in unknown)
    return ColumnMatch(places, unknown, [sentence for sentence in told if sentence])


def _meanings(known: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, int]]:
    """Folded header → its field, and how good a name it is: 0 is best."""
    found: dict[str, tuple[str, int]] = {}
    for field, names in known.items():
        for rank, name in enumerate(dict.fromkeys(map(normalize_header, names))):
            if name not in found or found[name][1] > rank:
                found[name] = (field, rank)
    return found


def _suggestion(
    header: str,
    headers: Sequence[str],
    places: Mapping[str, int],
    meanings: Mapping[str, tuple[str, int]],
    missing: Mapping[str, str],
    known: Mapping[str, Sequence[str]],
) -> str:
    word = normalize_header(header)
    if word in meanings:
        taken = headers[places[meanings[word][0]]]
        return f"{quote_text(header)} is not read: {quote_text(taken)} is there already."
    close = get_close_matches(word, missing, n=1, cutoff=CLOSE_ENOUGH)
    return (
        f"{quote_text(header)}: did you mean {quote_text(known[missing[close[0]]][0])}?"
        if close
        else ""
    )
