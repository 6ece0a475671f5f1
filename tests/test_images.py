"""Pictures, good and hostile, through the one door."""

import re
import struct
import warnings
import zlib
from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from shop.images import MAX_BYTES, normalize_image
from shop.models import Product

RED, BLUE = (250, 0, 0), (0, 0, 250)
NOT_READABLE = "This is not a JPEG, PNG or WebP picture that can be read."
TOO_MANY = "The picture has more than 12 megapixels."
MOVES = "The picture moves; only a still one can be shown."


def drawn(kind="JPEG", size=(40, 20), mode="RGB", colour=RED, **options):
    """A picture with a blue half on the right."""
    picture = Image.new(mode, size, colour)
    if mode == "RGB":
        picture.paste(BLUE, (size[0] // 2, 0, *size))
    target = BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def declared(width, height):
    """A PNG that says how large it is and holds nothing."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + drawn("PNG")[33:]


def exif(orientation=1):
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0)})
    return tags


def broken_exif():
    """A GPS position that says it is text where numbers were meant."""
    numbers, text = struct.pack(">HHI", 2, 5, 3), struct.pack(">HHI", 2, 2, 3)
    picture = drawn(exif=exif(orientation=6))
    assert picture.count(numbers) == 1
    return picture.replace(numbers, text)


def moving(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    target = BytesIO()
    frames[0].save(target, kind, save_all=True, append_images=frames[1:])
    return target.getvalue()


def shown(data):
    picture = normalize_image(BytesIO(data))
    assert re.fullmatch(r"[0-9a-f]{32}\.webp", picture.name)
    opened = Image.open(picture)
    opened.load()
    assert opened.format == "WEBP"
    return opened


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_image_becomes_webp(kind):
    picture = shown(drawn(kind))
    assert (picture.size, picture.mode) == ((40, 20), "RGB")
    red, _, blue = picture.getpixel((5, 10))
    assert red > 200
    assert blue < 50


@pytest.mark.parametrize(
    ("kind", "mode", "colour"),
    [("JPEG", "L", 0), ("JPEG", "CMYK", (0, 0, 0, 255)), ("PNG", "P", 0), ("PNG", "1", 0)],
)
def test_other_colour_modes_become_rgb(kind, mode, colour):
    picture = shown(drawn(kind, mode=mode, colour=colour))
    assert picture.mode == "RGB"
    assert max(picture.getpixel((5, 5))) < 10


def test_sixteen_bit_grey_is_scaled():
    target = BytesIO()
    Image.frombytes("I;16", (8, 8), struct.pack("<H", 0x8000) * 64).save(target, "PNG")
    assert all(100 < value < 156 for value in shown(target.getvalue()).getpixel((4, 4)))


@pytest.mark.parametrize(
    ("kind", "mode", "colour"), [("PNG", "RGBA", (250, 0, 0, 0)), ("PNG", "LA", (9, 0))]
)
def test_transparency_is_kept(kind, mode, colour):
    picture = shown(drawn(kind, mode=mode, colour=colour))
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
    assert shown(drawn("PNG", size=size)).size == becomes


def test_the_exif_orientation_is_applied():
    picture = shown(drawn(exif=exif(orientation=6)))
    assert picture.size == (20, 40)
    red, _, blue = picture.getpixel((10, 35))
    assert blue > 200
    assert red < 50


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_metadata_is_removed(kind):
    words = PngInfo()
    words.add_text("Comment", "GPS 52.52")
    hidden = {"exif": exif().tobytes(), "icc_profile": b"\0" * 128, "xmp": b"<x>GPS 52.52</x>"}
    data = drawn(kind, pnginfo=words, **hidden)
    assert b"GPS 52.52" in data
    picture = normalize_image(BytesIO(data)).read()
    opened = Image.open(BytesIO(picture))
    assert {"exif", "icc_profile", "xmp"}.isdisjoint(opened.info)
    assert not opened.getexif()
    assert not any(word in picture for word in (b"GPS", b"EXIF", b"ICCP", b"XMP"))


def test_appended_bytes_are_removed():
    assert b"<?php" not in normalize_image(BytesIO(drawn() + b"<?php evil(); ?>")).read()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", NOT_READABLE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", NOT_READABLE),
        (b"<html></html>", NOT_READABLE),
        (drawn("GIF"), NOT_READABLE),
        (drawn("TIFF"), NOT_READABLE),
        (drawn("BMP"), NOT_READABLE),
        (drawn(size=(200, 200))[:700], NOT_READABLE),
        (drawn("PNG")[:60], NOT_READABLE),
        (drawn("WEBP", size=(200, 200))[:60], NOT_READABLE),
        (declared(100_000, 100_000), NOT_READABLE),
        (declared(13_000, 9_000), NOT_READABLE),
        (declared(4_000, 3_001), TOO_MANY),
        (declared(1, 8_001), "The picture is more than 8000 pixels wide or high."),
        (moving("PNG"), MOVES),
        (moving("WEBP"), MOVES),
        (b"\xff" * (MAX_BYTES + 1), "The picture is larger than 5 MB."),
    ],
    ids=lambda value: ascii(value[:12]) if isinstance(value, bytes) else "",
)
def test_invalid_images_are_refused(data, message):
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        normalize_image(BytesIO(data))
    assert str(refused.value) == message


def test_invalid_exif_raises_no_other_error():
    """Pillow raises a TypeError while it writes such EXIF again; the picture is shown or refused in words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            assert shown(broken_exif()).format == "WEBP"
        except ValueError as error:
            assert str(error) == NOT_READABLE  # noqa: PT017 - either is right


def test_a_product_refuses_an_invalid_image():
    item = Product(name="Mug", price=1, image=SimpleUploadedFile("a.png", b"<svg/>"))
    with pytest.raises(ValidationError) as refused:
        item.clean_fields()
    assert refused.value.message_dict == {"image": [NOT_READABLE]}


def test_a_product_discards_the_name_of_the_upload():
    item = Product(
        name="Mug", price=1, image=SimpleUploadedFile("../../evil.php.png", drawn("PNG"))
    )
    item.clean_fields()
    assert re.fullmatch(r"[0-9a-f]{32}\.webp", item.image.name)
    assert Image.open(item.image.file).format == "WEBP"
