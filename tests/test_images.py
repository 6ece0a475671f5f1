"""Normalisation of valid and hostile images."""

import re
import struct
import warnings
import zlib
from contextlib import suppress
from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from shop.images import MAX_IMAGE_BYTES, ImageRefused, normalize_image
from shop.models import Product

RED, BLUE = (250, 0, 0), (0, 0, 250)
NOT_READABLE = "This image can't be read. Choose a JPEG, PNG or WebP file."


def make_picture(kind="JPEG", size=(40, 20), mode="RGB", colour=RED, **options):
    """Return an image file whose right half is blue."""
    picture = Image.new(mode, size, colour)
    if mode == "RGB":
        picture.paste(BLUE, (size[0] // 2, 0, *size))
    target = BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def png_header(width, height):
    """Return a PNG that declares this size and contains no pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + make_picture("PNG")[33:]


def exif(orientation=1):
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    return tags


def broken_exif():
    """Return an image whose EXIF declares its GPS position as text instead of numbers."""
    numbers, text = struct.pack(">HHI", 2, 5, 3), struct.pack(">HHI", 2, 2, 3)
    picture = make_picture(exif=exif(orientation=6))
    assert picture.count(numbers) == 1
    return picture.replace(numbers, text)


def make_animation(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    target = BytesIO()
    frames[0].save(target, kind, save_all=True, append_images=frames[1:])
    return target.getvalue()


def normalize(data):
    picture = normalize_image(BytesIO(data))
    assert re.fullmatch(r"[0-9a-f]{32}\.webp", picture.name)
    opened = Image.open(picture)
    opened.load()
    assert opened.format == "WEBP"
    return opened


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_image_becomes_webp(kind):
    picture = normalize(make_picture(kind))
    assert (picture.size, picture.mode) == ((40, 20), "RGB")
    red, _, blue = picture.getpixel((5, 10))
    assert red > 200
    assert blue < 50


@pytest.mark.parametrize(
    ("kind", "mode", "colour"),
    [("JPEG", "L", 0), ("JPEG", "CMYK", (0, 0, 0, 255)), ("PNG", "P", 0), ("PNG", "1", 0)],
)
def test_other_colour_modes_become_rgb(kind, mode, colour):
    picture = normalize(make_picture(kind, mode=mode, colour=colour))
    assert picture.mode == "RGB"
    assert max(picture.getpixel((5, 5))) < 10


def test_sixteen_bit_grey_is_scaled():
    target = BytesIO()
    Image.frombytes("I;16", (8, 8), struct.pack("<H", 0x8000) * 64).save(target, "PNG")
    assert all(100 < value < 156 for value in normalize(target.getvalue()).getpixel((4, 4)))


@pytest.mark.parametrize(
    ("kind", "mode", "colour"), [("PNG", "RGBA", (250, 0, 0, 0)), ("PNG", "LA", (9, 0))]
)
def test_transparency_is_kept(kind, mode, colour):
    picture = normalize(make_picture(kind, mode=mode, colour=colour))
    assert picture.mode == "RGBA"
    assert picture.getpixel((5, 5))[3] == 0


@pytest.mark.parametrize(
    ("size", "becomes"),
    [
        ((3200, 1600), (1600, 800)),
        ((800, 3200), (400, 1600)),
        ((1600, 1600), (1600, 1600)),
        ((1, 1), (1, 1)),
    ],
)
def test_a_large_image_is_resized(size, becomes):
    assert normalize(make_picture("PNG", size=size)).size == becomes


def test_the_exif_orientation_is_applied():
    picture = normalize(make_picture(exif=exif(orientation=6)))
    assert picture.size == (20, 40)
    red, _, blue = picture.getpixel((10, 35))
    assert blue > 200
    assert red < 50


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_metadata_is_removed(kind):
    words = PngInfo()
    words.add_text("Comment", "GPS 52.52")
    hidden = {"exif": exif().tobytes(), "icc_profile": b"\0" * 128, "xmp": b"<x>GPS 52.52</x>"}
    data = make_picture(kind, pnginfo=words, **hidden)
    assert b"GPS 52.52" in data
    picture = normalize_image(BytesIO(data)).read()
    opened = Image.open(BytesIO(picture))
    assert {"exif", "icc_profile", "xmp"}.isdisjoint(opened.info)
    assert not opened.getexif()
    assert not any(word in picture for word in (b"GPS", b"EXIF", b"ICCP", b"XMP"))


def test_appended_bytes_are_removed():
    assert b"<?php" not in normalize_image(BytesIO(make_picture() + b"<?php evil(); ?>")).read()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        b"<html></html>",
        make_picture("GIF"),
        make_picture("TIFF"),
        make_picture("BMP"),
        make_picture(size=(200, 200))[:700],
        make_picture("PNG")[:60],
        make_picture("WEBP", size=(200, 200))[:60],
        png_header(100_000, 100_000),
        png_header(13_000, 9_000),
        make_animation("WEBP"),
    ],
    ids=lambda data: ascii(data[:12]),
)
def test_invalid_images_are_refused(data):
    with pytest.raises(ImageRefused):
        normalize_image(BytesIO(data))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"x", NOT_READABLE),
        (png_header(4_000, 3_001), "The image has more than 12 megapixels."),
        (png_header(1, 8_001), "The image is more than 8000 pixels wide or high."),
        (make_animation("PNG"), "The image is animated. Choose a still image."),
        (b"\xff" * (MAX_IMAGE_BYTES + 1), "The image is larger than 5 MB."),
    ],
    ids=["unreadable", "pixels", "side", "animated", "bytes"],
)
def test_the_message_names_the_reason(data, message):
    with pytest.raises(ImageRefused) as error:
        normalize_image(BytesIO(data))
    assert str(error.value) == message


def test_invalid_exif_raises_no_other_error():
    """Pillow raises TypeError when it rewrites such EXIF; the image may be accepted or refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(ImageRefused):
            assert normalize(broken_exif()).format == "WEBP"


def test_a_product_refuses_an_invalid_image():
    item = Product(name="Mug", price=1, image=SimpleUploadedFile("a.png", b"<svg/>"))
    with pytest.raises(ValidationError) as error:
        item.clean_fields()
    assert [detail.code for detail in error.value.error_dict["image"]] == ["invalid_image"]


def test_a_product_discards_the_name_of_the_upload():
    item = Product(
        name="Mug", price=1, image=SimpleUploadedFile("../../evil.php.png", make_picture("PNG"))
    )
    item.clean_fields()
    assert re.fullmatch(r"[0-9a-f]{32}\.webp", item.image.name)
    assert Image.open(item.image.file).format == "WEBP"
