"""Limits of an uploaded product file, and quoting of its content in error messages."""

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

MAX_ROWS = 200_000
MAX_BYTES = 50 * 1024 * 1024
MAX_COLUMNS = 200
MAX_CELL_LENGTH = 100_000
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
#: Size of a ZIP's unpacked content as a multiple of the size of the ZIP.
MAX_UNPACK_RATIO = 100
#: The central directory of 50 MB could list a million members, each of which costs memory.
MAX_ZIP_DIRECTORY_BYTES = 4 * 1024 * 1024

TOO_LARGE = format_lazy(
    _("The file is larger than {limit} MB. Split it into several files."),
    limit=MAX_BYTES // 1024 // 1024,
)


def quote_text(text: str, length: int = 40) -> str:
    """Return a piece of a file in quotation marks, on one line and cut to `length` characters."""
    printable = "".join(c if c.isprintable() else " " for c in text[: 10 * length])
    line = " ".join(printable.split())
    return f"“{line if len(line) <= length else line[: length - 1] + '…'}”"
