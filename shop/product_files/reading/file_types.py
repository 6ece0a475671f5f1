"""Detection of the file type by its first bytes. The file's name is not trusted."""

import re
from collections.abc import Callable

from django.utils.translation import gettext_lazy as _

from shop.services.errors import FileRefused

TEXT, ZIP = "text", "zip"

_IS_ENCRYPTED = _("This workbook is protected by a password. Save it without a password.")
_IS_OLD_OFFICE = _("This is an old Office file, such as XLS. Open it and save it as XLSX.")

#: First bytes → why the file is refused.
_REFUSED_SIGNATURES = {
    (b"%PDF",): _("This is a PDF. Save the table as CSV or XLSX in the program that created it."),
    (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"RIFF"): _(
        "This is a picture, not a table. Upload the table as CSV or XLSX, and pictures as a ZIP."
    ),
    (b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"): _(
        "This kind of archive can't be opened here. Pack the table as ZIP, or upload it unpacked."
    ),
    (b"SQLite format 3\x00",): _("This is a database. Export its table as CSV or XLSX."),
    (b"{\\rtf",): _("This is a text document (RTF). Save its table as CSV or XLSX."),
    (b"PAR1",): _("This is a Parquet file. Export its table as CSV or XLSX."),
    (b"\x7fELF", b"MZ\x90"): _("This is a program, not a table. Upload a CSV or XLSX file."),
}
#: Start of a text file, after white space → why the file is refused.
_REFUSED_TEXTS = {
    re.compile(rb"<!doctype html|<html|<table|<head|<body", re.IGNORECASE): _(
        "This is a web page (HTML), even if its name says otherwise."
        " Open it in your spreadsheet program and save it as CSV or XLSX."
    ),
    re.compile(rb"<\?xml|<[a-z]+ xmlns", re.IGNORECASE): _(
        "This is an XML file, not a table. Export the table as CSV or XLSX."
    ),
    re.compile(rb"\[\s*[\[{]|\{\s*[\"}]"): _(
        "This is a JSON file, not a table. Export the table as CSV or XLSX."
    ),
}
_OLE_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: The name of the stream that holds the content of an encrypted XLSX.
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")


def detect_file_type(head: bytes, read_all: Callable[[], bytes]) -> str:
    """Return TEXT or ZIP. Raises FileRefused for file types that can't be imported.

    `read_all` is called for OLE files only, to tell an encrypted XLSX from an old Office file.
    """
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return ZIP
    if head.startswith(_OLE_SIGNATURE):
        raise FileRefused(str(_IS_ENCRYPTED if _ENCRYPTED_STREAM in read_all() else _IS_OLD_OFFICE))
    for signatures, message in _REFUSED_SIGNATURES.items():
        if head.startswith(signatures):
            raise FileRefused(str(message))
    text = head.removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b"").lstrip()
    for pattern, message in _REFUSED_TEXTS.items():
        if pattern.match(text):
            raise FileRefused(str(message))
    return TEXT
