"""The names in a row's cells: found by natural key, or collected as missing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any

from django.apps import apps
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shop import exposure, natural_keys, text_validation
from shop.models import ChangeSet
from shop.natural_keys import NaturalKeys
from shop.product_files.imports.field_parsing import (
    CACHE_SIZE,
    CellError,
    CellParser,
)
from shop.product_files.reading.limits import quote_text
from shop.services.change_sets.missing import (
    build_record,
    is_token,
    known_entries,
    missing_token,
    token_index,
)

#: Names that one import can create; more are errors, because they are in a wrong column.
MAX_MISSING = 5000
#: Characters of a name that are quoted, and names of one model that a sentence lists.
QUOTED_LENGTH, MAX_LISTED_NAMES = 60, 20


class RelatedNames:
    """Finds the records that cells of these relations name, and collects the names of missing ones.

    `creates` are the labels of the models, such as `shop.brand`, whose missing records are to be
    created. A row then gets a token instead of a key. Else a missing name is an error.
    """

    def __init__(self, relations: Iterable[Any], creates: Collection[str] = ()) -> None:
        self.relations = list(relations)
        self.creates = creates
        models: set[Any] = {field.related_model for field in self.relations}
        self._keys = {model: NaturalKeys(model) for model in models}
        self._allowed: dict[exposure.Field, set[Any]] = {}
        self._indexes: dict[tuple[exposure.Model, str], int | None] = {}
        #: The missing records that could be created: model, name, the nearest known name, and
        #: whether a row to be applied needs it.
        self.missing: list[dict[str, Any]] = []
        self.parsers: Mapping[str, CellParser] = {
            field.name: lru_cache(CACHE_SIZE)(partial(self._parse_cell, field))
            for field in self.relations
        }

    def note_used(self, values: Mapping[str, Any]) -> None:
        """Mark what a row to be applied needs, in `missing`."""
        for field in self.relations if self.creates else ():
            keys = values.get(field.name)
            for key in keys if isinstance(keys, list) else [keys]:
                if is_token(key):
                    self.missing[token_index(key)]["used"] = True

    def _parse_cell(self, field: Any, cell: str) -> Any:
        """Return a key, or a many-to-many field's sorted keys. Raises CellError, ValueError."""
        if not field.many_to_many:
            [key] = self._find_keys(field, [cell])
            return key
        keys = set(self._find_keys(field, natural_keys.split_keys(cell)))
        tokens = {key for key in keys if is_token(key)}
        return [*sorted(keys - tokens), *sorted(tokens)]

    def _find_keys(self, field: Any, names: Iterable[str]) -> list[Any]:
        found = {name: self._find_key(field, name) for name in map(_clean_name, names)}
        if unknown := [name for name, key in found.items() if key is None]:
            raise self._unknown_error(field.related_model, unknown)
        return list(found.values())

    def _find_key(self, field: Any, name: str) -> Any:
        """Return a key or, for a record that is to be created, its token; else None."""
        model = field.related_model
        key = self._keys[model].find(name)
        if limits := field.get_limit_choices_to():
            if field not in self._allowed:
                allowed = model._default_manager.complex_filter(limits)
                self._allowed[field] = set(allowed.values_list("pk", flat=True))
            return key if key in self._allowed[field] else None
        if key is not None:
            return key
        index = self._missing_index(model, name)
        creates = index is not None and model._meta.label_lower in self.creates
        return missing_token(index) if creates and index is not None else None

    def _missing_index(self, model: exposure.Model, name: str) -> int | None:
        """Return the name's place in `missing`, which is new or old; None if it needs more."""
        place = model, natural_keys.fold_key(name)
        if place not in self._indexes:
            self._indexes[place] = None
            if len(self.missing) < MAX_MISSING and build_record(model, name):
                self._indexes[place] = len(self.missing)
                nearest = self._keys[model].nearest(name)
                label = model._meta.label_lower
                self.missing.append({"model": label, "name": name, "nearest": nearest})
        return self._indexes[place]

    def _unknown_error(self, model: exposure.Model, names: Collection[str]) -> CellError:
        nearest = (self._keys[model].nearest(name) for name in names)
        message = ngettext("%(names)s doesn't exist.", "%(names)s don't exist.", len(names))
        suggestions = []
        if close := [text for text in nearest if text]:
            suggestions.append(_("Did you mean %(names)s?") % {"names": _quote_names(close)})
        if any(self._needs_more(model, name) for name in names):
            reason = _("%(model)s: a name alone isn't enough to create it, so add it first.")
            label = capfirst(str(model._meta.verbose_name))
            suggestions.append(reason % {"model": label})
        return CellError(message % {"names": _quote_names(names)}, " ".join(suggestions))

    def _needs_more(self, model: exposure.Model, name: str) -> bool:
        """Return whether a missing record can't be created by its name alone."""
        index = self._indexes.get((model, natural_keys.fold_key(name)), 0)
        return index is None and len(self.missing) < MAX_MISSING


def _clean_name(name: str) -> str:
    return text_validation.clean_line(name)


def _quote_names(names: Iterable[str]) -> str:
    return ", ".join(quote_text(name, QUOTED_LENGTH) for name in names)


def created_entries(change_set: ChangeSet) -> list[Mapping[str, Any]]:
    """Return the missing records that applying the import creates."""
    return [entry for entry in known_entries(change_set, "missing") if entry.get("used")]


def list_names(entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line per model with the names of missing records, and similar ones that exist.

    Such as `Brand: “Kiln & Son” (similar: “Kiln & Sons”), “Acme”`.
    """
    names: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        name = quote_text(entry["name"], QUOTED_LENGTH)
        if nearest := entry.get("nearest"):
            similar = quote_text(nearest, QUOTED_LENGTH)
            name = _("%(name)s (similar: %(similar)s)") % {"name": name, "similar": similar}
        names[entry["model"]].append(name)
    for label, listed in names.items():
        text = ", ".join(listed[:MAX_LISTED_NAMES])
        if (more := len(listed) - MAX_LISTED_NAMES) > 0:
            message = ngettext("%(names)s and %(count)s more", "%(names)s and %(count)s more", more)
            text = message % {"names": text, "count": f"{more:,}"}
        model = capfirst(str(apps.get_model(label)._meta.verbose_name))
        yield _("%(model)s: %(names)s") % {"model": model, "names": text}
