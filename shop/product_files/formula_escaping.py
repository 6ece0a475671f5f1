"""Text that a spreadsheet would run as a formula leaves with an apostrophe, and comes back without."""

#: What a spreadsheet runs or swallows at the start of a cell: also the full-width forms, and the apostrophe
#: itself, so that taking one away is right for every text.
GUARDED = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")


def escape_formula(text: str) -> str:
    """The text as a cell that no spreadsheet runs. Numbers are not text: they go out as they are."""
    return f"'{text}" if text.startswith(GUARDED) else text


def unescape_formula(cell: str) -> str:
    """The text that `guard` was given; a cell that it did not make stays as it is."""
    return cell[1:] if cell.startswith("'") and cell.startswith(GUARDED, 1) else cell
