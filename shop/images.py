"""Uploaded images: each is re-encoded as a large and a small WebP without metadata, or refused."""

import errno
import hashlib
import secrets
import threading
import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

MAX_IMAGE_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 12_000_000
MAX_SIDE = 8_000
LARGE_SIDE, SMALL_SIDE = 1_600, 400
FORMATS = ("JPEG", "PNG", "WEBP")

#: The numbers of the errors of a disk that is full, over its quota or read-only.
STORAGE_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})

# Decoding 12 megapixels takes about 120 MB, so a process decodes one image at a time.
_decode_lock = threading.Lock()


class ImageRefused(ValueError):
    """The upload can't be used as an image. The message says why, for the person who sent it."""


class StorageFull(OSError):
    """The disk takes no more files. `strerror` says so, for the person who sent one."""


class Picture(ContentFile):  # type: ignore[type-arg]
    """An image from `normalize_image`, ready to store. `small` is the version for lists."""

    def __init__(self, content: bytes, *, name: str, small: bytes) -> None:
        super().__init__(content, name=name)
        self.content, self.small = content, small


def small_name(name: str) -> str:
    """Return the storage name of an image's small version: `a.webp` becomes `a.small.webp`."""
    return f"{name.removesuffix('.webp')}.small.webp"


def store_picture(storage: Storage, name: str, picture: Picture) -> None:
    """Write both versions, or neither. Raises StorageFull.

    Names are content hashes, so an existing file has the same content. It is rewritten to renew
    its modification time, which protects it from the purge.
    """
    versions = {small_name(name): picture.small, name: picture.content}
    paths = [Path(storage.path(version)) for version in versions]
    parts = [path.with_name(f"{path.name}_{secrets.token_hex(4)}.part") for path in paths]
    try:
        for part, content in zip(parts, versions.values(), strict=True):
            part.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(content)
            part.chmod(settings.FILE_UPLOAD_PERMISSIONS or part.stat().st_mode)
        for part, path in zip(parts, paths, strict=True):
            part.replace(path)
    except OSError as error:
        if error.errno not in STORAGE_FULL:
            raise
        message = _("The picture can't be stored now: the disk is full. Try again later.")
        raise StorageFull(error.errno, message) from error
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def stored_files(storage: Storage, folder: str = "") -> Iterator[str]:
    """Yield the name of every file in a storage, sorted within each folder."""
    if not storage.exists(folder):
        return
    folders, files = storage.listdir(folder)
    yield from (f"{folder}{name}" for name in sorted(files))
    for name in sorted(folders):
        yield from stored_files(storage, f"{folder}{name}/")


def normalize_image(upload: IO[bytes]) -> Picture:
    """Re-encode an upload as upright WebP: at most 1600 pixels a side, and a copy of at most 400.

    The name is a hash of the content. Only the pixels are kept, so nothing hidden in the file
    survives. Raises ImageRefused if the file is too large, unreadable or not a still JPEG, PNG or
    WebP.
    """
    upload.seek(0)
    data = upload.read(MAX_IMAGE_BYTES + 1)
    if len(data) > MAX_IMAGE_BYTES:
        raise ImageRefused(
            _("The image is larger than %(limit)d MB.") % {"limit": MAX_IMAGE_BYTES // 1024 // 1024}
        )

    with _decode_lock, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            large, small = _encode_sizes(data)
        except ImageRefused:
            raise
        except Exception as error:  # decoders raise anything on hostile files, even struct.error
            raise ImageRefused(
                _("This image can't be read. Choose a JPEG, PNG or WebP file.")
            ) from error

    digest = hashlib.sha256(large + small).hexdigest()[:32]
    return Picture(large, name=f"{digest}.webp", small=small)


def _encode_sizes(data: bytes) -> list[bytes]:
    """Return the WebP bytes of the large and the small version."""
    with Image.open(BytesIO(data), formats=FORMATS) as opened:
        _check_limits(opened)
        opened.draft("RGB", (LARGE_SIDE, LARGE_SIDE))
        image: Image.Image = opened
        if opened.mode.startswith("I"):  # Pillow would clip 16-bit grey to white
            image = opened.point(lambda value: value / 256).convert("L")

        image.thumbnail((LARGE_SIDE, LARGE_SIDE))
        upright = ImageOps.exif_transpose(image)
        resized = upright.convert("RGBA" if upright.has_transparency_data else "RGB")

        versions = []
        for side in (LARGE_SIDE, SMALL_SIDE):
            resized.thumbnail((side, side))
            target = BytesIO()
            resized.save(target, "WEBP", quality=85, exif=b"", icc_profile=b"")
            versions.append(target.getvalue())
        return versions


def _check_limits(image: Image.Image) -> None:
    """Raise ImageRefused, before decoding, if the image is too large or animated."""
    width, height = image.size
    if max(width, height) > MAX_SIDE:
        raise ImageRefused(
            _("The image is more than %(limit)d pixels wide or high.") % {"limit": MAX_SIDE}
        )
    if width * height > MAX_PIXELS:
        raise ImageRefused(
            _("The image has more than %(limit)d megapixels.") % {"limit": MAX_PIXELS // 1_000_000}
        )
    if getattr(image, "n_frames", 1) > 1:
        raise ImageRefused(_("The image is animated. Choose a still image."))
