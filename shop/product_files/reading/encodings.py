"""Encoding of a text file: detected from its bytes, or chosen by staff and checked."""

import codecs
from collections.abc import Callable
from typing import IO

from django.utils.translation import gettext as _

from shop.product_files.reading.limits import quote_text
from shop.services.errors import FileRefused

UTF_8, UTF_16, WINDOWS = "UTF-8", "UTF-16", "Windows-1252"
CHUNK_BYTES = 1 << 20
#: The bytes from which file type and encoding are detected.
HEAD_BYTES = 1 << 16
#: A file with a larger percentage of control characters is binary. Damaged UTF-8 is rarer.
MAX_CONTROL_PERCENT = {UTF_8: 30, WINDOWS: 5}
_TEXT_CONTROLS = b"\t\n\r\x0b\x0c\x1b"
_BINARY_CONTROLS = bytes(c for c in range(32) if c not in _TEXT_CONTROLS)

#: Opens the file at its start; can be called several times.
type FileOpener = Callable[[], IO[bytes]]


def detect_encoding(open_file: FileOpener) -> tuple[str, str]:
    """Return the encoding's name and Python's codec. Raises FileRefused if the file is not text."""
    with open_file() as stream:
        head = stream.read(HEAD_BYTES)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise FileRefused(_("The file is encoded as UTF-32. Save it as “CSV UTF-8” instead."))
    if codec := _detect_utf_16(head):
        _check_decodable(open_file, UTF_16, codec)
        return UTF_16, codec
    error_line, was_utf_8 = _find_undecodable_line(open_file, "utf-8-sig")
    if not error_line:
        _refuse_binary(head, UTF_8)
        return UTF_8, "utf-8-sig"
    _refuse_binary(head, WINDOWS)
    if was_utf_8 or head.startswith(codecs.BOM_UTF8):
        message = _(
            "The file is encoded as UTF-8, but line %(line)d isn't."
            " Save it again as “CSV UTF-8”, or choose its encoding."
        )
        raise FileRefused(message % {"line": error_line})
    _check_decodable(open_file, WINDOWS, "cp1252")
    return WINDOWS, "cp1252"


def check_encoding(open_file: FileOpener, encoding: str) -> tuple[str, str]:
    """Return the name and the codec of a chosen encoding. Raises FileRefused if it doesn't fit."""
    names = {name.casefold(): name for name in (UTF_8, UTF_16, WINDOWS)}
    name = names.get(encoding.casefold(), "")
    if not name:
        message = _(
            "%(encoding)s isn't an encoding that can be read here."
            " Choose UTF-8, UTF-16 or Windows-1252."
        )
        raise FileRefused(message % {"encoding": quote_text(encoding)})
    with open_file() as stream:
        head = stream.read(HEAD_BYTES)
    utf_16 = _detect_utf_16(head) or "utf-16-le"
    codec = {UTF_8: "utf-8-sig", UTF_16: utf_16, WINDOWS: "cp1252"}[name]
    _check_decodable(open_file, name, codec)
    return name, codec


def _detect_utf_16(head: bytes) -> str:
    """Return the codec of UTF-16 text, found by its BOM or by zeros in every other byte."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = head[: 1 << 12 : 2], head[1 : 1 << 12 : 2]
    for codec, high, low in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        # In non-Latin text only punctuation and line ends have a zero byte: a fifth is enough.
        if len(high) > 1 and high.count(0) * 5 > len(high) and low.count(0) * 20 <= len(low):
            return codec
    return ""


def _refuse_binary(head: bytes, encoding: str) -> None:
    controls = len(head) - len(head.translate(None, _BINARY_CONTROLS))
    if controls * 100 > len(head) * MAX_CONTROL_PERCENT[encoding]:
        raise FileRefused(
            _(
                "This isn't a table: it contains bytes that aren't text."
                " Save the table as CSV or XLSX and upload that."
            )
        )


def _check_decodable(open_file: FileOpener, encoding: str, codec: str) -> None:
    error_line = _find_undecodable_line(open_file, codec)[0]
    if error_line:
        message = _(
            "Line %(line)d isn't encoded as %(encoding)s."
            " Choose another encoding, or save the file as “CSV UTF-8”."
        )
        raise FileRefused(message % {"line": error_line, "encoding": encoding})


def _find_undecodable_line(open_file: FileOpener, codec: str) -> tuple[int, bool]:
    """Return the first line that can't be decoded (0 if none), and whether non-ASCII precedes."""
    decoder = codecs.getincrementaldecoder(codec)()
    line, has_non_ascii = 1, False
    with open_file() as stream:
        while True:
            chunk = stream.read(CHUNK_BYTES)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                decoded = error.object[: error.start].decode(codec, "replace")
                return line + decoded.count("\n"), has_non_ascii or not decoded.isascii()
            if not chunk:
                return 0, has_non_ascii
            line += text.count("\n")
            has_non_ascii = has_non_ascii or not text.isascii()
