"""Names of the records that an import's rows refer to, for people: never keys or tokens."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.apps import apps
from django.utils.translation import gettext as _

from shop import exposure
from shop.models import ChangeRow, ChangeSet
from shop.natural_keys import NaturalKeys, join_keys
from shop.product_files.imports.field_parsing import RELATIONS
from shop.services.change_sets.missing import is_token, known_entries, token_index


class RecordNames:
    """The names of the records that some rows refer to; one query per model."""

    def __init__(self, change_set: ChangeSet, rows: Sequence[ChangeRow]) -> None:
        self.missing: Sequence[Mapping[str, Any]] = change_set.detected.get("missing", [])
        self._names: dict[exposure.Model, dict[Any, str]] = {
            apps.get_model(label): names for label, names in _created_names(change_set).items()
        }
        for model, keys in _used_keys(rows).items():
            records = model._default_manager.filter(pk__in=keys)
            known = NaturalKeys(model, records).texts
            self._names[model] = self._names.get(model, {}) | known

    def format(self, field: exposure.Field, value: Any) -> str:
        """Return the names for a relation's value in a row."""
        if not field.many_to_many:
            return "" if value is None else self._name(field, value)
        return join_keys(self._name(field, key) for key in value)

    def _name(self, field: exposure.Field, key: Any) -> str:
        if is_token(key):
            return _("%(name)s (new)") % {"name": self.missing[token_index(key)]["name"]}
        model: Any = field.related_model
        names = self._names.get(model, {})
        return names.get(model._meta.pk.to_python(key)) or _("(no longer exists)")


def _used_keys(rows: Iterable[ChangeRow]) -> dict[exposure.Model, set[Any]]:
    used: dict[exposure.Model, set[Any]] = defaultdict(set)
    for row in rows:
        for field in RELATIONS:
            for side in (row.before, row.after):
                value = side.get(field.name)
                keys = value if isinstance(value, list) else [value]
                found = {key for key in keys if key is not None and not is_token(key)}
                used[field.related_model] |= found
    return {model: keys for model, keys in used.items() if keys}


def _created_names(change_set: ChangeSet) -> dict[str, dict[Any, str]]:
    """Return label of a model -> key -> name, of the records that the import created."""
    names: dict[str, dict[Any, str]] = defaultdict(dict)
    for entry in known_entries(change_set, "created"):
        key = apps.get_model(entry["model"])._meta.pk.to_python(entry["key"])
        names[entry["model"]][key] = entry["name"]
    return names
