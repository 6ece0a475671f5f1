"""Pictures: whatever was uploaded becomes a large and a small WebP without metadata, or is refused."""

import hashlib
import threading
import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from PIL import Image, ImageOps

MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 12_000_000
MAX_SIDE = 8_000
SHOWN_SIDE, SMALL_SIDE = 1_600, 400
FORMATS = ("JPEG", "PNG", "WEBP")

# A picture of 12 megapixels takes some 120 MB to decode: one at a time in a process.
_one_at_a_time = threading.Lock()


class ImageRefused(ValueError):
    """Why a picture is not taken, in words."""


class Picture(ContentFile):  # type: ignore[type-arg]
    """A picture that has been through `normalised`; `small` is the same for lists."""

    def __init__(self, content: bytes, *, name: str, small: bytes) -> None:
        super().__init__(content, name=name)
        self.content, self.small = content, small


def small_name(name: str) -> str:
    """Where the small one of a stored picture is: beside it, under its name with `.small`."""
    return f"{name.removesuffix('.webp')}.small.webp"


def store_picture(storage: Storage, name: str, picture: Picture) -> None:
    """Keep it large and small, each as a whole or not at all.

    What is there already under its name is the same, and is as young as new afterwards.
    """
    for each, content in ((small_name(name), picture.small), (name, picture.content)):
        part = storage.save(f"{each}.part", ContentFile(content))
        Path(storage.path(part)).replace(storage.path(each))


def stored_files(storage: Storage, folder: str = "") -> Iterator[str]:
    """The name of every file in a storage, in order."""
    if not storage.exists(folder):
        return
    folders, files = storage.listdir(folder)
    yield from (f"{folder}{name}" for name in sorted(files))
    for name in sorted(folders):
        yield from stored_files(storage, f"{folder}{name}/")


def normalize_image(upload: IO[bytes]) -> Picture:
    """The picture as WebP, at most 1600 pixels wide and high, the small one 400; upright, named by content.

    Raises Refused, in words, for what is too large, no JPEG, PNG or WebP, or cannot be read. What is
    stored is drawn anew from the pixels, so nothing hidden in the file survives.
    """
    upload.seek(0)
    data = upload.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ImageRefused(f"The picture is larger than {MAX_BYTES // 1024 // 1024} MB.")
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            large, small = _drawn(data)
        except ImageRefused:
            raise
        except (
            Exception
        ) as error:  # a hostile file makes a decoder raise anything, struct.error among it
            raise ImageRefused(
                "This is not a JPEG, PNG or WebP picture that can be read."
            ) from error
    return Picture(
        large, name=f"{hashlib.sha256(large + small).hexdigest()[:32]}.webp", small=small
    )


def _drawn(data: bytes) -> list[bytes]:
    """Large and small."""
    with Image.open(BytesIO(data), formats=FORMATS) as opened:
        width, height = opened.size
        if max(width, height) > MAX_SIDE:
            raise ImageRefused(f"The picture is more than {MAX_SIDE} pixels wide or high.")
        if width * height > MAX_PIXELS:
            raise ImageRefused(f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels.")
        if getattr(opened, "n_frames", 1) > 1:
            raise ImageRefused("The picture moves; only a still one can be shown.")
        opened.draft("RGB", (SHOWN_SIDE, SHOWN_SIDE))
        picture: Image.Image = opened
        if opened.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut off at white
            picture = opened.point(lambda value: value / 256).convert("L")
        picture.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
        upright = ImageOps.exif_transpose(picture)
        colours = "RGBA" if upright.has_transparency_data else "RGB"
        drawn, done = upright.convert(colours), []
        for side in (SHOWN_SIDE, SMALL_SIDE):
            drawn.thumbnail((side, side))
            target = BytesIO()
            drawn.save(target, "WEBP", quality=85, exif=b"", icc_profile=b"")
            done.append(target.getvalue())
        return done
