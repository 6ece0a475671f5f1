"""XLSX export as a stream of chunks, with constant memory.

openpyxl, also in its write-only mode, takes ten times as long and builds the whole file before the
first byte. Only what a table needs of the format is here:
https://ecma-international.org/publications-and-standards/standards/ecma-376/
"""

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from xml.sax.saxutils import escape

from shop.product_files.exports.columns import Cells, CellType, Column
from shop.product_files.exports.csv_writer import CHUNK_SIZE, encode_text

#: Rows that one sheet can hold below its header.
MAX_XLSX_ROWS = 1_048_575
#: Spreadsheets round numbers to 15 digits. A longer number is written as text.
MAX_NUMBER_DIGITS = 15
_XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHEET_NS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE_NS = "http://schemas.openxmlformats.org/package/2006"
_REL_TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEADER_STYLE = len(CellType)
#: The day from which spreadsheets count the days of a date.
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - local
_SECONDS_PER_DAY = 86_400


def _xf(number_format: int, font: int = 0) -> str:
    """Return a cell format. Number format 0 is general, 49 is text, 2 is `0.00`, 164 our own."""
    return (
        f'<xf numFmtId="{number_format}" fontId="{font}" fillId="0" borderId="0" xfId="0"'
        ' applyNumberFormat="1" applyFont="1"/>'
    )


#: A cell format for each CellType in its order, then the header's.
_FORMATS = (_xf(0), _xf(49), _xf(0), _xf(2), _xf(164), _xf(0, font=1))
STYLES = (
    f'<styleSheet xmlns="{_SHEET_NS}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    f'<cellXfs count="{len(_FORMATS)}">{"".join(_FORMATS)}</cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
_FIXED_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE_NS}/content-types"><Default Extension="rels"'
    ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_CONTENT_TYPE}.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml"'
    f' ContentType="{_CONTENT_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_CONTENT_TYPE}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE_NS}/relationships"><Relationship Id="rId1"'
    f' Type="{_REL_TYPE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_SHEET_NS}" xmlns:r="{_REL_TYPE}">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE_NS}/relationships">'
    f'<Relationship Id="rId1" Type="{_REL_TYPE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_REL_TYPE}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": STYLES,
}
_SHEET_START = (
    f'<worksheet xmlns="{_SHEET_NS}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    "</sheetView></sheetViews><sheetData>"
)


class _ChunkBuffer(io.RawIOBase):
    """A write-only file that is emptied while a ZIP archive is written to it."""

    def __init__(self) -> None:
        self._data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._data += data
        return len(data)

    def take(self) -> bytes:
        """Return and remove what was written since the last call."""
        data = bytes(self._data)
        self._data.clear()
        return data


def write_xlsx(columns: Sequence[Column], rows: Iterable[Cells]) -> Iterator[bytes]:
    """Yield a workbook with one sheet and a frozen header. Text is never run as a formula.

    If reading the rows fails, the ZIP directory is not yielded, so no program opens the part file.
    """
    buffer = _ChunkBuffer()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in _FIXED_PARTS.items():
            archive.writestr(zipfile.ZipInfo(name), encode_text(_XML_DECLARATION + content))
        yield buffer.take()

        sheet = zipfile.ZipInfo("xl/worksheets/sheet1.xml")
        sheet.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(sheet, "w") as member:
            for chunk in _sheet_chunks(columns, rows):
                member.write(encode_text(chunk))
                if data := buffer.take():
                    yield data

    # Closing the archive writes its directory, after an error too. Only a success gets here.
    yield buffer.take()


def _sheet_chunks(columns: Sequence[Column], rows: Iterable[Cells]) -> Iterator[str]:
    header = "".join(_text_cell(column.header, _HEADER_STYLE) for column in columns)
    pending, length = [f"{_XML_DECLARATION}{_SHEET_START}<row>{header}</row>"], 0
    types = [(column.cell_type, _CELL_WRITERS[column.cell_type]) for column in columns]

    for cells in rows:
        xml = "".join(
            write_cell(cell, cell_type)
            for cell, (cell_type, write_cell) in zip(cells, types, strict=True)
        )
        pending.append(f"<row>{xml}</row>")
        length += len(xml)
        if length >= CHUNK_SIZE:
            yield "".join(pending)
            pending, length = [], 0
    yield "".join([*pending, "</sheetData></worksheet>"])


def _text_cell(cell: str, style: int) -> str:
    if not cell:
        return "<c/>"
    space = ' xml:space="preserve"' if style == CellType.TEXT else ""
    return f'<c s="{style:d}" t="str"><v{space}>{escape(cell)}</v></c>'


def _number_cell(cell: str, style: int) -> str:
    if not cell:
        return "<c/>"
    if len(cell) > MAX_NUMBER_DIGITS:
        return _text_cell(cell, CellType.LINE)
    return f'<c s="{style:d}"><v>{cell}</v></c>'


def _moment_cell(cell: str, style: int) -> str:
    if not cell:
        return "<c/>"
    days = (datetime.fromisoformat(cell) - _DAY_ZERO).total_seconds() / _SECONDS_PER_DAY
    return f'<c s="{style:d}"><v>{days:.8f}</v></c>'


_CELL_WRITERS = {
    CellType.TEXT: _text_cell,
    CellType.LINE: _text_cell,
    CellType.NUMBER: _number_cell,
    CellType.MONEY: _number_cell,
    CellType.MOMENT: _moment_cell,
}
