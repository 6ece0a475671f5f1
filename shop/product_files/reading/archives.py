"""ZIP archives: checks against limits, and access to the table and the pictures inside."""

import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import IO

from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from shop.images import MAX_IMAGE_BYTES as MAX_PICTURE_BYTES
from shop.product_files.reading import limits
from shop.product_files.reading.limits import quote_text
from shop.services.errors import FileRefused

PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic"}
)
TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".tab", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"})
#: The member that every XLSX file has.
XLSX_MEMBER = "xl/workbook.xml"
#: A member of another program's file → why the file is refused.
OTHER_PROGRAMS = {
    "content.xml": _("This is an OpenDocument file (ODS). Open it and save it as XLSX."),
    "xl/workbook.bin": _("This is a binary workbook (XLSB). Open it and save it as XLSX."),
    "word/document.xml": _("This is a text document (DOCX). Save its table as CSV or XLSX."),
    "Index/Document.iwa": _("This is a Numbers file. Export it as CSV or Excel (XLSX)."),
}
DAMAGED = _("The file is damaged or incomplete. Save it again and upload the new copy.")
ZIP_BOMB = format_lazy(
    _(
        "The file unpacks to more than {megabytes} MB or more than {ratio} times its size."
        " Split the table, or upload it as CSV without packing it."
    ),
    megabytes=limits.MAX_UNPACKED_BYTES // 1024 // 1024,
    ratio=limits.MAX_UNPACK_RATIO,
)
NESTED_ZIP = _("The ZIP contains another ZIP. Unpack the inner one and upload that.")
#: Everything that `zipfile` raises for a damaged or hostile archive.
ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    struct.error,
    NotImplementedError,
)


def open_archive(file: IO[bytes]) -> zipfile.ZipFile:
    """Open a ZIP after unpacking each member once to check limits and checksums.

    Raises FileRefused for an archive that is damaged, encrypted or too large.
    """
    _check_directory_size(file)
    try:
        archive = zipfile.ZipFile(file)
        _check_members(archive, file.seek(0, 2))
    except ARCHIVE_ERRORS as error:
        raise FileRefused(str(DAMAGED)) from error
    return archive


def _check_directory_size(file: IO[bytes]) -> None:
    """Refuse a large central directory before `zipfile` reads it into memory."""
    file.seek(max(0, file.seek(0, 2) - 65_600))
    tail = file.read()
    start = tail.rfind(b"PK\x05\x06")
    if start < 0 or len(tail) < start + 22:
        raise FileRefused(str(DAMAGED))
    if struct.unpack_from("<I", tail, start + 12)[0] > limits.MAX_ZIP_DIRECTORY_BYTES:
        raise FileRefused(
            gettext("The ZIP contains too many files. Pack only the table and its pictures.")
        )


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    """Unpack each member and discard it, because the sizes that a ZIP declares can be false."""
    if any(member.flag_bits & 1 for member in archive.infolist()):
        raise FileRefused(
            gettext("The ZIP is protected by a password. Pack it without a password.")
        )
    max_unpacked = min(limits.MAX_UNPACKED_BYTES, limits.MAX_UNPACK_RATIO * size)
    unpacked = 0
    for member in archive.infolist():
        with archive.open(member) as stream:
            while chunk := stream.read(1 << 18):
                unpacked += len(chunk)
                if unpacked > max_unpacked:
                    raise FileRefused(str(ZIP_BOMB))


def is_xlsx(archive: zipfile.ZipFile) -> bool:
    """Return whether the archive is an XLSX file. Raises FileRefused for other programs' files."""
    names = set(archive.namelist())
    for name, message in OTHER_PROGRAMS.items():
        if name in names:
            raise FileRefused(str(message))
    return XLSX_MEMBER in names


def find_table(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the only table in a ZIP. Raises FileRefused if there is none or more than one."""
    members = [member for member in archive.infolist() if not _is_hidden(member)]
    tables = [member for member in members if _member_suffix(member) in TABLE_SUFFIXES]
    # A text file may be a readme, so it counts only if there is no other table.
    tables = tables or [member for member in members if _member_suffix(member) == ".txt"]
    if len(tables) > 1:
        names = ", ".join(quote_text(_member_path(member).name) for member in tables[:5])
        message = gettext("The ZIP contains more than one table (%(names)s). Keep only one.")
        raise FileRefused(message % {"names": names})
    if not tables and any(_member_suffix(member) == ".zip" for member in members):
        raise FileRefused(str(NESTED_ZIP))
    if not tables:
        raise FileRefused(gettext("The ZIP contains no table. Add one CSV or XLSX file."))
    if tables[0].file_size > limits.MAX_BYTES:
        raise FileRefused(str(limits.TOO_LARGE))
    return tables[0]


def find_pictures(file: IO[bytes]) -> Mapping[str, Callable[[], bytes]]:
    """Return a ZIP's pictures: lower-case name without folder and suffix → function that reads it.

    The first of several pictures with the same name wins. Any other file, XLSX included, has none.
    A function reads at most one byte more than `shop.images` accepts, which then refuses it.
    """
    file.seek(0)
    if not file.read(4).startswith(b"PK"):
        return {}
    archive = open_archive(file)
    if XLSX_MEMBER in archive.namelist():
        return {}
    pictures: dict[str, Callable[[], bytes]] = {}
    for member in archive.infolist():
        if not _is_hidden(member) and _member_suffix(member) in PICTURE_SUFFIXES:
            name = _member_path(member).stem.casefold()
            pictures.setdefault(name, partial(_read_picture, archive, member))
    return pictures


def _read_picture(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as stream:
        return stream.read(MAX_PICTURE_BYTES + 1)


def _is_hidden(member: zipfile.ZipInfo) -> bool:
    """Return whether the member is a folder, or a file that an operating system added."""
    parts = _member_path(member).parts
    return member.is_dir() or any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _member_suffix(member: zipfile.ZipInfo) -> str:
    return _member_path(member).suffix.casefold()


def _member_path(member: zipfile.ZipInfo) -> PurePosixPath:
    return PurePosixPath(member.filename.replace("\\", "/"))
