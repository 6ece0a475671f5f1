"""Pictures that an import brings. Each is remembered in its row, so that it can be taken back."""

from django.utils import timezone

from shop.db.transactions import atomically
from shop.images import Picture
from shop.models import ImportRow, Product, ProductImport
from shop.services.stock import lock_product

FIELD = "image"
Outcome = ImportRow.Outcome


@atomically
def attach_picture(*, row_id: int, product_id: int, picture: Picture) -> None:
    """The row's product gets the picture, once. The one that it had is remembered, to come back.

    Raises NotFound.
    """
    product = lock_product(product_id)
    row = ImportRow.objects.select_for_update(no_key=True).get(pk=row_id)
    if FIELD in row.after:
        return
    row.before[FIELD] = product.image.name or ""
    product.image.save(str(picture.name), picture, save=False)
    product.save(update_fields=[FIELD, "updated_at"])
    row.after[FIELD] = product.image.name
    row.outcome = Outcome.APPLIED
    row.save(update_fields=["before", "after", "outcome"])


def restore_pictures(product_import: ProductImport) -> int:
    """Products get back what they had, where they still have the import's picture; returns how many.

    In the transaction of the undo, whose rows are marked and whose products are locked.
    """
    count = 0
    for row in product_import.rows.filter(outcome=Outcome.UNDONE, after__has_key=FIELD).order_by(
        "product_id"
    ):
        given = Product.objects.filter(pk=row.product_id or 0, image=row.after[FIELD])
        if given.update(image=row.before[FIELD], updated_at=timezone.now()):
            count += 1
        else:
            kept = ImportRow.objects.filter(pk=row.pk)
            kept.update(outcome=Outcome.KEPT, why="It has another picture by now.")
    return count
