"""ZIP files: what is in them, unpacked no further than the bounds, and the one table among the pictures."""

import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import IO

from shop.images import MAX_BYTES as MAX_PICTURE
from shop.product_files.reading import limits
from shop.product_files.reading.limits import quote_text
from shop.services.errors import FileRefused

PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic"}
TABLES = {".csv", ".tsv", ".tab", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"}
WORKBOOK = "xl/workbook.xml"
#: A member of other programs' packed files → what to do with such a file.
OTHERS: dict[str, str] = {
    "content.xml": "This is an OpenDocument file (ODS). Open it and save it as XLSX.",
    "xl/workbook.bin": "This is a binary workbook (.xlsb). Open it and save it as XLSX.",
    "word/document.xml": "This is a text document (DOCX). Copy its table into a spreadsheet, as XLSX.",
    "Index/Document.iwa": "This is a Numbers file. Export it as CSV or Excel (XLSX).",
}
DAMAGED = "The file is damaged, or was not sent to its end. Save or pack it anew and send it again."
BOMB = (
    f"The file unpacks to more than {limits.MAX_UNPACKED // 1024 // 1024} MB or {limits.MAX_RATIO} times its "
    "size. Split the table, or send it as CSV that is not packed."
)
#: All that a damaged or hostile ZIP makes the library raise.
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    struct.error,
    NotImplementedError,
)


def open_archive(file: IO[bytes]) -> zipfile.ZipFile:
    """The archive, once every member has been unpacked within the bounds and agrees with its checksum."""
    _check_listing(file)
    try:
        archive = zipfile.ZipFile(file)
        _check_members(archive, _size(file))
    except BROKEN as error:
        raise FileRefused(DAMAGED) from error
    return archive


def _size(file: IO[bytes]) -> int:
    return file.seek(0, 2) or file.tell()


def _check_listing(file: IO[bytes]) -> None:
    """Bound the table of contents before the library reads it into memory."""
    file.seek(max(0, _size(file) - 65_600))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise FileRefused(DAMAGED)
    if struct.unpack_from("<I", tail, at + 12)[0] > limits.MAX_LISTING:
        raise FileRefused("The ZIP holds too many files. Pack only the table and its pictures.")


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    """Unpack everything once and throw it away: what the members say of their own size is not believed."""
    if any(one.flag_bits & 1 for one in archive.infolist()):
        raise FileRefused("The ZIP has a password. Pack it without one.")
    unpacked = 0
    for one in archive.infolist():
        with archive.open(one) as member:
            while chunk := member.read(1 << 18):
                unpacked += len(chunk)
                if unpacked > limits.MAX_UNPACKED or unpacked > limits.MAX_RATIO * size:
                    raise FileRefused(BOMB)


def is_workbook(archive: zipfile.ZipFile) -> bool:
    """Whether this is an XLSX file; raises FileRefused for what other programs pack."""
    names = set(archive.namelist())
    for name, why in OTHERS.items():
        if name in names:
            raise FileRefused(why)
    return WORKBOOK in names


def find_table(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The one table in a ZIP; raises FileRefused when there is none, or more than one."""
    shown = [one for one in archive.infolist() if not _is_hidden(one)]
    tables = [one for one in shown if _suffix(one) in TABLES] or [
        one for one in shown if _suffix(one) == ".txt"
    ]
    if len(tables) > 1:
        names = ", ".join(quote_text(_path(one).name) for one in tables[:5])
        raise FileRefused(f"The ZIP holds {len(tables)} tables ({names}). Leave one in it.")
    if not tables and any(_suffix(one) == ".zip" for one in shown):
        raise FileRefused("The ZIP holds another ZIP. Unpack the inner one and send that.")
    if not tables:
        raise FileRefused("The ZIP holds no table. Put one CSV or XLSX file into it.")
    if tables[0].file_size > limits.MAX_BYTES:
        raise FileRefused(limits.TOO_LARGE)
    return tables[0]


def find_pictures(file: IO[bytes]) -> Mapping[str, Callable[[], bytes]]:
    """The pictures of a ZIP: name without folder and ending, in small letters → what reads it.

    Of two with one name the first is taken. A file that is no ZIP, and a workbook, has none. A reader stops
    one byte after the size that a picture may have, which is for `shop.images` to refuse.
    """
    file.seek(0)
    if not file.read(4).startswith(b"PK"):
        return {}
    archive = open_archive(file)
    if WORKBOOK in archive.namelist():
        return {}
    found: dict[str, Callable[[], bytes]] = {}
    for one in archive.infolist():
        if not _is_hidden(one) and _suffix(one) in PICTURES:
            found.setdefault(_path(one).stem.casefold(), partial(_read, archive, one))
    return found


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as stream:
        return stream.read(MAX_PICTURE + 1)


def _is_hidden(member: zipfile.ZipInfo) -> bool:
    """Folders, and what systems put beside the files."""
    parts = _path(member).parts
    return member.is_dir() or any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _suffix(member: zipfile.ZipInfo) -> str:
    return _path(member).suffix.casefold()


def _path(member: zipfile.ZipInfo) -> PurePosixPath:
    return PurePosixPath(member.filename.replace("\\", "/"))
