"""Creating, updating and archiving products. Their stock is written by `services.stock`."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.utils.translation import gettext as _

from shop import exposure
from shop.db.transactions import atomically
from shop.models import CartItem, ChangeSet, OrderItem, Product, User
from shop.services import audit, crud
from shop.services.change_sets.plan import PlannedChange, apply_changes
from shop.services.errors import NotFound
from shop.services.stock import count_stock, lock_product, lock_products, record_initial_stock


@atomically
def create_product(*, actor: User | None, values: Mapping[str, Any], stock: int = 0) -> Product:
    """Create a product and record its initial stock. Raises ValidationError."""
    product = Product()
    changes_made = {**audit.diff_record(product, values), "stock": (0, stock)}
    crud.assign_values(product, values)
    crud.save_record(product)
    crud.set_relations(product, values)
    record_initial_stock(product, stock=stock, actor=actor)
    audit.log(actor, product, changes_made, action=audit.Action.ADDED)
    return product


def update_product(
    *,
    product_id: int,
    actor: User,
    changes: Mapping[str, Any],
    stock: int | None = None,
    check: Callable[[Product], None] = lambda _: None,
) -> Product:
    """Write the named fields and no others, so that concurrent edits of other fields survive.

    A new `image` is processed before the product is locked, since that takes seconds; an empty
    one removes it. `stock`, if given, is a counted number. `check` gets the locked product and
    may raise to refuse. Raises NotFound, ValidationError.
    """
    return _update_locked(product_id, actor, crud.normalize_images(Product, changes), stock, check)


@atomically
def _update_locked(
    product_id: int,
    actor: User,
    changes: Mapping[str, Any],
    stock: int | None,
    check: Callable[[Product], None],
) -> Product:
    product = lock_product(product_id)
    check(product)
    changes_made = audit.diff_record(product, changes)
    crud.assign_values(product, changes)
    crud.save_record(product, update_fields=crud.saved_columns(Product, changes))
    crud.set_relations(product, changes)
    if changes_made:
        audit.log(actor, product, changes_made)
    return (
        product if stock is None else count_stock(product_id=product_id, counted=stock, actor=actor)
    )


@atomically
def duplicate_product(*, product_id: int, actor: User) -> Product:
    """Create an inactive copy with all that staff can edit, but for what is unique, without stock.

    Raises NotFound; ValidationError if a unique field needs a value.
    """
    product = Product.objects.filter(pk=product_id).first()
    if product is None:
        raise NotFound
    fields = [exposure.get_field(Product, name) for name in exposure.editable_fields(Product)]
    unique = exposure.unique_fields(Product)
    values = {
        field.name if field.many_to_many else field.attname: field.value_from_object(product)
        for field in fields
        if field.name not in unique
    }
    name = _name_of_copy(product.name)
    return create_product(actor=actor, values=values | {"name": name, "is_active": False})


def _name_of_copy(name: str) -> str:
    """Return the name with “(copy)”, shortened if that would be too long for the field."""
    template = _("%(name)s (copy)")
    limit = exposure.get_field(Product, "name").max_length or 0
    excess = len(template % {"name": name}) - limit
    return template % {"name": name[:-excess] if excess > 0 else name}


@atomically
def remove_product(
    *, product_id: int, actor: User, check: Callable[[Product], None] = lambda _: None
) -> bool:
    """Delete a product that was never ordered, else archive it; remove it from every cart.

    Past orders keep showing an archived product. `check` gets the locked product and may raise to
    refuse. Return whether it was deleted. Raises NotFound.
    """
    CartItem.objects.filter(product=product_id).delete()
    product = lock_product(product_id)
    check(product)
    if OrderItem.objects.filter(product=product).exists():
        archived = {"is_active": False}
        audit.log(actor, product, audit.diff_record(product, archived))
        crud.assign_values(product, archived)
        product.save(update_fields=crud.saved_columns(Product, archived))
        return False
    audit.log(actor, product, action=audit.Action.REMOVED)
    product.movements.all().delete()
    product.delete()
    return True


@atomically
def set_active(*, product_ids: Collection[int], is_active: bool, actor: User) -> ChangeSet:
    """Publish or archive many products; return the change set.

    Raises ValidationError if all are so already.
    """
    return apply_changes(
        kind=ChangeSet.Kind.VISIBILITY,
        name=_("Published") if is_active else _("Archived"),
        changes=[PlannedChange(p, {"is_active": is_active}) for p in lock_products(product_ids)],
        actor=actor,
    )
