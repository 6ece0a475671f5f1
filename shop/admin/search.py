"""The search of the admin's lists, which uses the trigram indexes of the migrations.

Django's search joins all tables and combines their columns with OR, so that the database reads
every row, for the count and for the page. Here each table is searched separately, by its trigram
index.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils.text import smart_split, unescape_string_literal

from shop.db.text_folding import is_searchable

#: The highest count that a searched or filtered list shows, and the most rows that one action
#: changes.
MAX_COUNTED = 10_000
#: The same for a search that tests rows one by one. Also the most keys read of a single table.
MAX_COUNTED_BY_SCAN = 1_000
#: The shortest word that a trigram index finds anywhere in a text.
TRIGRAM_LENGTH = 3
#: The characters after which a new word starts.
WORD_SEPARATORS = " \n-/.@"

#: Relation -> names of its searched fields; those of the list's own model under "".
type FieldsByRelation = dict[str, list[str]]


@dataclass(frozen=True)
class SearchResult[Row: Model]:
    """The rows that match a search, and what is known about their number."""

    queryset: QuerySet[Row]
    #: The number of rows, if the search has read all their keys.
    known_count: int | None = None
    #: Whether each word is so frequent that the database tests rows one by one.
    is_broad: bool = False

    @property
    def max_count(self) -> int:
        """The number at which counting these rows stops."""
        return min(MAX_COUNTED_BY_SCAN, MAX_COUNTED) if self.is_broad else MAX_COUNTED


def split_words(term: str) -> Iterator[str]:
    """Split a search term at spaces; a quoted phrase is one word, as in Django's own search.

    Words that aren't searchable, such as an accent or an invisible character, are left out.
    """
    for word in smart_split(term):
        is_quoted = word.startswith(('"', "'")) and word[0] == word[-1]
        text = unescape_string_literal(word) if is_quoted else word
        if is_searchable(text):
            yield text


def search_rows[Row: Model](
    rows: QuerySet[Row], fields: Iterable[str], term: str
) -> SearchResult[Row]:
    """Return the rows that have each word of the term in one of the fields.

    Finds what Django's `search_fields` find, without duplicates, but a word of one or two letters
    must start a word of the text. From the longest word on, a query reads the keys of the rows with
    that word, until a word has few. The other words are conditions on the rows.
    """
    by_relation: FieldsByRelation = {}
    for field in fields:
        relation, _, name = field.rpartition("__")
        by_relation.setdefault(relation, []).append(name)
    # PostgreSQL combines the indexes of a single table itself, so that reading keys pays less.
    is_one_table = set(by_relation) == {""}
    max_keys = MAX_COUNTED_BY_SCAN if is_one_table else MAX_COUNTED

    known_count, has_keys = None, False
    words = sorted(split_words(term), key=len, reverse=True)
    for word in words:
        keys = None if has_keys else _read_keys(rows, by_relation, word, max_keys)
        if keys is None:
            rows = rows.filter(_word_condition(rows.model, by_relation, word))
            continue
        rows, has_keys = rows.filter(pk__in=keys), True
        known_count = len(keys) if len(words) == 1 else None
    return SearchResult(rows, known_count, bool(words) and not has_keys and not is_one_table)


def _read_keys(
    rows: QuerySet[Any], by_relation: FieldsByRelation, word: str, max_keys: int
) -> set[Any] | None:
    """Return the keys of the rows that have the word; None if there are more than `max_keys`."""
    keys = rows.order_by().values_list("pk", flat=True)
    own = [keys.filter(_field_condition(by_relation[""], word))] if "" in by_relation else []
    by_related = [
        keys.filter((f"{own_field}__in", related.values(related_field)))
        for related, related_field, own_field in _related_rows(rows.model, by_relation, word)
    ]
    first, *more = own + by_related
    limited = first.union(*more, all=True).order_by()[: max_keys + 1]
    return set(limited) if len(limited) <= max_keys else None


def _word_condition(model: type[Model], by_relation: FieldsByRelation, word: str) -> Q:
    """Return the condition that a row has the word, to be tested on one row after the other."""
    own = [_field_condition(by_relation[""], word)] if "" in by_relation else []
    by_related = [
        Q(Exists(related.filter((related_field, OuterRef(own_field)))))
        for related, related_field, own_field in _related_rows(model, by_relation, word)
    ]
    return reduce(or_, own + by_related)


def _related_rows(
    model: type[Model], by_relation: FieldsByRelation, word: str
) -> Iterator[tuple[QuerySet[Any], str, str]]:
    """Yield, per relation, the related rows that have the word and the fields that join the tables.

    These are the field of the related model and the equal field of the list's own.
    """
    for relation, names in by_relation.items():
        if relation:
            link: Any = model._meta.get_field(relation)
            rows = link.related_model._default_manager.order_by()
            rows = rows.filter(_field_condition(names, word))
            yield (rows, link.field.name, "pk") if link.one_to_many else (rows, "pk", relation)


def _field_condition(names: list[str], word: str) -> Q:
    """Return the condition that one of the fields has the word."""
    lookups = [("icontains", word)]
    if len(word) < TRIGRAM_LENGTH:
        inside = [("icontains", separator + word) for separator in WORD_SEPARATORS]
        lookups = [("istartswith", word), *inside]
    return reduce(
        or_, (Q((f"{name}__{lookup}", text)) for name in names for lookup, text in lookups)
    )
