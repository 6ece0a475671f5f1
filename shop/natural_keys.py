"""Natural keys: the texts by which product files name records, such as a brand by its name.

A cell of a many-to-many field lists them with semicolons, quoted as in CSV: `mug; "salt; pepper"`.
"""

import csv
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from django.db.models import Manager, QuerySet

from shop import exposure

#: Separates the parts of a natural key of several fields.
SEPARATOR = " / "
LIST_SEPARATOR = ";"
#: Keys that are compared for the suggestions of one file, which takes about a second.
MAX_COMPARISONS = 200_000


def file_fields(model: exposure.Model) -> list[exposure.Field]:
    """Return the fields that are columns of a product file. Relations need a natural key."""
    fields = [exposure.get_field(model, name) for name in exposure.file_fields(model)]
    return [field for field in fields if not field.is_relation or _can_be_named(field)]


def _can_be_named(field: exposure.Field) -> bool:
    related: Any = field.related_model
    is_by_key = field.many_to_many or field.target_field.primary_key  # type: ignore[attr-defined]
    return is_by_key and has_natural_key(related)


def fold_key(text: str) -> str:
    """Return the text without differences of case and spaces, for comparison."""
    return " ".join(text.casefold().split())


def split_keys(cell: str) -> list[str]:
    """Return the texts in a cell, without empty ones. Raises ValueError."""
    try:
        lines = csv.reader(cell.splitlines(), delimiter=LIST_SEPARATOR, skipinitialspace=True)
        return [text for line in lines for part in line if (text := part.strip())]
    except csv.Error as error:
        raise ValueError(str(error)) from error


def join_keys(texts: Iterable[str]) -> str:
    """Return the cell that `split_keys` reads, sorted."""
    return f"{LIST_SEPARATOR} ".join(
        '"{}"'.format(text.replace('"', '""')) if {LIST_SEPARATOR, '"'} & set(text) else text
        for text in sorted(texts)
    )


def natural_key_field(model: exposure.Model) -> exposure.Field | None:
    """Return the one unique text field, by which Django's `natural_key()` is not needed."""
    fields = exposure.unique_text_fields(model)
    return fields[0] if len(fields) == 1 and not _has_own_key(model) else None


def has_natural_key(model: exposure.Model) -> bool:
    """Return whether the model has one unique text field, or declares a natural key as Django does.

    https://docs.djangoproject.com/en/stable/topics/serialization/#natural-keys
    """
    return _has_own_key(model) or natural_key_field(model) is not None


def _has_own_key(model: exposure.Model) -> bool:
    manager: Manager[Any] = model._default_manager
    return hasattr(model, "natural_key") and hasattr(manager, "get_by_natural_key")


def key_text(record: Any) -> str:
    """Return what the record's own `natural_key()` says, as one text."""
    return SEPARATOR.join(map(str, record.natural_key()))


class NaturalKeys:
    """The records of a model by their natural keys, read by one query on the first use."""

    def __init__(self, model: exposure.Model, records: QuerySet[Any] | None = None) -> None:
        self.model = model
        self.records = model._default_manager.order_by("pk") if records is None else records
        self._nearest: dict[str, str] = {}
        self._comparisons_left = MAX_COMPARISONS

    @cached_property
    def texts(self) -> dict[Any, str]:
        """Primary key -> natural key."""
        if field := natural_key_field(self.model):
            pairs = self.records.values_list("pk", field.attname)
            return {pk: str(text) for pk, text in pairs if text}
        # So that a key of another record's key costs no query.
        relations = [f.name for f in exposure.concrete_fields(self.model) if f.is_relation]
        records = self.records.select_related(*relations) if relations else self.records
        return {record.pk: key_text(record) for record in records}

    @cached_property
    def _keys(self) -> dict[str, Any]:
        return {text: pk for pk, text in self.texts.items()}

    @cached_property
    def _folded_keys(self) -> dict[str, list[Any]]:
        keys: dict[str, list[Any]] = {}
        for pk, text in self.texts.items():
            keys.setdefault(fold_key(text), []).append(pk)
        return keys

    def find(self, text: str) -> Any | None:
        """Return the primary key of the record with this natural key, or None.

        A text that differs in case or spaces alone also names a record, if it names only one.
        """
        if text in self._keys:
            return self._keys[text]
        matches = self._folded_keys.get(fold_key(text), [])
        return matches[0] if len(matches) == 1 else None

    def nearest(self, text: str) -> str:
        """Return the natural key that is most like this text; empty if none is.

        Comparing takes long among many records, so from some number on there is no answer.
        """
        folded = fold_key(text)
        if folded not in self._nearest:
            if self._comparisons_left <= 0:
                return ""
            self._comparisons_left -= len(self.texts)
            matches = get_close_matches(folded, self._folded_keys, n=1)
            self._nearest[folded] = self.texts[self._folded_keys[matches[0]][0]] if matches else ""
        return self._nearest[folded]

    def format(self, pks: Iterable[Any]) -> Iterator[str]:
        """Yield the natural key of each of these records that exists."""
        return (self.texts[pk] for pk in pks if pk in self.texts)
