"""Which column of a file is which field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from shop.exchange.limits import quoted
from shop.exchange.vocabulary import STOCK_WAS, fold
from shop.services.errors import FileRefused

__all__ = ["STOCK_WAS", "Columns", "match"]

CLOSE_ENOUGH = 0.75


@dataclass(frozen=True)
class Columns:
    """Field → place in the row; the headers that are no field's; and what they were perhaps meant to be."""

    places: dict[str, int]
    unknown: list[str]
    suggestions: list[str]


def match(headers: Sequence[str], known: Mapping[str, Sequence[str]]) -> Columns:
    """The fields of a file's columns, whatever the headers' order, case, spaces, hyphens and units.

    `known` is field → its headers, the best first: a file with `name` and `title` is read by `name`. Raises
    FileRefused, naming both, when two columns have an equal claim on a field.
    """
    meanings = _meanings(known)
    best: dict[str, tuple[int, int]] = {}
    for place, header in enumerate(headers):
        if meaning := meanings.get(fold(header)):
            field, rank = meaning
            if field in best and best[field][0] == rank:
                other = headers[best[field][1]]
                raise FileRefused(
                    f"{quoted(other)} and {quoted(header)} are the same column to us. Rename or delete one."
                )
            best[field] = min(best.get(field, (rank, place)), (rank, place))
    places = {field: place for field, (_, place) in best.items()}
    unknown = [header for place, header in enumerate(headers) if header and place not in places.values()]
    missing = {word: field for word, (field, _) in meanings.items() if field not in places}
    told = (_suggestion(header, headers, places, meanings, missing, known) for header in unknown)
    return Columns(places, unknown, [sentence for sentence in told if sentence])


def _meanings(known: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, int]]:
    """Folded header → its field, and how good a name it is: 0 is best."""
    found: dict[str, tuple[str, int]] = {}
    for field, names in known.items():
        for rank, name in enumerate(dict.fromkeys(map(fold, names))):
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
    word = fold(header)
    if word in meanings:
        taken = headers[places[meanings[word][0]]]
        return f"{quoted(header)} is not read: {quoted(taken)} is there already."
    close = get_close_matches(word, missing, n=1, cutoff=CLOSE_ENOUGH)
    return f"{quoted(header)}: did you mean {quoted(known[missing[close[0]]][0])}?" if close else ""
