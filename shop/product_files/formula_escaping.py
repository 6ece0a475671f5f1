"""Escape text that a spreadsheet would run as a formula (CSV injection) with an apostrophe.

Source: https://owasp.org/www-community/attacks/CSV_Injection
"""

#: Prefixes that a spreadsheet runs or swallows, full-width forms included. The apostrophe is one of
#: them, so that removing one apostrophe restores every escaped text.
FORMULA_PREFIXES = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
    "'",
)


def escape_formula(text: str) -> str:
    """Return the text as a cell that no spreadsheet runs. For text only, not for numbers."""
    return f"'{text}" if text.startswith(FORMULA_PREFIXES) else text


def unescape_formula(cell: str) -> str:
    """Reverse `escape_formula`. Cells that it did not escape stay unchanged."""
    return cell[1:] if cell.startswith("'") and cell.startswith(FORMULA_PREFIXES, 1) else cell
