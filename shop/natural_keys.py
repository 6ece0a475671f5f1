"""Natural keys: the texts by which product files name records, such as a brand by its name."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from django.db.models import Manager

from shop import exposure

#: Separates the parts of a natural key of several fields.
SEPARATOR = " / "


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


class NaturalKeys:
    """The records of a model by their natural keys, read by one query on the first use."""

    def __init__(self, model: exposure.Model) -> None:
        self.model = model

    @cached_property
    def texts(self) -> dict[Any, str]:
        """Primary key -> natural key."""
        records = self.model._default_manager.order_by("pk")
        if field := natural_key_field(self.model):
            return {pk: str(text) for pk, text in records.values_list("pk", field.attname)}
        return {
            record.pk: SEPARATOR.join(map(str, record.natural_key()))  # type: ignore[attr-defined]
            for record in records
        }

    @cached_property
    def _keys(self) -> dict[str, Any]:
        return {text: pk for pk, text in self.texts.items()}

    @cached_property
    def _keys_without_case(self) -> dict[str, list[Any]]:
        keys: dict[str, list[Any]] = {}
        for pk, text in self.texts.items():
            keys.setdefault(text.casefold(), []).append(pk)
        return keys

    def find(self, text: str) -> Any | None:
        """Return the primary key of the record with this natural key, or None.

        A text that differs in case alone also names a record, if it names only one.
        """
        if text in self._keys:
            return self._keys[text]
        matches = self._keys_without_case.get(text.casefold(), [])
        return matches[0] if len(matches) == 1 else None

    def nearest(self, text: str) -> str:
        """Return the natural key that is most like this text; empty if none is."""
        matches = get_close_matches(text.casefold(), self._keys_without_case, n=1)
        return self.texts[self._keys_without_case[matches[0]][0]] if matches else ""

    def format(self, pks: Iterable[Any]) -> Iterator[str]:
        """Yield the natural key of each of these records that exists."""
        return (self.texts[pk] for pk in pks if pk in self.texts)
