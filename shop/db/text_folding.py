"""Text without regard to accents and case: for searching, and for sorting on SQLite.

`shop.db.search_text` has the same rules for PostgreSQL. The databases store folded texts: after a
change of the rules, add a migration that removes the search columns and adds them again.
"""

import unicodedata
from functools import lru_cache

#: The collation of names: in every PostgreSQL that was built with ICU, on SQLite `compare_names`.
#: With quotes, because Django quotes it on PostgreSQL only.
NAME_COLLATION = '"und-x-icu"'
#: Names whose sort keys are kept; a name of 30 characters takes half a kilobyte.
MAX_CACHED_KEYS = 16_384

#: First and last code points of the characters that a font draws as nothing: Unicode's property
#: Default_Ignorable_Code_Point, annotation marks, and symbols that are blank by design.
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
#: The same of accents and vowel points: combining marks that are not letters of their own.
MARK_RANGES = (
    (0x0300, 0x036F),
    (0x0483, 0x0489),
    (0x0591, 0x05BD),
    (0x05BF, 0x05BF),
    (0x05C1, 0x05C2),
    (0x05C4, 0x05C5),
    (0x05C7, 0x05C7),
    (0x0610, 0x061A),
    (0x064B, 0x065F),
    (0x0670, 0x0670),
    (0x06D6, 0x06DC),
    (0x06DF, 0x06E4),
    (0x06E7, 0x06E8),
    (0x06EA, 0x06ED),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE20, 0xFE2F),
)
DROPPED_RANGES = (*INVISIBLE_RANGES, *MARK_RANGES)
#: Lower-case letters and signs that Unicode does not decompose -> what people type instead.
REPLACED_CHARACTERS = dict(zip("ıøłđðħŧŋς", "iolddhtnσ", strict=True))  # noqa: RUF001 - Greek
REPLACED_CHARACTERS |= dict.fromkeys("\u2018\u2019\u02bc\u2032", "'")
REPLACED_CHARACTERS |= dict.fromkeys("\u201c\u201d", '"')
REPLACED_CHARACTERS |= dict.fromkeys("\u2010\u2012\u2013\u2014\u2212", "-")
REPLACED_LETTERS = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}

_FOLDED = str.maketrans(
    REPLACED_CHARACTERS
    | REPLACED_LETTERS
    | {chr(code): "" for first, last in DROPPED_RANGES for code in range(first, last + 1)}
)
#: ASCII in the order of the Unicode Collation Algorithm: signs before digits before letters.
_SIGNS = "\t\n _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"
_RANKS = {ord(sign): chr(rank) for rank, sign in enumerate(_SIGNS, start=1)}
#: Accents after the letters of every script, so that a letter without one sorts first.
_ACCENTS_LAST = {code: chr(0x10F000 + code) for code in range(0x0300, 0x0370)}


def fold_search_text(text: str) -> str:
    """Return the text without accents, case, invisible characters and typographic variants."""
    if text.isascii():
        return text.lower()
    lower = unicodedata.normalize("NFKD", text).lower()
    return unicodedata.normalize("NFC", lower.translate(_FOLDED))


def is_searchable(word: str) -> bool:
    """Return whether anything is left of the word when it is folded: a lone accent matches all."""
    return bool(fold_search_text(word).strip())


@lru_cache(MAX_CACHED_KEYS)
def name_sort_key(name: str) -> str:
    """Return a key that sorts names by letters, then accents, then lower before upper case.

    Approximately the root order of the Unicode Collation Algorithm. Different names have different
    keys: equal names of a collation are the same to the database.
    """
    letters = fold_search_text(name).translate(_RANKS)
    accents = unicodedata.normalize("NFD", name).lower().translate(_ACCENTS_LAST)
    return f"{letters}\0{accents}\0{name.swapcase()}\0{name}"


def compare_names(first: str, second: str) -> int:
    """Return -1, 0 or 1 if the first name sorts before, is, or sorts after the second."""
    if first == second:
        return 0
    return -1 if name_sort_key(first) < name_sort_key(second) else 1
