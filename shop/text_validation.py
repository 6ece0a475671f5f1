"""What counts as text: the one rule for every door, since PostgreSQL and SQLite refuse different things."""

import unicodedata

# Characters that turn the reading direction around can make one name look like another.
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_line(value: str) -> str:
    """One line of text, trimmed and in Unicode's composed form (NFC); ValueError for control characters."""
    return _clean(value, allowed="")


def clean_text(value: str) -> str:
    """The same over several lines, which end in a line feed."""
    return _clean(value.replace("\r\n", "\n").replace("\r", "\n"), allowed="\n\t")


def pluralize(count: int, one: str, many: str) -> str:
    """So many of something: `1 row is`, `2,000 rows are`."""
    return f"{count:,} {one if count == 1 else many}"


def _clean(value: str, *, allowed: str) -> str:
    if value.isascii() and value.isprintable():
        return value.strip()
    plain = value
    for character in allowed:
        plain = plain.replace(character, "")
    # What Python calls printable holds nothing of the kind, so most text passes without a look at each.
    for character in "" if plain.isprintable() else plain:
        kind = unicodedata.category(character)
        if kind in {"Cc", "Cs"} or character in BIDI_CONTROLS:
            raise ValueError(f"This holds a character that cannot be used: U+{ord(character):04X}.")
    return unicodedata.normalize("NFC", value).strip()
