"""Products: made, changed, archived. Their stock is `shop.services.stock`'s."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from shop.db.transactions import atomically
from shop.models import CartItem, OrderItem, Product, User
from shop.models.products import PictureField
from shop.services import audit
from shop.services.stock import count_stock, lock_product, lock_products, record_initial_stock


@atomically
def create_product(*, actor: User | None, values: Mapping[str, Any], stock: int = 0) -> Product:
    """A new product and the first line of its ledger; raises ValidationError."""
    product = Product(**values)
    _save(product)
    record_initial_stock(product, stock=stock, actor=actor)
    told = {**audit.diff_record(Product(), values), "stock": (0, stock)}
    audit.log(actor, product, told, action=audit.Action.ADDED)
    return product


def update_product(
    *,
    product_id: int,
    actor: User,
    changes: Mapping[str, Any],
    stock: int | None = None,
    check: Callable[[Product], None] = lambda _: None,
) -> Product:
    """Write the named fields, and no others, so that two who edit different fields both keep theirs.

    A new `image` is drawn before the product is locked: that takes seconds, and buyers would wait for them.
    An empty one takes the picture away. `stock`, where given, is a count.
    `check` sees the locked product first and may refuse by raising.
    Raises NotFound, ValidationError.
    """
    return _update(product_id, actor, _with_pictures_drawn(changes), stock, check)


@atomically
def _update(
    product_id: int,
    actor: User,
    changes: Mapping[str, Any],
    stock: int | None,
    check: Callable[[Product], None],
) -> Product:
    product = lock_product(product_id)
    check(product)
    told = audit.diff_record(product, changes)
    for name, value in changes.items():
        setattr(product, name, value)
    _save(product, only=changes)
    if told:
        audit.log(actor, product, told)
    return (
        product if stock is None else count_stock(product_id=product_id, counted=stock, actor=actor)
    )


@atomically
def remove_product(*, product_id: int, actor: User) -> bool:
    """Erase a product that was never ordered, else archive it: out of the catalogue and of every cart.

    Past orders keep showing it. Returns whether it was erased; raises NotFound.
    """
    CartItem.objects.filter(product=product_id).delete()
    product = lock_product(product_id)
    if OrderItem.objects.filter(product=product).exists():
        set_active(product_ids=[product_id], is_active=False, actor=actor)
        return False
    audit.log(actor, product, action=audit.Action.REMOVED)
    product.movements.all().delete()
    product.delete()
    return True


@atomically
def set_active(*, product_ids: Collection[int], is_active: bool, actor: User) -> int:
    """Show or archive many products; returns how many were not so already."""
    others = [p for p in lock_products(product_ids) if p.is_active != is_active]
    audit.log_many(actor, [(p, audit.diff_record(p, {"is_active": is_active})) for p in others])
    chosen = Product.objects.filter(pk__in=[product.pk for product in others])
    return chosen.update(is_active=is_active, updated_at=timezone.now())


def _with_pictures_drawn(changes: Mapping[str, Any]) -> dict[str, Any]:
    done = dict(changes)
    for name, value in changes.items():
        if isinstance(value, UploadedFile):
            try:
                done[name] = PictureField.normalize(value)
            except ValidationError as error:
                raise ValidationError({name: error}) from error
    return done


def _save(product: Product, only: Mapping[str, Any] | None = None) -> None:
    """Check everything, then write; two who take the same SKU at once get the same answer as one after."""
    product.full_clean()
    try:
        with transaction.atomic():
            product.save(update_fields=None if only is None else {*only, "updated_at"})
    except IntegrityError as error:
        if "product_sku_is_unique" in str(error):
            product.validate_constraints()  # sees the rival's row by now, and says it in its own words
        raise
