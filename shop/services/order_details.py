"""Change what staff write about an order: fields that no checkout asks for."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils import timezone

from shop.db.transactions import atomically
from shop.models import Order, User
from shop.services import audit, crud
from shop.services.order_records import lock_order


def change_order_details(
    *,
    order_id: int,
    actor: User,
    changes: Mapping[str, Any],
    check: Callable[[Order], None] = lambda _: None,
) -> Order:
    """Change these fields of an order and no others.

    `check` gets the locked order and may raise to refuse. Writes the fields, `updated_at` and the
    audit log. Raises NotFound, ValidationError.
    """
    return _change(order_id, actor, crud.normalize_images(Order, changes), check)


@atomically
def _change(
    order_id: int, actor: User, changes: Mapping[str, Any], check: Callable[[Order], None]
) -> Order:
    order = lock_order(order_id)
    check(order)
    changes_made = audit.diff_record(order, changes)
    if not changes_made:
        return order
    crud.assign_values(order, {**changes, "updated_at": timezone.now()})
    crud.validate_fields(order, changes)
    order.save(update_fields=crud.saved_columns(Order, changes) | {"updated_at"})
    crud.set_relations(order, changes)
    audit.log(actor, order, changes_made)
    return order
