"""Validation and normalisation of text, the same for every database.

PostgreSQL and SQLite reject different characters; these rules reject them all.
"""

import unicodedata

from django.utils.translation import gettext as _

# Bidirectional controls can make one name look like another.
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

#: First and last code points of the characters that a font draws as nothing: Unicode's property
#: Default_Ignorable_Code_Point, annotation marks, and symbols that are blank by design. Inside a
#: text they are kept: Persian needs the joiners, emoji the joiners and variation selectors.
#: https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt
INVISIBLE_RANGES = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x16FE4, 0x16FE4),
    (0x1BCA0, 0x1BCA3),
    (0x1D159, 0x1D159),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
INVISIBLE = frozenset(
    chr(code) for first, last in INVISIBLE_RANGES for code in range(first, last + 1)
)
#: What is trimmed: white space, and what has no meaning at the end of a text.
TRIMMED = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u00ad\u200b\u2060\ufeff"


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
    text = trim_text(unicodedata.normalize("NFC", value))
    return text if is_visible(text) else ""


def trim_text(value: str) -> str:
    """Remove white space, and what is as invisible, from both ends."""
    return value.strip(TRIMMED)


def is_visible(value: str) -> bool:
    """Return whether a reader would see anything of the text."""
    return not all(character.isspace() or character in INVISIBLE for character in value)
