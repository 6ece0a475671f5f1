"""Create, update and delete records of models without rules of their own."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model, ProtectedError

from shop.db.transactions import atomically
from shop.models import User
from shop.services import audit
from shop.services.errors import InUse, NotFound


@atomically
def create_record[M: Model](model: type[M], *, actor: User, values: Mapping[str, Any]) -> M:
    """Create a record. Raises ValidationError."""
    record = model(**values)
    record.full_clean()
    record.save(force_insert=True)
    audit.log(actor, record, audit.diff_record(model(), values), action=audit.Action.ADDED)
    return record


@atomically
def update_record[M: Model](
    model: type[M], *, pk: int, actor: User, changes: Mapping[str, Any]
) -> M:
    """Write the named fields and no others. Raises NotFound, ValidationError."""
    record = _lock_record(model, pk)
    changes_made = audit.diff_record(record, changes)
    for name, value in changes.items():
        setattr(record, name, value)
    record.full_clean()
    record.save(update_fields=list(changes))
    if changes_made:
        audit.log(actor, record, changes_made)
    return record


@atomically
def delete_record(model: type[Model], *, pk: int, actor: User) -> None:
    """Delete a record. Raises NotFound; InUse if another record needs it."""
    record = _lock_record(model, pk)
    audit.log(actor, record, action=audit.Action.REMOVED)
    try:
        record.delete()
    except ProtectedError as error:
        raise InUse from error


def _lock_record[M: Model](model: type[M], pk: int) -> M:
    record = model._default_manager.filter(pk=pk).select_for_update(no_key=True).first()
    if record is None:
        raise NotFound
    return record
