"""Pictures of an import: attach them to products, and restore the old ones on undo."""

from django.utils import timezone
from django.utils.translation import gettext as _

from shop.db.transactions import atomically
from shop.images import Picture
from shop.models import ImportRow, Product, ProductImport
from shop.services.stock import lock_product

PICTURE_FIELD = "image"
Outcome = ImportRow.Outcome


@atomically
def attach_picture(*, row_id: int, product_id: int, picture: Picture) -> None:
    """Set the product's picture, once per row. The row keeps the old picture's name for an undo.

    Raises NotFound.
    """
    product = lock_product(product_id)
    row = ImportRow.objects.select_for_update(no_key=True).get(pk=row_id)
    if PICTURE_FIELD in row.after:
        return
    row.before[PICTURE_FIELD] = product.image.name or ""
    product.image.save(str(picture.name), picture, save=False)
    product.save(update_fields=[PICTURE_FIELD, "updated_at"])
    row.after[PICTURE_FIELD] = product.image.name
    row.outcome = Outcome.APPLIED
    row.save(update_fields=["before", "after", "outcome"])


def restore_pictures(product_import: ProductImport) -> int:
    """Restore the old pictures of products that still have the import's; return their number.

    Runs in the undo's transaction, after its rows were marked and its products locked.
    """
    restored = 0
    rows = product_import.rows.filter(outcome=Outcome.UNDONE, after__has_key=PICTURE_FIELD)
    for row in rows.order_by("product_id"):
        unchanged = Product.objects.filter(pk=row.product_id or 0, image=row.after[PICTURE_FIELD])
        if unchanged.update(image=row.before[PICTURE_FIELD], updated_at=timezone.now()):
            restored += 1
        else:
            reason = _("The picture was changed after the import.")
            ImportRow.objects.filter(pk=row.pk).update(outcome=Outcome.NOT_UNDONE, reason=reason)
    return restored
