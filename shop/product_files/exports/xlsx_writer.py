"""XLSX written as it is read: a ZIP needs no end to begin, so that nothing waits on the disk.

openpyxl would make the whole file before the first byte leaves, and takes ten times as long. Of the format
only what a table needs is here: https://ecma-international.org/publications-and-standards/standards/ecma-376/
"""

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape

from shop.product_files.exports.csv_writer import CHUNK, CellType, Column, Row, encode_text

#: Rows that one sheet can hold beside its headers.
MAX_XLSX_ROWS = 1_048_575
#: A spreadsheet knows fifteen digits; a longer number keeps them all as text.
MOST_DIGITS = 15
_DOCUMENT = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEADER_STYLE = len(CellType)


def _style(number_format: int, font: int = 0) -> str:
    """0 is the general format, 49 text, 2 `0.00`."""
    return (
        f'<xf numFmtId="{number_format}" fontId="{font}" fillId="0" borderId="0" xfId="0"'
        ' applyNumberFormat="1" applyFont="1"/>'
    )


#: One for each Kind in its order, then the headers'.
STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    f'<cellXfs count="5">{_style(0)}{_style(49)}{_style(0)}{_style(2)}{_style(0, font=1)}</cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": STYLES,
}
_SHEET = (
    f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    "<sheetData>"
)


class _Outlet(io.RawIOBase):
    """A file that is only written to, and emptied while that happens."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._held += data
        return len(data)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = bytes(self._held)
        self._held.clear()
        return taken


def write_xlsx(columns: Sequence[Column], lines: Iterable[Row]) -> Iterator[bytes]:
    """One sheet with its headers in sight. Texts stay texts whatever they look like; numbers are numbers."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in _PARTS.items():
            archive.writestr(zipfile.ZipInfo(name), encode_text(_DOCUMENT + content))
        yield outlet.take()
        sheet = zipfile.ZipInfo("xl/worksheets/sheet1.xml")
        sheet.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(sheet, "w") as member:
            for chunk in _chunks(columns, lines):
                member.write(encode_text(chunk))
                if taken := outlet.take():
                    yield taken
    yield outlet.take()


def _chunks(columns: Sequence[Column], lines: Iterable[Row]) -> Iterator[str]:
    held = [
        _DOCUMENT,
        _SHEET,
        "<row>",
        *(_text(c.header, _HEADER_STYLE) for c in columns),
        "</row>",
    ]
    length = 0
    kinds = [(column.kind, column.kind >= CellType.NUMBER) for column in columns]
    for line in lines:
        row = "".join(
            _number(cell, kind) if is_number else _text(cell, kind)
            for cell, (kind, is_number) in zip(line, kinds, strict=True)
        )
        held.append(f"<row>{row}</row>")
        length += len(row)
        if length >= CHUNK:
            yield "".join(held)
            held, length = [], 0
    yield "".join([*held, "</sheetData></worksheet>"])


def _text(cell: str, style: int) -> str:
    if not cell:
        return "<c/>"
    space = ' xml:space="preserve"' if style == CellType.TEXT else ""
    return f'<c s="{style:d}" t="str"><v{space}>{escape(cell)}</v></c>'


def _number(cell: str, style: int) -> str:
    if not cell:
        return "<c/>"
    return (
        f'<c s="{style:d}"><v>{cell}</v></c>'
        if len(cell) <= MOST_DIGITS
        else _text(cell, CellType.LINE)
    )
