"""How a file of text is written: found from its bytes, or given by a person who knows better."""

import codecs
from collections.abc import Callable
from typing import IO

from shop.product_files.reading.limits import quote_text
from shop.services.errors import FileRefused

UTF_8, UTF_16, WINDOWS = "UTF-8", "UTF-16", "Windows-1252"
CHUNK = 1 << 20
HEAD = 1 << 16
#: So many control characters in a hundred are no text any more.
BINARY_PER_CENT = {UTF_8: 30, WINDOWS: 5}
_TEXT_CONTROLS = b"\t\n\r\x0b\x0c\x1b"
_CONTROLS = bytes(c for c in range(32) if c not in _TEXT_CONTROLS)
BINARY = "This is no table: it holds bytes that are not text. Save the table as CSV or XLSX and send that."

type Opener = Callable[[], IO[bytes]]


def detect_encoding(start: Opener) -> tuple[str, str]:
    """The encoding as a person calls it, and Python's codec; raises FileRefused for what is no text."""
    with start() as stream:
        head = stream.read(HEAD)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise FileRefused("The file is written in UTF-32. Save it as “CSV UTF-8”.")
    if codec := _utf_16(head):
        _check(start, UTF_16, codec)
        return UTF_16, codec
    broken_at, was_utf_8 = _first_broken(start, "utf-8-sig")
    if not broken_at:
        _refuse_binary(head, UTF_8)
        return UTF_8, "utf-8-sig"
    _refuse_binary(head, WINDOWS)
    if was_utf_8 or head.startswith(codecs.BOM_UTF8):
        raise FileRefused(
            f"The file is written in UTF-8, but line {broken_at} is not. "
            "Save it anew as “CSV UTF-8”, or choose its encoding."
        )
    _check(start, WINDOWS, "cp1252")
    return WINDOWS, "cp1252"


def check_encoding(start: Opener, encoding: str) -> tuple[str, str]:
    """The same for an encoding that a person has chosen; raises FileRefused when the file is not in it."""
    label = {one.casefold(): one for one in (UTF_8, UTF_16, WINDOWS)}.get(encoding.casefold(), "")
    if not label:
        raise FileRefused(
            f"{quote_text(encoding)} is no encoding that can be read. Choose {UTF_8}, {UTF_16} or {WINDOWS}."
        )
    with start() as stream:
        head = stream.read(HEAD)
    codec = {UTF_8: "utf-8-sig", UTF_16: _utf_16(head) or "utf-16-le", WINDOWS: "cp1252"}[label]
    _check(start, label, codec)
    return label, codec


def _utf_16(head: bytes) -> str:
    """The codec of UTF-16 text, by its mark or because every other byte of plain letters is zero."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = head[: 1 << 12 : 2], head[1 : 1 << 12 : 2]
    for codec, zero, letters in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        # Of letters outside of Latin only signs and line ends show it, so a fifth is enough.
        if (
            len(zero) > 1
            and zero.count(0) * 5 > len(zero)
            and letters.count(0) * 20 <= len(letters)
        ):
            return codec
    return ""


def _refuse_binary(head: bytes, label: str) -> None:
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls * 100 > len(head) * BINARY_PER_CENT[label]:
        raise FileRefused(BINARY)


def _check(start: Opener, label: str, codec: str) -> None:
    broken_at, _ = _first_broken(start, codec)
    if broken_at:
        raise FileRefused(
            f"Line {broken_at} is not written in {label}. "
            "Choose another encoding, or save the file as “CSV UTF-8”."
        )


def _first_broken(start: Opener, codec: str) -> tuple[int, bool]:
    """The first line that is not in the encoding, 0 if all are; and whether more than ASCII came before."""
    decoder = codecs.getincrementaldecoder(codec)()
    line, accents = 1, False
    with start() as stream:
        while True:
            chunk = stream.read(CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(codec, "replace")
                return line + before.count("\n"), accents or not before.isascii()
            if not chunk:
                return 0, accents
            line += text.count("\n")
            accents = accents or not text.isascii()
