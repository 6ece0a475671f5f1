"""Validation and normalisation of text, the same for every database.

PostgreSQL and SQLite reject different characters; these rules reject them all.
"""

import unicodedata

from django.utils.translation import gettext as _

# Bidirectional controls can make one name look like another.
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_line(value: str) -> str:
    """Trim one line of text and normalise it to NFC. Raises ValueError for control characters."""
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
    return unicodedata.normalize("NFC", value).strip()
