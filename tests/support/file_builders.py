"""Builders of CSV, XLSX and ZIP files, and shortcuts that read them."""

import io
import zipfile

from openpyxl import Workbook

from shop.product_files.formats.file_formats import detect_format, parse_rows
from shop.product_files.reading.sheets import open_sheet


def csv_file(*lines, codec="utf-8", end="\r\n"):
    return io.BytesIO(end.join(lines).encode(codec))


def xlsx_file(*rows, formats=None, sheets=()):
    """An XLSX file. `formats`: cell → number format. `sheets`: (title, state, rows) in front."""
    workbook = Workbook()
    workbook.remove(workbook.active)
    for title, state, content in (*sheets, ("Products", "visible", rows)):
        sheet = workbook.create_sheet(title)
        sheet.sheet_state = state
        for row in content:
            sheet.append(row)
    for cell, number_format in (formats or {}).items():
        workbook["Products"][cell].number_format = number_format
    file = io.BytesIO()
    workbook.save(file)
    return file


def zip_file(members, method=zipfile.ZIP_DEFLATED):
    """A ZIP of name → content, as bytes, str or BytesIO."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(
                name, content.getvalue() if isinstance(content, io.BytesIO) else content
            )
    return file


def change_member(file, name, change):
    """A copy of the ZIP in which `change(content)` replaces the content of one member."""
    with zipfile.ZipFile(file) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    changed = change(members[name])
    assert changed != members[name]
    return zip_file(members | {name: changed})


def read_sheet(file, name="products.csv", **chosen):
    """The headers and the rows of the file."""
    sheet = open_sheet(file, name, **chosen)
    return sheet.headers, list(sheet.rows)


def parse_csv(*lines, **options):
    """The name of the format that is detected for a CSV file, and its parsed rows."""
    sheet = open_sheet(csv_file(*lines), "products.csv")
    file_format = detect_format(sheet.headers)
    return file_format.name, list(parse_rows(sheet, file_format, **options))


SHEET = "xl/worksheets/sheet1.xml"
TABLE = csv_file("sku,name", "A,a")


def locked_zip():
    """A ZIP whose members are marked as encrypted."""
    data = bytearray(zip_file({"a.csv": TABLE}).getvalue())
    data[6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def truncated_zip():
    return zip_file({"a.csv": TABLE}).getvalue()[:-30]


def zip_with_wrong_checksum():
    file = zip_file({"a.csv": b"sku,name\nA,a"}, zipfile.ZIP_STORED)
    return file.getvalue().replace(b"A,a", b"B,b")


def xlsx_with_entity_bomb():
    """A workbook with a “billion laughs” attack: nested XML entities."""
    entities = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">%s]>' % entities
    file = xlsx_file(["sku", "name"], ["A", "a"])
    return change_member(file, SHEET, lambda xml: bomb + xml.replace(b">A<", b">&a9;<"))
