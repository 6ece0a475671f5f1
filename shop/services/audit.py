"""The audit log: what a member of staff changed, from what to what, in the change's own transaction."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import FileField, ForeignKey, Model, QuerySet

from shop import exposure
from shop.models import AuditEntry, User

LONGEST = 200  # characters of one value
NOTHING = "nothing"

Action = AuditEntry.Action
#: Name -> (before, after).
type Changes = Mapping[str, tuple[Any, Any]]


def log(
    actor: User | None,
    record: Model,
    changes: Changes | str = "",
    *,
    action: Action = Action.CHANGED,
) -> None:
    """Note one change, if it was staff's; a customer's own doings are none of this log's business."""
    log_many(actor, [(record, changes)], action=action)


def log_many(
    actor: User | None,
    done: Iterable[tuple[Model, Changes | str]],
    *,
    action: Action = Action.CHANGED,
) -> None:
    """Note many changes in one statement."""
    if actor is None or not actor.is_staff:
        return
    AuditEntry.objects.bulk_create(
        AuditEntry(
            actor=actor,
            action=action,
            model_name=record._meta.model_name or "",
            record_id=str(record.pk),
            record_label=str(record)[:200],
            changes=changes if isinstance(changes, str) else format_changes(changes, action=action),
        )
        for record, changes in done
    )


def last_entry(record: Model) -> AuditEntry | None:
    """Who changed it last, and what."""
    entries = AuditEntry.objects.filter(
        model_name=record._meta.model_name, record_id=str(record.pk)
    )
    return entries.select_related("actor").first()


def diff_record(record: Model, values: Mapping[str, Any]) -> Changes:
    """What setting these values changes in the record."""
    return diff_values(type(record), {name: getattr(record, name) for name in values}, values)


def diff_values(model: type[Model], before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Where the values differ, by the names that staff know the fields by."""
    found = {}
    for name, value in after.items():
        field = exposure.get_field(model, name)
        old, new = _value(field, before.get(name)), _value(field, value)
        if old != new:
            found[str(field.verbose_name)] = (old, new)
    return found


def format_changes(changes: Changes, *, action: Action = Action.CHANGED) -> str:
    """A line for each: `price: 12.50 → 13.00`; of what was added, only what it is."""
    if action == Action.ADDED:
        return "\n".join(f"{name}: {format_value(after)}" for name, (_, after) in changes.items())
    return "\n".join(
        f"{name}: {format_value(a)} → {format_value(b)}" for name, (a, b) in changes.items()
    )


def format_value(value: Any) -> str:
    """A value as staff read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "" if value is None else str(value)
    return (text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…") or NOTHING


def _value(field: exposure.Field, value: Any) -> Any:
    """What a field holds, as staff know it: a choice by its label, a file or a related record by its name."""
    if isinstance(field, FileField):
        return getattr(value, "name", value) or ""
    if isinstance(value, list | QuerySet):
        return ", ".join(sorted(map(str, value)))
    if isinstance(field, ForeignKey) and value is not None and not isinstance(value, Model):
        value = field.related_model._default_manager.filter(pk=value).first()
    return dict(field.flatchoices).get(value, value) if field.choices else value
