"""Create the records that an import's rows name and that don't exist, and remove them on undo.

The preview lists them in `detected["missing"]`; until they are created, the rows refer to them by
tokens, such as "new:0" for the first of the list.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeGuard

from django.apps import apps
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from shop import exposure
from shop.models import ChangeSet, User
from shop.natural_keys import NaturalKeys, natural_key_field
from shop.services import audit
from shop.services.change_sets.sql import (
    RELATIONS,
    cast_sql,
    execute_sql,
    list_items,
    related_key,
    select_column,
    sorted_keys_sql,
)
from shop.services.errors import ImportNotReady

TOKEN_PREFIX = "new:"  # noqa: S105 - no secret
#: Rows (r) that are to be applied. Parameter: import id.
IN_USE = "r.change_set_id = %s AND r.status IN ('new', 'changed')"


def missing_token(index: int) -> str:
    """Return what a row stores for a record that is to be created; no key looks like this."""
    return f"{TOKEN_PREFIX}{index}"


def is_token(key: object) -> TypeGuard[str]:
    """Return whether a row's key is the token of a record that is to be created."""
    return isinstance(key, str) and key.startswith(TOKEN_PREFIX)


def token_index(token: str) -> int:
    """Return the place in `detected["missing"]`."""
    return int(token.removeprefix(TOKEN_PREFIX))


def known_entries(change_set: ChangeSet, key: str) -> list[Mapping[str, Any]]:
    """Return the entries of `detected[key]` whose model wasn't removed from the project since."""
    labels = {model._meta.label_lower for model in apps.get_models()}
    entries = change_set.detected.get(key, [])
    return [entry for entry in entries if entry["model"] in labels]


def build_record(model: exposure.Model, name: str) -> models.Model | None:
    """Return a new record, not saved, that has only its natural key; None if it needs more."""
    field = natural_key_field(model)
    if field is None:
        return None
    record = model(**{field.attname: name})
    try:
        record.full_clean(validate_unique=False, validate_constraints=False)
        for constraint in model._meta.constraints:
            if not isinstance(constraint, models.UniqueConstraint):
                constraint.validate(model, record)
    except ValidationError:
        return None
    return record


def add_permission(model: exposure.Model) -> str:
    """Return the name of the permission to add records."""
    return f"{model._meta.app_label}.add_{model._meta.model_name}"


def create_missing(change_set: ChangeSet, *, actor: User) -> int:
    """Create the missing records that rows use, and store their keys in the rows; return how many.

    What somebody else created since the preview is used instead. `detected["created"]` keeps what
    an undo needs. Raises ImportNotReady if the actor may not add such records.
    """
    if not change_set.options.get("create_missing") or not change_set.detected["missing"]:
        return 0
    keys: dict[str, Any] = {}
    created: list[models.Model] = []
    for model, names in _used_names(change_set).items():
        created += _find_or_create(model, names, keys, actor)
    _store_keys(change_set, keys)
    if created:
        note = {str(_("import")): ("", str(change_set))}
        entries = [
            (record, {str(_("name")): ("", _natural_key(record))} | note) for record in created
        ]
        audit.log_many(actor, entries, action=audit.Action.ADDED)
        change_set.detected["created"] = [
            {"model": type(record)._meta.label_lower, "key": _stored_key(type(record), record.pk)}
            | {"name": _natural_key(record), "hash": digest}
            for record, digest in _hash_records(created)
        ]
    return len(created)


def _used_names(change_set: ChangeSet) -> Mapping[exposure.Model, dict[str, str]]:
    """Return model -> token -> name of the missing records that rows to be applied refer to."""
    tokens: set[str] = set()
    for field in RELATIONS:
        key, rows = f"r.after ->> '{field.name}'", "shop_changerow AS r"
        if field.many_to_many:
            key, rows = "e.value", f"{rows} CROSS JOIN {list_items(field, 'after')}"
        sql = f"SELECT DISTINCT {key} FROM {rows} WHERE {IN_USE} AND {_is_token_sql(key)}"
        tokens |= set(select_column(sql, change_set.pk))

    names: dict[exposure.Model, dict[str, str]] = defaultdict(dict)
    missing = change_set.detected["missing"]
    # Sorted, so that two imports create the same records in the same order.
    for token in sorted(tokens, key=lambda token: str(missing[token_index(token)]["name"])):
        entry = missing[token_index(token)]
        names[apps.get_model(entry["model"])][token] = entry["name"]
    return names


