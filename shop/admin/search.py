"""How the lists are searched: table by table, so that each uses its search index (`0004_search_indexes`)."""

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils.text import smart_split, unescape_string_literal

#: More than so many are not counted, nor moved at once: who finds them looks for something narrower.
MAX_COUNTED = 10_000
#: … of which no word is in fewer rows than that.
FEW = 1_000
#: Letters of the shortest word that an index of trigrams knows wherever it stands.
TRIGRAM = 3
#: After these an index of trigrams knows the beginning of a word.
BEFORE_A_WORD = " \n-/.@"

#: Relation -> the fields at its end that are looked through; the list's own fields under "".
type Tables = dict[str, list[str]]


def words(term: str) -> Iterator[str]:
    """The words of what was typed; what stands in quotes is one, as in Django's own search."""
    for word in smart_split(term):
        is_quoted = word.startswith(('"', "'")) and word[0] == word[-1]
        yield unescape_string_literal(word) if is_quoted else word


def search_rows[Row: Model](rows: QuerySet[Row], fields: Iterable[str], term: str) -> QuerySet[Row]:
    """The rows of which each word is in one of the fields, as Django's `search_fields` finds them.

    Django's one OR over joined tables reads all of them, for the count and for the page. Here the keys of
    what has a word are read first, table by table. Where there are too many, rows are looked at one by one,
    and the page is soon full. One or two letters are in almost everything; they are to begin a word.
    """
    tables: Tables = {}
    for field in fields:
        path, _, name = field.rpartition("__")
        tables.setdefault(path, []).append(name)
    is_few, is_alone = False, set(tables) == {""}
    most = (
        FEW if is_alone else MAX_COUNTED
    )  # of one table, the database combines the words by itself
    asked = sorted(words(term), key=len, reverse=True)
    for word in asked:
        keys = None if is_few else _keys(rows, tables, word, most)
        is_few = is_few or keys is not None
        rows = rows.filter(_somewhere(rows.model, tables, word) if keys is None else Q(pk__in=keys))
        if keys is not None and len(asked) == 1:
            rows.known = len(keys)  # type: ignore[attr-defined]
    rows.is_many = bool(asked) and not is_few and not is_alone  # type: ignore[attr-defined]
    return rows


def count_limit(rows: QuerySet[Any]) -> int:
    """How many of these rows may be counted: fewer of what `found` looks for row by row."""
    return min(FEW, MAX_COUNTED) if getattr(rows, "is_many", False) else MAX_COUNTED


def known_count(rows: QuerySet[Any]) -> int | None:
    """How many rows `found` has found; None where it did not come to know."""
    return getattr(rows, "known", None)


def _keys(rows: QuerySet[Any], tables: Tables, word: str, most: int) -> set[Any] | None:
    """The keys of those rows that have the word; None for very many."""
    every = rows.order_by().values_list("pk", flat=True)
    own = [every.filter(_in(tables[""], word))] if "" in tables else []
    others = [
        every.filter((f"{ours}__in", linked.values(theirs)))
        for linked, theirs, ours in _linked(rows.model, tables, word)
    ]
    first, *more = own + others
    keys = first.union(*more, all=True).order_by()[: most + 1]
    return set(keys) if len(keys) <= most else None


def _somewhere(model: type[Model], tables: Tables, word: str) -> Q:
    """Whether a row has the word, asked of one row after the other."""
    own = [_in(tables[""], word)] if "" in tables else []
    others = [
        Q(Exists(rows.filter((theirs, OuterRef(ours)))))
        for rows, theirs, ours in _linked(model, tables, word)
    ]
    return reduce(or_, own + others)


def _linked(
    model: type[Model], tables: Tables, word: str
) -> Iterator[tuple[QuerySet[Any], str, str]]:
    """The rows of other tables that have the word; which field of theirs is which of ours."""
    for path, names in tables.items():
        if path:
            link: Any = model._meta.get_field(path)
            rows = link.related_model._default_manager.order_by().filter(_in(names, word))
            yield (rows, link.field.name, "pk") if link.one_to_many else (rows, "pk", path)


def _in(names: list[str], word: str) -> Q:
    where = [("icontains", word)]
    if len(word) < TRIGRAM:
        where = [("istartswith", word), *(("icontains", before + word) for before in BEFORE_A_WORD)]
    return reduce(or_, (Q((f"{name}__{lookup}", text)) for name in names for lookup, text in where))
