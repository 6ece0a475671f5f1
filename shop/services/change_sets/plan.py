"""Change many products as a page has previewed it: stored as rows, applied in one transaction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from shop import exposure
from shop.db.transactions import atomically
from shop.models import ChangeRow, ChangeSet, Product, User
from shop.services import audit
from shop.services.audit import Changes
from shop.services.change_sets.apply import describe_integrity_error, write_changed_products
from shop.services.change_sets.row_store import RowRecord, store_rows, to_stored_value
from shop.services.errors import ProductsChanged

State, Status = ChangeSet.State, ChangeRow.Status


@dataclass(frozen=True)
class PlannedChange:
    """What changes of one product: values by field name, and units to add to its stock.

    The product is as it was previewed, so that what somebody else changed since is noticed. Values
    are those of `Model.save`, of a many-to-many field its keys.
    """

    product: Product
    values: Mapping[str, Any] = field(default_factory=dict)
    delta: int = 0

    def old_value(self, name: str) -> Any:
        """Return the previewed value of a field, of a relation its key or keys."""
        column = exposure.get_field(Product, name)
        value = column.value_from_object(self.product)
        return sorted(record.pk for record in value) if column.many_to_many else value

    def changed_values(self) -> dict[str, Any]:
        """Return the values that differ from the product's."""
        return {name: new for name, new in self.values.items() if new != self.old_value(name)}


#: What changes of each product, and those of its values that differ.
type ChangedValues = Sequence[tuple[PlannedChange, Mapping[str, Any]]]


@atomically
def apply_changes(
    *,
    kind: ChangeSet.Kind,
    name: str,
    changes: Sequence[PlannedChange],
    actor: User,
    supplier: str = "",
    delivery_note: str = "",
) -> ChangeSet:
    """Apply the changes, all of them or none, and return them as a change set that can be undone.

    Products that stay as they are are left out. Stock changes by the difference, so that what was
    sold since the preview stays sold.

    Raises ProductsChanged, naming them, if a product isn't as previewed any more or its stock would
    leave its bounds; ValidationError if nothing would change.
    """
    pairs = [(change, change.changed_values()) for change in changes]
    pairs = [(change, values) for change, values in pairs if values or change.delta]
    if not pairs:
        raise ValidationError(_("Nothing would change."), code="unchanged")
    change_set = _store_applied(
        pairs,
        kind=kind,
        actor=actor,
        name=name[:200],
        supplier=supplier,
        delivery_note=delivery_note,
    )
    entries = list(_audit_entries(pairs))
    try:
        write_changed_products(change_set, actor)
    except IntegrityError as error:
        raise ProductsChanged(describe_integrity_error(error)) from error
    audit.log(actor, change_set, change_set.get_kind_display(), action=audit.Action.ADDED)
    audit.log_many(actor, entries, change_set=change_set)
    return change_set


def _store_applied(pairs: ChangedValues, **columns: Any) -> ChangeSet:
    """Store a change set and its rows as if they were applied already."""
    change_set = ChangeSet.objects.create(
        state=State.APPLIED,
        detected={
            "changed_fields": sorted({name for __, values in pairs for name in values}),
            "stock_mode": ChangeSet.StockMode.DIFFERENCE.value,
        },
        counts={Status.CHANGED.value: len(pairs)},
        result={"changed": len(pairs), "units": sum(change.delta for change, __ in pairs)},
        rows_total=len(pairs),
        applied_at=timezone.now(),
        **columns,
    )
    store_rows(
        _to_record(change_set.pk, number, change, values)
        for number, (change, values) in enumerate(pairs, 1)
    )
    return change_set


def _to_record(
    change_set_id: int, number: int, change: PlannedChange, values: Mapping[str, Any]
) -> RowRecord:
    product = change.product
    record = RowRecord(
        change_set_id, number, Status.CHANGED.value, product.sku, product.name, product.pk
    )
    for name, value in values.items():
        column = exposure.get_field(Product, name)
        record.after[name] = to_stored_value(column, value)
        record.before[name] = to_stored_value(column, change.old_value(name))
    if change.delta:
        record.delta = change.delta
        record.before["stock"] = product.stock
        record.after["stock"] = product.stock + change.delta
    return record


def _audit_entries(pairs: ChangedValues) -> Iterator[tuple[Product, Changes]]:
    """Yield each product with old and new values; related records cost one query a field."""
    names = {name for __, values in pairs for name in values}
    related: dict[str, Mapping[Any, Any]] = {}
    columns: list[Any] = [exposure.get_field(Product, name) for name in sorted(names)]
    for column in filter(_is_foreign_key, columns):
        keys = {change.old_value(column.name) for change, __ in pairs}
        keys |= {values.get(column.name) for __, values in pairs}
        related[column.name] = column.related_model._base_manager.in_bulk(keys - {None})

    for change, values in pairs:
        before = {name: change.old_value(name) for name in values}
        for name in values.keys() & related.keys():
            before[name] = related[name].get(before[name])
        after = {name: related[name].get(v) if name in related else v for name, v in values.items()}
        changes = dict(audit.diff_values(Product, before, after))
        if change.delta:
            changes["stock"] = (change.product.stock, change.product.stock + change.delta)
        yield change.product, changes


def _is_foreign_key(column: Any) -> bool:
    return bool(column.is_relation and not column.many_to_many)
