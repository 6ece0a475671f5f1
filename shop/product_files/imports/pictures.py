"""Pictures of an import: matched from its ZIP by the picture column or the SKU, never fetched."""

import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shop import images
from shop.models import ChangeRow, ChangeSet, ImportFile, User
from shop.product_files.formats import file_formats
from shop.product_files.formats.file_formats import MAIN_PICTURE
from shop.product_files.formats.parsed_row import ParsedRow, is_remote
from shop.product_files.imports.preview import open_upload
from shop.product_files.reading.archives import find_pictures
from shop.services import audit
from shop.services.change_sets import pictures as change_set_pictures
from shop.services.change_sets.locking import renew_heartbeat
from shop.services.errors import NotFound

#: Pictures that a warning lists by name.
MAX_LISTED_PICTURES = 10
Status = ChangeRow.Status

#: A picture's file name without extension, in lower case -> a function that reads it.
type PackedPictures = Mapping[str, Callable[[], bytes]]


def match_pictures(change_set: ChangeSet) -> None:
    """Store in a checked import how many of its ZIP's pictures match a row, and warn of others."""
    packed = _packed_pictures(change_set)
    if not packed:
        return
    matched = {name for _row, _field, name in _matched_rows(change_set, packed)}
    change_set.detected["pictures"] = len(matched)
    if unmatched := [name for name in packed if name not in matched]:
        change_set.warnings.append(_unmatched_warning(unmatched))
    change_set.save(update_fields=["detected", "warnings"])


def store_pictures(change_set: ChangeSet, *, actor: User) -> None:
    """Set the applied rows' pictures one by one. A picture that fails becomes a warning.

    After a killed worker, the same call continues with the remaining pictures.
    """
    packed = _packed_pictures(change_set)
    failed: dict[str, str] = {}
    for row, field, name in _matched_rows(change_set, packed):
        renew_heartbeat(change_set.pk)
        try:
            picture = images.normalize_image(io.BytesIO(packed[name]()))
            change_set_pictures.attach_picture(
                row_id=row.pk, product_id=row.product_id or 0, field=field, picture=picture
            )
        except (images.ImageRefused, NotFound) as error:
            failed[name] = str(error)

    count = sum(
        change_set.rows.filter(after__has_key=field).count()
        for field in change_set_pictures.PICTURE_FIELDS
    )
    change_set.result["pictures"] = count
    change_set.warnings += [
        _("Picture “%(name)s”: %(error)s") % {"name": name, "error": error}
        for name, error in list(failed.items())[:MAX_LISTED_PICTURES]
    ]
    change_set.error = ""  # of a disk that was full
    change_set.save(update_fields=["result", "warnings", "error"])
    change = _("pictures set: %(count)s, failed: %(failed)s")
    numbers = {"count": f"{count:,}", "failed": f"{len(failed):,}"}
    audit.log(actor, change_set, change % numbers)


def remote_picture_urls(change_set: ChangeSet) -> Iterator[tuple[str, str]]:
    """Yield SKU and URL of each picture on another server."""
    sheet, file_format = open_upload(change_set)
    for parsed in file_formats.parse_rows(sheet, file_format):
        for url in filter(is_remote, parsed.all_pictures):
            yield parsed.values.get("sku", ""), url


def _packed_pictures(change_set: ChangeSet) -> PackedPictures:
    return find_pictures(io.BytesIO(ImportFile.objects.get(pk=change_set.pk).content))


def _matched_rows(
    change_set: ChangeSet, packed: PackedPictures
) -> Iterator[tuple[ChangeRow, str, str]]:
    """Yield row, field and picture's name for each picture in the ZIP that is not set yet."""
    sheet, file_format = open_upload(change_set)
    names_by_line = {
        parsed.number: names
        for parsed in file_formats.parse_rows(sheet, file_format)
        if (names := _packed_names(parsed, packed))
    }
    rows = change_set.rows.filter(status__in=[Status.NEW, Status.CHANGED, Status.UNCHANGED])
    rows = rows.exclude(outcome=ChangeRow.Outcome.LEFT_OUT)
    for row in rows.only("number", "sku", "product_id", "after").order_by("number"):
        names = {MAIN_PICTURE: row.sku.casefold()} | names_by_line.get(row.number, {})
        for field, name in names.items():
            if name in packed and field not in row.after:
                yield row, field, name


def _packed_names(parsed: ParsedRow, packed: PackedPictures) -> dict[str, str]:
    """Return picture field -> name in the ZIP, of the pictures that the row names."""
    cells = {field: (cell,) for field, cell in parsed.further_pictures.items()}
    found = {}
    for field, pictures in ({MAIN_PICTURE: parsed.pictures} | cells).items():
        paths = (PurePosixPath(unquote(urlsplit(name).path)) for name in pictures)
        names = (path.stem.casefold() for path in paths)
        if name := next((name for name in names if name in packed), ""):
            found[field] = name
    return found


def _unmatched_warning(names: list[str]) -> str:
    listed = ", ".join(f"“{name}”" for name in names[:MAX_LISTED_PICTURES])
    message = ngettext(
        "%(count)s picture matches no row of the file: %(names)s."
        " Name pictures like the SKU, or as in the file's picture column.",
        "%(count)s pictures match no row of the file: %(names)s."
        " Name pictures like the SKU, or as in the file's picture column.",
        len(names),
    )
    names_text = listed + (", …" if len(names) > MAX_LISTED_PICTURES else "")
    return message % {"count": f"{len(names):,}", "names": names_text}
