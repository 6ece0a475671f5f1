"""Pictures of a product file: out of its ZIP, by the file's column or by the SKU; never fetched."""

import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from shop import images
from shop.exchange import dialects
from shop.exchange.archives import pictures_in
from shop.exchange.checking import opened
from shop.exchange.line import is_remote
from shop.exchange.states import touch
from shop.models import Import, ImportFile, ImportRow, User
from shop.services import audit, import_pictures
from shop.services.errors import NotFound

#: So many are named where more than that are wrong.
NAMED = 10
Verdict = ImportRow.Verdict

type Found = Mapping[str, Callable[[], bytes]]


def look(import_: Import) -> None:
    """Say in a checked import how many of the ZIP's pictures find their product, and which do not."""
    packed = _packed(import_)
    if not packed:
        return
    chosen = {key for _, key in _chosen(import_, packed)}
    import_.found["pictures"] = len(chosen)
    if lost := [name for name in packed if name not in chosen]:
        import_.warnings.append(
            f"{_named(lost)} {'matches' if len(lost) == 1 else 'match'} no row of the file."
            " Name pictures like the SKU, or like the file's picture column."
        )
    import_.save(update_fields=["found", "warnings"])


def draw(import_: Import, *, actor: User) -> None:
    """Give the applied rows' products their pictures, one by one; one that fails is a warning.

    What was done before a worker was killed is not done again.
    """
    packed = _packed(import_)
    failed: dict[str, str] = {}
    for row, key in _chosen(import_, packed):
        touch(import_.pk)
        try:
            picture = images.normalised(io.BytesIO(packed[key]()))
            import_pictures.give(row_id=row.pk, product_id=row.product_id or 0, picture=picture)
        except (images.Refused, NotFound) as error:
            failed[key] = str(error)
    count = import_.rows.filter(after__has_key=import_pictures.FIELD).count()
    import_.result["pictures"] = count
    import_.warnings += [f"Picture “{name}”: {why}" for name, why in list(failed.items())[:NAMED]]
    import_.save(update_fields=["result", "warnings"])
    audit.log(actor, import_, f"pictures set: {count:,}, failed: {len(failed):,}")


def addresses(import_: Import) -> Iterator[tuple[str, str]]:
    """SKU and address of each picture that another server has."""
    sheet, dialect = opened(import_)
    for line in dialects.lines(sheet, dialect):
        for name in filter(is_remote, line.pictures):
            yield line.values.get("sku", ""), name


def _packed(import_: Import) -> Found:
    return pictures_in(io.BytesIO(ImportFile.objects.get(pk=import_.pk).content))


def _chosen(import_: Import, packed: Found) -> Iterator[tuple[ImportRow, str]]:
    """Each row that has a picture here which it was not given yet, and which."""
    sheet, dialect = opened(import_)
    named = {}
    for line in dialects.lines(sheet, dialect):
        names = (PurePosixPath(unquote(urlsplit(name).path)).stem.casefold() for name in line.pictures)
        if key := next((name for name in names if name in packed), ""):
            named[line.number] = key
    rows = import_.rows.filter(verdict__in=[Verdict.NEW, Verdict.CHANGED, Verdict.SAME])
    rows = rows.exclude(outcome=ImportRow.Outcome.LEFT).exclude(after__has_key=import_pictures.FIELD)
    for row in rows.only("number", "sku", "product_id").order_by("number"):
        key = named.get(row.number) or row.sku.casefold()
        if key in packed:
            yield row, key


def _named(names: list[str]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:NAMED])
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{len(names):,} {'picture' if len(names) == 1 else 'pictures'} ({shown}{more})"
