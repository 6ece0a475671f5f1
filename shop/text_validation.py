"""Validation and normalisation of text, the same for every database.

PostgreSQL and SQLite reject different characters; these rules reject them all.
"""

import unicodedata
from collections.abc import Callable
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from shop.db.text_folding import INVISIBLE_RANGES

# Bidirectional controls can make one name look like another.
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

#: What a reader does not see. Inside a text it is kept: Persian needs the joiners, emoji the
#: joiners and variation selectors.
INVISIBLE = frozenset(
    chr(code) for first, last in INVISIBLE_RANGES for code in range(first, last + 1)
)
#: What is trimmed: white space, and what has no meaning at the end of a text.
TRIMMED = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u00ad\u200b\u2060\ufeff"


def cleaner_of(field: Any) -> Callable[[str], str]:
    """Return the function that cleans the texts of a model's field; it raises ValueError.

    A field with a `normalize_text` has further rules, such as a barcode's.
    """
    clean = clean_text if isinstance(field, models.TextField) else clean_line
    normalize = getattr(field, "normalize_text", None)
    return (lambda value: normalize(clean(value))) if normalize else clean


def clean_line(value: str) -> str:
    """Trim one line of text and normalise it to NFC. Without a visible character it is empty.

    Raises ValueError for control characters.
    """
    return _normalize_text(value, allowed="")


def clean_text(value: str) -> str:
    """Do the same for several lines; line ends become line feeds, and tabs are allowed."""
    return _normalize_text(value.replace("\r\n", "\n").replace("\r", "\n"), allowed="\n\t")


def _normalize_text(value: str, *, allowed: str) -> str:
    if value.isascii() and value.isprintable():
        return value.strip()
    checked = value
    for character in allowed:
        checked = checked.replace(character, "")

    # Printable text holds no forbidden character, so most text skips the loop.
    for character in "" if checked.isprintable() else checked:
        if unicodedata.category(character) in {"Cc", "Cs"} or character in BIDI_CONTROLS:
            raise ValueError(
                _("Remove the character %(code)s: it isn't allowed.")
                % {"code": f"U+{ord(character):04X}"}
            )
    return trim_text(unicodedata.normalize("NFC", value))


def trim_text(value: str) -> str:
    """Trim white space and its invisible kin; a text without a visible character is empty."""
    text = value.strip(TRIMMED)
    return text if is_visible(text) else ""


def is_visible(value: str) -> bool:
    """Return whether a reader would see anything of the text."""
    return not all(character.isspace() or character in INVISIBLE for character in value)
