"""The search of lists, which uses the trigram indexes of the migrations.

Django's search joins all tables and combines their columns with OR, so that the database reads
every row, for the count and for the page. Here each table is searched separately, by its trigram
index.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.admin.utils import get_fields_from_path
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils.text import smart_split, unescape_string_literal

from shop.db.phone_search import ContactTextField, take_phone_number
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
#: What people write before and after words: `Doyle, Ciarán`.
PUNCTUATION = '.,:;!?()[]{}<>"\u201c\u201d\u201e'

#: Relation -> names of its searched fields; those of the list's own model under "".
type FieldsByRelation = dict[str, list[str]]


@dataclass(frozen=True)
class RelatedSearch:
    """Rows in which a word is looked for, beside the fields, and their link to the searched rows.

    `link` is the field of these rows that holds the key of a searched row.
    """

    matching: Callable[[str], QuerySet[Any]]
    link: str


@dataclass(frozen=True)
class SearchPlaces:
    """Where a search looks for each of its words."""

    by_relation: FieldsByRelation
    related: Sequence[RelatedSearch] = ()

    @property
    def is_one_table(self) -> bool:
        """Whether only columns of the list's own table are searched."""
        return set(self.by_relation) == {""} and not self.related


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

    Words lose the punctuation at their ends. Those that aren't searchable, such as an accent or an
    invisible character, are left out.
    """
    for word in smart_split(term):
        is_quoted = len(word) > 1 and word.startswith(('"', "'")) and word[0] == word[-1]
        text = unescape_string_literal(word) if is_quoted else word.strip(PUNCTUATION)
        if is_searchable(text):
            yield text


def search_rows[Row: Model](
    rows: QuerySet[Row], fields: Iterable[str], term: str, related: Sequence[RelatedSearch] = ()
) -> SearchResult[Row]:
    """Return the rows that have each word of the term in one of the fields or the related rows.

    Finds what Django's `search_fields` find, without duplicates, but a word of one or two letters
    must start a word of the text, and a phone number is found in any spelling. From the longest
    word on, a query reads the keys of the rows with that word, until a word has few. The other
    words are conditions on the rows. A term without a searchable word does not search.
    """
    by_relation: FieldsByRelation = {}
    for field in fields:
        relation, _, name = field.rpartition("__")
        by_relation.setdefault(relation, []).append(name)
    places = SearchPlaces(by_relation, related)
    # PostgreSQL combines the indexes of a single table itself, so that reading keys pays less.
    max_keys = MAX_COUNTED_BY_SCAN if places.is_one_table else MAX_COUNTED

    listed, known_count, has_keys = rows, None, False
    words = _search_words(rows.model, fields, term)
    for word in words:
        # Without the words before: their conditions would be tested row by row.
        keys = None if has_keys else _read_keys(listed, places, word, max_keys)
        if keys is None:
            rows = rows.filter(_word_condition(rows.model, places, word))
            continue
        rows, has_keys = rows.filter(pk__in=keys), True
        known_count = len(keys) if len(words) == 1 else None
    return SearchResult(rows, known_count, bool(words) and not has_keys and not places.is_one_table)


def _search_words(model: type[Model], fields: Iterable[str], term: str) -> list[str]:
    """Return the words, longest first; a phone number is one word where phones are searched."""
    phones: list[str] = []
    if any(_has_phone(model, field) for field in fields):
        phones, term = take_phone_number(term)
    return sorted([*phones, *split_words(term)], key=len, reverse=True)


def _has_phone(model: type[Model], field: str) -> bool:
    searched: Any = get_fields_from_path(model, field)[-1]
    return isinstance(getattr(searched, "output_field", None), ContactTextField)


def _read_keys(
    rows: QuerySet[Any], places: SearchPlaces, word: str, max_keys: int
) -> set[Any] | None:
    """Return the keys of the rows that have the word; None if there are more than `max_keys`."""
    keys = rows.order_by().values_list("pk", flat=True)
    own = [keys.filter(condition) for condition in _own_conditions(places, word)]
    by_related = [
        keys.filter((f"{own_field}__in", related.values(related_field)))
        for related, related_field, own_field in _related_rows(rows.model, places, word)
    ]
    by_related += [
        keys.filter(pk__in=place.matching(word).values(place.link)) for place in places.related
    ]
    first, *more = own + by_related
    limited = first.union(*more, all=True).order_by()[: max_keys + 1]
    return set(limited) if len(limited) <= max_keys else None


def _word_condition(model: type[Model], places: SearchPlaces, word: str) -> Q:
    """Return the condition that a row has the word, to be tested on one row after the other."""
    by_related = [
        Q(Exists(related.filter((related_field, OuterRef(own_field)))))
        for related, related_field, own_field in _related_rows(model, places, word)
    ]
    # A range, so that PostgreSQL looks the rows up one by one: by equality it would read all rows
    # with the word, of which there are many.
    linked = [
        Q(
            Exists(
                place.matching(word).filter(
                    (f"{place.link}__gte", OuterRef("pk")), (f"{place.link}__lte", OuterRef("pk"))
                )
            )
        )
        for place in places.related
    ]
    return reduce(or_, [*_own_conditions(places, word), *by_related, *linked])


def _own_conditions(places: SearchPlaces, word: str) -> list[Q]:
    own = places.by_relation.get("")
    return [field_condition(own, word)] if own else []


def _related_rows(
    model: type[Model], places: SearchPlaces, word: str
) -> Iterator[tuple[QuerySet[Any], str, str]]:
    """Yield, per relation, the related rows that have the word and the fields that join the tables.

    These are the field of the related model and the equal field of the list's own.
    """
    for relation, names in places.by_relation.items():
        if relation:
            link: Any = model._meta.get_field(relation)
            rows = link.related_model._default_manager.order_by()
            rows = rows.filter(field_condition(names, word))
            yield (rows, link.field.name, "pk") if link.one_to_many else (rows, "pk", relation)


def field_condition(names: list[str], word: str) -> Q:
    """Return the condition that one of the fields has the word."""
    lookups = [("icontains", word)]
    if len(word) < TRIGRAM_LENGTH:
        inside = [("icontains", separator + word) for separator in WORD_SEPARATORS]
        lookups = [("istartswith", word), *inside]
    return reduce(
        or_, (Q((f"{name}__{lookup}", text)) for name in names for lookup, text in lookups)
    )
