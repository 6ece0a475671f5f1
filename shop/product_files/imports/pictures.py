"""Pictures of a product file: out of its ZIP, by the file's column or by the SKU; never fetched."""

import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from shop import images
from shop.models import ImportFile, ImportRow, ProductImport, User
from shop.product_files.formats import file_formats
from shop.product_files.formats.parsed_row import is_remote
from shop.product_files.imports.locking import renew_heartbeat
from shop.product_files.imports.preview import open_upload
from shop.product_files.reading.archives import find_pictures
from shop.services import audit, import_pictures
from shop.services.errors import NotFound

#: So many are named where more than that are wrong.
NAMED = 10
Status = ImportRow.Status

type Found = Mapping[str, Callable[[], bytes]]


def match_pictures(product_import: ProductImport) -> None:
    """Say in a checked import how many of the ZIP's pictures find their product, and which do not."""
    packed = _packed(product_import)
    if not packed:
        return
    chosen = {key for _, key in _chosen(product_import, packed)}
    product_import.found["pictures"] = len(chosen)
    if lost := [name for name in packed if name not in chosen]:
        product_import.warnings.append(
            f"{_named(lost)} {'matches' if len(lost) == 1 else 'match'} no row of the file."
            " Name pictures like the SKU, or like the file's picture column."
        )
    product_import.save(update_fields=["found", "warnings"])


def store_pictures(product_import: ProductImport, *, actor: User) -> None:
    """Give the applied rows' products their pictures, one by one; one that fails is a warning.

    What was done before a worker was killed is not done again.
    """
    packed = _packed(product_import)
    failed: dict[str, str] = {}
    for row, key in _chosen(product_import, packed):
        renew_heartbeat(product_import.pk)
        try:
            picture = images.normalize_image(io.BytesIO(packed[key]()))
            import_pictures.attach_picture(
                row_id=row.pk, product_id=row.product_id or 0, picture=picture
            )
        except (images.ImageRefused, NotFound) as error:
            failed[key] = str(error)
    count = product_import.rows.filter(after__has_key=import_pictures.FIELD).count()
    product_import.result["pictures"] = count
    product_import.warnings += [
        f"Picture “{name}”: {why}" for name, why in list(failed.items())[:NAMED]
    ]
    product_import.save(update_fields=["result", "warnings"])
    audit.log(actor, product_import, f"pictures set: {count:,}, failed: {len(failed):,}")


def remote_picture_urls(product_import: ProductImport) -> Iterator[tuple[str, str]]:
    """SKU and address of each picture that another server has."""
    sheet, dialect = open_upload(product_import)
    for line in file_formats.parse_rows(sheet, dialect):
        for name in filter(is_remote, line.pictures):
            yield line.values.get("sku", ""), name


def _packed(product_import: ProductImport) -> Found:
    return find_pictures(io.BytesIO(ImportFile.objects.get(pk=product_import.pk).content))


def _chosen(product_import: ProductImport, packed: Found) -> Iterator[tuple[ImportRow, str]]:
    """Each row that has a picture here which it was not given yet, and which."""
    sheet, dialect = open_upload(product_import)
    named = {}
    for line in file_formats.parse_rows(sheet, dialect):
        names = (
            PurePosixPath(unquote(urlsplit(name).path)).stem.casefold() for name in line.pictures
        )
        if key := next((name for name in names if name in packed), ""):
            named[line.number] = key
    rows = product_import.rows.filter(status__in=[Status.NEW, Status.CHANGED, Status.SAME])
    rows = rows.exclude(outcome=ImportRow.Outcome.LEFT).exclude(
        after__has_key=import_pictures.FIELD
    )
    for row in rows.only("number", "sku", "product_id").order_by("number"):
        key = named.get(row.number) or row.sku.casefold()
        if key in packed:
            yield row, key


def _named(names: list[str]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:NAMED])
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{len(names):,} {'picture' if len(names) == 1 else 'pictures'} ({shown}{more})"
