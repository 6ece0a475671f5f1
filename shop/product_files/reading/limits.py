"""How much of a product file is taken, and how the refusals quote it."""

MAX_ROWS = 200_000
MAX_BYTES = 50 * 1024 * 1024
MAX_UNPACKED = 200 * 1024 * 1024
MAX_RATIO = 100
MAX_COLUMNS = 200
MAX_CELL = 100_000
#: A file of 50 MB could list a million members, and each costs memory before anything is read.
MAX_LISTING = 4 * 1024 * 1024

TOO_LARGE = f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Split it into several files."


def quote_text(text: str, length: int = 40) -> str:
    """A piece of the file in a sentence: one line, not too long, in quotation marks."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text[: 10 * length]).split())
    return f"“{plain if len(plain) <= length else plain[: length - 1] + '…'}”"
