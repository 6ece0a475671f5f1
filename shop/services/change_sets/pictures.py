"""Pictures of an import: attach them to products, and restore the old ones on undo."""

from django.utils import timezone
from django.utils.translation import gettext as _

from shop import exposure
from shop.db.transactions import atomically
from shop.images import Picture
from shop.models import ChangeRow, ChangeSet, Product
from shop.models.products import PictureField
from shop.services.stock import lock_product

#: Names of the product's picture fields.
PICTURE_FIELDS = [
    field.name for field in exposure.concrete_fields(Product) if isinstance(field, PictureField)
]
Outcome = ChangeRow.Outcome


@atomically
def attach_picture(*, row_id: int, product_id: int, field: str, picture: Picture) -> None:
    """Set a picture of the product, once per row. The row keeps the old picture's name for an undo.

    Raises NotFound.
    """
    product = lock_product(product_id)
    row = ChangeRow.objects.select_for_update(no_key=True).get(pk=row_id)
    if field in row.after:
        return
    file = getattr(product, field)
    row.before[field] = file.name or ""
    file.save(str(picture.name), picture, save=False)
    product.save(update_fields=[field, "updated_at"])
    row.after[field] = file.name
    row.outcome = Outcome.APPLIED
    row.save(update_fields=["before", "after", "outcome"])


def restore_pictures(change_set: ChangeSet) -> int:
    """Restore the old pictures of products that still have the import's; return their number.

    Runs in the undo's transaction, after its rows were marked and its products locked.
    """
    return sum(_restore_field(change_set, field) for field in PICTURE_FIELDS)


def _restore_field(change_set: ChangeSet, field: str) -> int:
    restored = 0
    # Also rows of which another field could not be undone.
    undoing = change_set.rows.filter(outcome__in=[Outcome.UNDONE, Outcome.NOT_UNDONE])
    for row in undoing.filter(after__has_key=field).order_by("product_id"):
        unchanged = Product.objects.filter(pk=row.product_id or 0, **{field: row.after[field]})
        if unchanged.update(**{field: row.before[field]}, updated_at=timezone.now()):
            restored += 1
        else:
            reason = _("The picture was changed after the import.")
            ChangeRow.objects.filter(pk=row.pk).update(outcome=Outcome.NOT_UNDONE, reason=reason)
    return restored
