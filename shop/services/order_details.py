"""Change what staff write about an order: fields that no checkout asks for."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from shop import exposure
from shop.db.transactions import atomically
from shop.models import Order, User
from shop.services import audit, crud
from shop.services.errors import ConcurrentUpdate
from shop.services.orders import lock_order


def change_order_details(
    *, order_id: int, actor: User, changes: Mapping[str, Any], shown: Mapping[str, str]
) -> Order:
    """Change these fields of an order and no others.

    `shown` are the `comparable_values` that the editor saw. Writes the fields, `updated_at` and the
    audit log. Raises NotFound, ValidationError; ConcurrentUpdate if somebody else changed one of
    the same fields meanwhile.
    """
    return _change(order_id, actor, crud.normalize_images(Order, changes), shown)


@atomically
def _change(
    order_id: int, actor: User, changes: Mapping[str, Any], shown: Mapping[str, str]
) -> Order:
    order = lock_order(order_id)
    _check_unchanged(order, changes, shown)
    changes_made = audit.diff_record(order, changes)
    if not changes_made:
        return order
    crud.assign_values(order, {**changes, "updated_at": timezone.now()})
    crud.validate_fields(order, changes)
    order.save(update_fields=crud.saved_columns(Order, changes) | {"updated_at"})
    crud.set_relations(order, changes)
    audit.log(actor, order, changes_made)
    return order


def _check_unchanged(order: Order, names: Iterable[str], shown: Mapping[str, str]) -> None:
    stored = comparable_values(order, names)
    changed = [name for name in stored if stored[name] != shown.get(name, stored[name])]
    if changed:
        labels = [str(exposure.get_field(Order, name).verbose_name) for name in changed]
        message = _(
            "Someone else changed this in the meantime: %(fields)s. Check it and try again."
        )
        raise ConcurrentUpdate(message % {"fields": ", ".join(labels)})


def comparable_values(record: Model, names: Iterable[str]) -> dict[str, str]:
    """Return the values of these fields as texts, which differ if the values do."""
    return {name: _to_text(record, exposure.get_field(type(record), name)) for name in names}


def _to_text(record: Model, field: exposure.Field) -> str:
    if field.many_to_many:
        return " ".join(sorted(str(related.pk) for related in getattr(record, field.name).all()))
    value = getattr(record, field.attname)
    is_moment = isinstance(value, datetime.datetime)
    return (
        value.astimezone(datetime.UTC).isoformat() if is_moment else field.value_to_string(record)
    )
