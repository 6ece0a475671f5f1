"""The audit log: what staff changed, with old and new values, in the transaction of the change."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import FileField, ForeignKey, Max, Model
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shop import exposure
from shop.models import AuditEntry, ChangeSet, User

MAX_VALUE_LENGTH = 200
EMPTY = _("empty")

Action = AuditEntry.Action
#: Field name -> (old value, new value).
type Changes = Mapping[str, tuple[Any, Any]]


def log(
    actor: User | None,
    record: Model,
    changes: Changes | str = "",
    *,
    action: Action = Action.CHANGED,
) -> None:
    """Record one change if `actor` is staff. Customers' own changes are not logged."""
    log_many(actor, [(record, changes)], action=action)


def log_many(
    actor: User | None,
    entries: Iterable[tuple[Model, Changes | str]],
    *,
    action: Action = Action.CHANGED,
    change_set: ChangeSet | None = None,
) -> None:
    """Record many changes with one INSERT, those of a change set with a reference to it."""
    if actor is None or not actor.is_staff:
        return
    AuditEntry.objects.bulk_create(
        AuditEntry(
            actor=actor,
            action=action,
            model_name=record._meta.model_name or "",
            record_id=str(record.pk),
            record_label=str(record)[:200],
            change_set=change_set,
            changes=changes if isinstance(changes, str) else format_changes(changes, action=action),
        )
        for record, changes in entries
    )


def last_entry(record: Model) -> AuditEntry | None:
    """Return the newest entry about a record, or None."""
    entries = AuditEntry.objects.filter(
        model_name=record._meta.model_name, record_id=str(record.pk)
    )
    return entries.select_related("actor").first()


def last_editors(records: Sequence[Model]) -> dict[Any, str]:
    """Return who wrote the newest entry about each record, by its key; with one query."""
    if not records:
        return {}
    newest = (
        AuditEntry.objects.filter(
            model_name=records[0]._meta.model_name, record_id__in=[str(r.pk) for r in records]
        )
        .order_by()
        .values("record_id")
        .annotate(newest=Max("pk"))
        .values("newest")
    )
    entries = AuditEntry.objects.filter(pk__in=newest).select_related("actor")
    names = {entry.record_id: str(entry.actor) for entry in entries}
    return {record.pk: names[str(record.pk)] for record in records if str(record.pk) in names}


def diff_record(record: Model, values: Mapping[str, Any]) -> Changes:
    """Return what setting these values would change in the record."""
    model = type(record)
    before = {name: exposure.get_field(model, name).value_from_object(record) for name in values}
    return diff_values(model, before, values)


def diff_values(model: type[Model], before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Return the differing values, by the fields' verbose names."""
    changes = {}
    for name, value in after.items():
        field = exposure.get_field(model, name)
        old, new = display_value(field, before.get(name)), display_value(field, value)
        if old != new:
            changes[str(field.verbose_name)] = (old, new)
    return changes


def format_changes(changes: Changes, *, action: Action = Action.CHANGED) -> str:
    """Return one line per change, such as `price: 12.50 → 13.00`; new values only for additions."""
    if action == Action.ADDED:
        return "\n".join(f"{name}: {format_value(after)}" for name, (__, after) in changes.items())
    return "\n".join(
        f"{name}: {format_value(a)} → {format_value(b)}" for name, (a, b) in changes.items()
    )


def format_value(value: Any) -> str:
    """Return a value as text for staff."""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, datetime) and timezone.is_aware(value):
        value = timezone.localtime(value).isoformat(" ", "minutes")
    text = "" if value is None else str(value)
    if len(text) > MAX_VALUE_LENGTH:
        text = f"{text[: MAX_VALUE_LENGTH - 1]}…"
    return text or str(EMPTY)


def display_value(field: exposure.Field, value: Any) -> Any:
    """Return a field's value for display: choices by label, files and related records by name."""
    if isinstance(field, FileField):
        return getattr(value, "name", value) or ""
    if field.many_to_many:
        return ", ".join(sorted(map(str, _related_records(field, value or ()))))
    if isinstance(field, ForeignKey) and value is not None and not isinstance(value, Model):
        value = field.related_model._default_manager.filter(pk=value).first()
    return dict(field.flatchoices).get(value, value) if field.choices else value


def _related_records(field: exposure.Field, values: Iterable[Any]) -> Iterable[Model]:
    """Return a many-to-many field's records, which are given as such or by their keys."""
    values = list(values)
    if all(isinstance(value, Model) for value in values):
        return values
    related: Any = field.related_model
    records: Iterable[Model] = related._default_manager.filter(pk__in=values)
    return records
