"""Edit many fields of many products at once, as cells of a table."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Literal

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext as _

from shop import exposure, natural_keys
from shop.db.transactions import atomically
from shop.models import ChangeSet, Product, User
from shop.services import audit, crud
from shop.services.change_sets.plan import PlannedChange, apply_changes
from shop.services.errors import CellsRefused
from shop.services.stock import lock_products


def table_fields() -> list[exposure.Field]:
    """Return the fields that a table edits: those of product files with one value in a cell.

    The SKU is left out, since it names the row, and many-to-many fields, since a cell would need a
    list to choose from. Pictures and stock are no fields of a file.
    """
    identity = natural_keys.natural_key_field(Product)
    fields = natural_keys.file_fields(Product)
    return [field for field in fields if field != identity and not field.many_to_many]


@dataclass(frozen=True)
class CellEdit:
    """A new value of a field in `table_fields`, of a relation a key.

    `was_shown` tells whether a value is the one that the table showed when it was edited.
    """

    product_id: int
    name: str
    value: Any
    was_shown: Callable[[Any], bool]


@dataclass(frozen=True)
class CellProblem:
    """Why a cell can't be saved. The whole row is meant if `name` is no column of the table.

    A `changed` cell has the value that `editor` gave it since it was shown.
    """

    product_id: int
    name: str
    kind: Literal["changed", "invalid", "removed"]
    message: str = ""
    current: Any = None
    editor: str = ""


@atomically
def edit_products(
    *, edits: Sequence[CellEdit], actor: User, problems: Sequence[CellProblem] = ()
) -> ChangeSet:
    """Save all cells or none, and return them as a change set that can be undone.

    Somebody else's edit to the same value is no conflict. `problems` are those that the caller has
    found, such as texts that are no numbers.

    Raises CellsRefused with these and all others: cells that changed since they were shown, or
    break a rule of their field, of `Product.clean()` or of uniqueness. Raises what `apply_changes`
    does.
    """
    products = {p.pk: p for p in lock_products({edit.product_id for edit in edits})}
    found = [*problems, *_find_removed(edits, products)]
    edits = [edit for edit in edits if edit.product_id in products]
    found += [*_find_changed(edits, products), *_find_taken(edits)]
    changes = []
    for pk, values in _values_by_product(edits).items():
        change, invalid = _plan_product(products[pk], values)
        changes.append(change)
        found += invalid
    if found:
        raise CellsRefused(problems=found)
    return apply_changes(
        kind=ChangeSet.Kind.EDIT, name=_describe(edits), changes=changes, actor=actor
    )


def _find_removed(
    edits: Iterable[CellEdit], products: Mapping[int, Product]
) -> Iterator[CellProblem]:
    for pk in {edit.product_id: None for edit in edits if edit.product_id not in products}:
        yield CellProblem(pk, "", "removed", _("A product was removed meanwhile."))


def _find_changed(
    edits: Iterable[CellEdit], products: Mapping[int, Product]
) -> Iterator[CellProblem]:
    """Yield the cells that hold neither the value that was shown nor the new one."""
    changed = []
    for edit in edits:
        field = exposure.get_field(Product, edit.name)
        current = field.value_from_object(products[edit.product_id])
        if current != edit.value and not edit.was_shown(current):
            changed.append((edit, current))
    editors = audit.last_editors([products[edit.product_id] for edit, _current in changed])
    for edit, current in changed:
        editor = editors.get(edit.product_id, "")
        yield CellProblem(edit.product_id, edit.name, "changed", current=current, editor=editor)


def _find_taken(edits: Iterable[CellEdit]) -> Iterator[CellProblem]:
    """Yield the cells whose value must be unique and is another product's; one query a field."""
    by_field = defaultdict[str, list[CellEdit]](list)
    for edit in edits:
        if exposure.get_field(Product, edit.name).unique and edit.value not in (None, ""):
            by_field[edit.name].append(edit)
    for name, same_field in by_field.items():
        values = [edit.value for edit in same_field]
        owners = Product.objects.filter(**{f"{name}__in": values}).order_by()
        owner_of = dict(owners.values_list(name, "pk"))
        for edit in same_field:
            is_taken = owner_of.get(edit.value, edit.product_id) != edit.product_id
            if is_taken or values.count(edit.value) > 1:
                error = Product().unique_error_message(Product, (name,))
                yield CellProblem(edit.product_id, name, "invalid", " ".join(error.messages))


def _values_by_product(edits: Iterable[CellEdit]) -> dict[int, dict[str, Any]]:
    values = defaultdict[int, dict[str, Any]](dict)
    for edit in edits:
        values[edit.product_id][edit.name] = edit.value
    return values


def _plan_product(
    product: Product, values: Mapping[str, Any]
) -> tuple[PlannedChange, list[CellProblem]]:
    """Return the change of a product, with the values as its rules clean them, and problems.

    Relations are left to the caller and to `apply_changes`, which check the keys of all rows at
    once.
    """
    fields = {name: exposure.get_field(Product, name) for name in values}
    edited = copy(product)
    for name, value in values.items():
        setattr(edited, fields[name].attname, value)
    errors: Mapping[str, ValidationError | list[ValidationError]] = {}
    try:
        own = [name for name, field in fields.items() if not field.is_relation]
        crud.validate_fields(edited, own, is_unique=True)
    except ValidationError as error:
        errors = error.error_dict
    problems = [
        CellProblem(product.pk, "" if name == NON_FIELD_ERRORS else name, "invalid", message)
        for name, found in errors.items()
        for message in ValidationError(found).messages
    ]
    cleaned = {name: field.value_from_object(edited) for name, field in fields.items()}
    return PlannedChange(product, cleaned), problems


def _describe(edits: Iterable[CellEdit]) -> str:
    """Return the name of the change set, such as "Edited: name, price"."""
    edited = {edit.name for edit in edits}
    labels = [str(field.verbose_name) for field in table_fields() if field.name in edited]
    return _("Edited: %(fields)s") % {"fields": ", ".join(labels)}