def _find_or_create(
    model: exposure.Model, names: Mapping[str, str], keys: dict[str, Any], actor: User
) -> list[models.Model]:
    """Add token -> key to `keys`; return the records that were created.

    If somebody else creates one of them at the same moment, it is found at the second attempt.
    """
    for attempt in (1, 2):
        known, created = NaturalKeys(model), {}
        for token, name in names.items():
            if (key := known.find(name)) is not None:
                keys[token] = _stored_key(model, key)
            else:
                created[token] = build_record(model, name)
        try:
            with transaction.atomic():
                keys |= {token: _save(record, actor) for token, record in created.items()}
        except IntegrityError:
            if attempt == 2:  # noqa: PLR2004 - the last one
                raise
        else:
            break
    return [record for record in created.values() if record is not None]


def _save(record: models.Model | None, actor: User) -> Any:
    if record is None:
        raise ImportNotReady(_("What is missing can't be created any more. Check the file again."))
    if not actor.has_perm(add_permission(type(record))):
        message = _("You don't have permission to add what is missing: %(names)s.")
        names = record._meta.verbose_name_plural
        raise ImportNotReady(message % {"names": names})
    record.save(force_insert=True)
    return _stored_key(type(record), record.pk)


def _store_keys(change_set: ChangeSet, keys: Mapping[str, Any]) -> None:
    """Replace the tokens in the rows by keys."""
    mapping, is_postgresql = json.dumps(keys), connection.vendor == "postgresql"
    for field in RELATIONS:
        single = f"r.after ->> '{field.name}'"
        if not field.many_to_many:
            has_token = _is_token_sql(f"({single})")
            value = f"CAST(%s AS jsonb) -> ({single})" if is_postgresql else f"%s ->> ({single})"
        else:
            items = list_items(field, "after")
            has_token = f"EXISTS (SELECT 1 FROM {items} WHERE {_is_token_sql('e.value')})"
            # SQLite's `->>` reads a text that begins with a digit as the place in a list.
            label = """json_extract(%s, '$."' || e.value || '"')"""
            found = "CAST(%s AS jsonb) ->> e.value" if is_postgresql else label
            key = cast_sql(related_key(field), f"COALESCE({found}, e.value)")
            value = sorted_keys_sql(key, items)
            value = value if is_postgresql else f"json({value})"
        setter = (
            f"jsonb_set(r.after, '{{{field.name}}}', {value})"
            if is_postgresql
            else f"json_set(r.after, '$.{field.name}', {value})"
        )
        execute_sql(
            f"UPDATE shop_changerow AS r SET after = {setter} WHERE {IN_USE} AND {has_token}",
            mapping,
            change_set.pk,
        )


def _is_token_sql(key: str) -> str:
    return f"{key} LIKE '{TOKEN_PREFIX}%%'"


def remove_created(change_set: ChangeSet, *, actor: User) -> tuple[int, list[str]]:
    """Delete the records that the import created; return how many, and the names of those kept.

    Those that were edited, or that something refers to, are kept.
    """
    removed, kept = 0, []
    by_model: dict[exposure.Model, dict[Any, Mapping[str, Any]]] = defaultdict(dict)
    for entry in known_entries(change_set, "created"):
        model = apps.get_model(entry["model"])
        by_model[model][model._meta.pk.to_python(entry["key"])] = entry

    for model, entries in by_model.items():
        records = list(model._default_manager.filter(pk__in=entries).select_for_update())
        used = _referenced_keys(model, entries)
        deleted = [
            record
            for record, digest in _hash_records(records)
            if record.pk not in used and digest == entries[record.pk]["hash"]
        ]
        label = capfirst(str(model._meta.verbose_name))
        kept += [f"{label}: {record}" for record in records if record not in deleted]
        audit.log_many(actor, [(record, "") for record in deleted], action=audit.Action.REMOVED)
        model._default_manager.filter(pk__in=[record.pk for record in deleted]).delete()
        removed += len(deleted)
    return removed, kept


def _referenced_keys(model: exposure.Model, keys: Iterable[Any]) -> set[Any]:
    """Return those of these keys that a foreign key or a many-to-many field refers to."""
    used: set[Any] = set()
    for relation in model._meta.get_fields(include_hidden=True):
        if relation.auto_created and relation.is_relation and not relation.many_to_many:
            field: Any = relation.field  # type: ignore[union-attr]
            rows = field.model._base_manager.filter(**{f"{field.name}__in": list(keys)})
            used |= set(rows.values_list(field.attname, flat=True).distinct())
    return used


def _hash_records(records: Iterable[models.Model]) -> Iterator[tuple[models.Model, str]]:
    """Yield each record with a hash of all its fields, as they come from the database."""
    for record in records:
        record.refresh_from_db()
        text = serializers.serialize("json", [record])
        yield record, hashlib.sha256(text.encode()).hexdigest()


def _natural_key(record: models.Model) -> str:
    field = natural_key_field(type(record))
    return str(field.value_from_object(record)) if field else str(record)


def _stored_key(model: exposure.Model, key: Any) -> Any:
    """Return a key in the database's format, as JSON."""
    value = model._meta.pk.get_db_prep_value(key, connection)
    return value if isinstance(value, int) else str(value)
