"""What a file is, by its first bytes: its name is only what somebody called it."""

import re
from collections.abc import Callable

TEXT, PACKED = "text", "packed"

_SAVE_AS = "Save the table as CSV or XLSX"
_PICTURE = f"This is a picture, not a table. {_SAVE_AS}; pictures go into a ZIP of their own."
_PACKED_OTHERWISE = "This is a packed file of a kind that cannot be opened here. Pack the table as ZIP, or send it as it is."
_OLD_OFFICE = "This is a file of an old Office program (.xls). Open it and save it as XLSX."

#: How a file begins → why it is refused.
_REFUSED: dict[bytes, str] = {
    b"%PDF": f"This is a PDF, which holds no table that can be read. {_SAVE_AS} in the program that made it.",
    b"\x89PNG": _PICTURE,
    b"\xff\xd8\xff": _PICTURE,
    b"GIF8": _PICTURE,
    b"II*\x00": _PICTURE,
    b"MM\x00*": _PICTURE,
    b"RIFF": _PICTURE,
    b"Rar!": _PACKED_OTHERWISE,
    b"7z\xbc\xaf\x27\x1c": _PACKED_OTHERWISE,
    b"\x1f\x8b": _PACKED_OTHERWISE,
    b"BZh": _PACKED_OTHERWISE,
    b"\xfd7zXZ\x00": _PACKED_OTHERWISE,
    b"\x28\xb5\x2f\xfd": _PACKED_OTHERWISE,
    b"SQLite format 3\x00": f"This is a database, not a table. {_SAVE_AS} from the program that uses it.",
    b"{\\rtf": f"This is a text document (RTF), not a table. {_SAVE_AS}.",
    b"PAR1": f"This is a Parquet file. {_SAVE_AS} in the program that made it.",
    b"\x7fELF": f"This is a program, not a table. {_SAVE_AS}.",
    b"MZ\x90": f"This is a program, not a table. {_SAVE_AS}.",
}
#: The same for files of text, whatever blanks come first.
_REFUSED_TEXT: dict[re.Pattern[bytes], str] = {
    re.compile(rb"<!doctype html|<html|<table|<head|<body", re.IGNORECASE): (
        f"This is a web page (HTML), even if its name says otherwise. Open it in a spreadsheet. {_SAVE_AS}."
    ),
    re.compile(rb"<\?xml|<[a-z]+ xmlns", re.IGNORECASE): (
        f"This is an XML file, not a table. {_SAVE_AS} in the program that made it."
    ),
    re.compile(rb"\[\s*[\[{]|\{\s*[\"}]"): (
        f"This is a JSON file, not a table. {_SAVE_AS} in the program that made it."
    ),
}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: The stream's name in the listing of a workbook that has a password.
_HAS_PASSWORD = "EncryptedPackage".encode("utf-16-le")


def detect_file_type(head: bytes, whole: Callable[[], bytes]) -> tuple[str, str]:
    """TEXT or PACKED, and why the file is refused, if it is.

    The whole is read only of an old Office file, to see whether it is a new one behind a password.
    """
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return PACKED, ""
    if head.startswith(_OLE):
        locked = _HAS_PASSWORD in whole()
        return (
            PACKED,
            "This workbook has a password. Save it without one." if locked else _OLD_OFFICE,
        )
    for start, why in _REFUSED.items():
        if head.startswith(start):
            return TEXT, why
    text = head.removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b"").lstrip()
    for pattern, why in _REFUSED_TEXT.items():
        if pattern.match(text):
            return TEXT, why
    return TEXT, ""
