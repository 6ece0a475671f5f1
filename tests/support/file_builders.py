"""Files as other programs write them."""

import io
import zipfile

from openpyxl import Workbook

from shop.product_files.formats.file_formats import detect_format, parse_rows
from shop.product_files.reading.sheets import open_sheet


def text(*rows, codec="utf-8", end="\r\n"):
    return io.BytesIO(end.join(rows).encode(codec))


def book(*rows, formats=None, sheets=()):
    """A workbook; `sheets` are (title, state, rows) before the one with the rows."""
    made = Workbook()
    made.remove(made.active)
    for title, state, content in (*sheets, ("Products", "visible", rows)):
        sheet = made.create_sheet(title)
        sheet.sheet_state = state
        for row in content:
            sheet.append(row)
    for cell, shown in (formats or {}).items():
        made["Products"][cell].number_format = shown
    file = io.BytesIO()
    made.save(file)
    return file


def zipped(members, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(
                name, content.getvalue() if isinstance(content, io.BytesIO) else content
            )
    return file


def with_member(file, name, change):
    """The archive with one of its members changed."""
    with zipfile.ZipFile(file) as archive:
        members = {one: archive.read(one) for one in archive.namelist()}
    assert change(members[name]) != members[name]
    return zipped(members | {name: change(members[name])})


def read(file, name="products.csv", **chosen):
    """Headers and rows, all at once."""
    sheet = open_sheet(file, name, **chosen)
    return sheet.headers, list(sheet.rows)


def read_lines(*rows, **how):
    """The lines of a CSV file, and the name of its dialect."""
    sheet = open_sheet(text(*rows), "products.csv")
    dialect = detect_format(sheet.headers)
    return dialect.name, list(parse_rows(sheet, dialect, **how))
