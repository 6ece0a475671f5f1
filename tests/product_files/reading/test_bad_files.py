"""Files that can't be imported are refused with a message that says what to do."""

import io
import json
import random
import zipfile
from contextlib import suppress

import pytest
from support.file_builders import (
    SHEET,
    TABLE,
    change_member,
    csv_file,
    locked_zip,
    read_sheet,
    truncated_zip,
    xlsx_file,
    xlsx_with_entity_bomb,
    zip_file,
    zip_with_wrong_checksum,
)

from shop.product_files.reading import limits
from shop.product_files.reading.archives import find_pictures
from shop.services.errors import FileRefused

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
DAMAGED = "The file is damaged or incomplete. Save it again and upload the new copy."
ZIP_BOMB = (
    "The file unpacks to more than 200 MB or more than 100 times its size. "
    "Split the table, or upload it as CSV without packing it."
)
LOCKED_ZIP = "The ZIP is protected by a password. Pack it without a password."
NESTED_ZIP = "The ZIP contains another ZIP. Unpack the inner one and upload that."
NO_TABLE = "The ZIP contains no table. Add one CSV or XLSX file."
PICTURE = "This is a picture, not a table. Upload the table as CSV or XLSX, and pictures as a ZIP."
OTHER_ARCHIVE = (
    "This kind of archive can't be opened here. Pack the table as ZIP, or upload it unpacked."
)
BINARY = (
    "This isn't a table: it contains bytes that aren't text. "
    "Save the table as CSV or XLSX and upload that."
)
WRONG_ENCODING = (
    "Line {line} isn't encoded as {encoding}. "
    "Choose another encoding, or save the file as “CSV UTF-8”."
)
EMPTY = "“it.csv” is empty. Upload a file with column names and products."
NO_PRODUCTS = "The file has column names but no products. Put one product in each row below them."
TOO_LARGE = "The file is larger than 50 MB. Split it into several files."
WIDE_HEADER = "Line 1 has more than 200 columns. Delete the columns that don't describe a product."
LONG_CELL = (
    "Line {line}, column {column}: the cell is longer than 100,000 characters. Shorten it. "
    "In a CSV file, look for a quotation mark that is never closed."
)
NOISE = random.Random(4).randbytes(5000)  # noqa: S311 - the same in each run


BAD_FILES = {
    "empty": (b"", EMPTY),
    "blank": (b" \r\n\r\n", EMPTY),
    "header only": (b"sku,name\r\n,\r\n", NO_PRODUCTS),
    "one unknown column": (
        b"hello\nworld",
        (
            "The file has only one column, “hello”, and its name is unknown. "
            "If the columns have another separator, choose it. Otherwise put column names "
            "on the first line, for example: SKU, name, price, stock."
        ),
    ),
    "no header": (
        b"A-1,Mug,12.50\nA-2,Pot,3",
        (
            "The first row, “A-1, Mug, 12.50”, looks like a product, not like column names. "
            "Add a row with column names above it, for example: SKU, name, price, stock."
        ),
    ),
    "duplicate headers": (
        b"sku,Price,name, price\nA,1,a,2",
        "More than one column is called “price”. Rename or delete all but one.",
    ),
    "binary": (NOISE, BINARY),
    "zeros": (bytes(5000), BINARY),
    "UTF-32": (
        "sku,name\nA,a".encode("utf-32"),
        "The file is encoded as UTF-32. Save it as “CSV UTF-8” instead.",
    ),
    "bytes of no encoding": (
        b"sku,name\nA,a\nB,\x81",
        WRONG_ENCODING.format(line=3, encoding="Windows-1252"),
    ),
    "broken UTF-8": (
        "sku,name\nA,é\nB,".encode() + b"\xe9\nC,c",
        (
            "The file is encoded as UTF-8, but line 3 isn't. "
            "Save it again as “CSV UTF-8”, or choose its encoding."
        ),
    ),
    "open quote": (
        b'sku,name\nA,a\nB,"b\nC,c\n',
        "The row on line 3 opens a quotation mark and never closes it. Close it, or delete it.",
    ),
    "quote in a cell": (
        b'sku,name\nA,"5" pipe"\n',
        (
            "The row on line 2 has a quotation mark in the middle of a cell. "
            'Inside quotation marks, write each one twice: "".'
        ),
    ),
    "long cell": (
        b"sku,name\nA,a\nB," + b"x" * 100_001,
        LONG_CELL.format(line=3, column=2),
    ),
    "very long cell": (
        b'sku,name,price\nA,a,1\n"B","b,\n2","' + b"x," * 200_000,
        LONG_CELL.format(line=3, column=3),
    ),
    "a million columns": (
        b"sku," * 1_000_000 + b"\nA",
        WIDE_HEADER,
    ),
    "many columns": (
        b",".join(b"h%d" % n for n in range(201)) + b"\nA",
        WIDE_HEADER,
    ),
    "a wide row": (
        b"sku,name\nA" + b",x" * 200,
        WIDE_HEADER.replace("1", "2", 1),
    ),
    "many rows": (
        b"sku,name\n" + b"A,a\n" * 200_001,
        "The file has more than 200,000 rows. Split it into several files.",
    ),
    "large": (
        bytes(limits.MAX_BYTES + 1),
        TOO_LARGE,
    ),
    "PDF": (
        b"%PDF-1.7 ...",
        "This is a PDF. Save the table as CSV or XLSX in the program that created it.",
    ),
    "PNG": (b"\x89PNG\r\n\x1a\n...", PICTURE),
    "JPEG": (b"\xff\xd8\xff\xe0...", PICTURE),
    "GIF": (b"GIF89a...", PICTURE),
    "7z": (b"7z\xbc\xaf\x27\x1c...", OTHER_ARCHIVE),
    "gzip": (b"\x1f\x8b\x08...", OTHER_ARCHIVE),
    "database": (
        b"SQLite format 3\x00...",
        "This is a database. Export its table as CSV or XLSX.",
    ),
    "HTML": (
        b"\xef\xbb\xbf \n<!DOCTYPE html><table><tr><td>sku",
        (
            "This is a web page (HTML), even if its name says otherwise. "
            "Open it in your spreadsheet program and save it as CSV or XLSX."
        ),
    ),
    "XML": (
        b"<?xml version='1.0'?><products/>",
        "This is an XML file, not a table. Export the table as CSV or XLSX.",
    ),
    "JSON": (
        json.dumps([{"sku": "A"}]).encode(),
        "This is a JSON file, not a table. Export the table as CSV or XLSX.",
    ),
    "old Excel": (
        OLE,
        "This is an old Office file, such as XLS. Open it and save it as XLSX.",
    ),
    "locked XLSX": (
        OLE + "EncryptedPackage".encode("utf-16-le"),
        "This workbook is protected by a password. Save it without a password.",
    ),
    "ODS": (
        zip_file({"mimetype": "application/vnd.oasis", "content.xml": "<x/>"}).getvalue(),
        "This is an OpenDocument file (ODS). Open it and save it as XLSX.",
    ),
    "XLSB": (
        zip_file({"xl/workbook.bin": b"x"}).getvalue(),
        "This is a binary workbook (XLSB). Open it and save it as XLSX.",
    ),
    "DOCX": (
        zip_file({"word/document.xml": b"x"}).getvalue(),
        "This is a text document (DOCX). Save its table as CSV or XLSX.",
    ),
    "Numbers": (
        zip_file({"Index/Document.iwa": b"x"}).getvalue(),
        "This is a Numbers file. Export it as CSV or Excel (XLSX).",
    ),
    "empty ZIP": (
        zip_file({}).getvalue(),
        NO_TABLE,
    ),
    "pictures": (
        zip_file({"a.jpg": b"x", "b.png": b"y"}).getvalue(),
        NO_TABLE,
    ),
    "two tables": (
        zip_file({"in/a.csv": TABLE, "b.xlsx": b"x"}).getvalue(),
        "The ZIP contains more than one table (“a.csv”, “b.xlsx”). Keep only one.",
    ),
    "nested ZIP": (zip_file({"a.zip": zip_file({"a.csv": TABLE})}).getvalue(), NESTED_ZIP),
    "hidden nested ZIP": (zip_file({"a.csv": zip_file({"a.csv": TABLE})}).getvalue(), NESTED_ZIP),
    "picture in a ZIP": (zip_file({"a.csv": b"\x89PNG\r\n"}).getvalue(), PICTURE),
    "locked ZIP": (locked_zip(), LOCKED_ZIP),
    "truncated ZIP": (truncated_zip(), DAMAGED),
    "ZIP with a wrong checksum": (zip_with_wrong_checksum(), DAMAGED),
    "bomb": (zip_file({"a.csv": b"A" * 3_000_000}).getvalue(), ZIP_BOMB),
    "bomb beside the table": (
        zip_file({"a.csv": TABLE, "b.jpg": bytes(3_000_000)}).getvalue(),
        ZIP_BOMB,
    ),
    "bomb in XLSX": (zip_file({"xl/workbook.xml": bytes(3_000_000)}).getvalue(), ZIP_BOMB),
    "XLSX without sheets": (zip_file({"xl/workbook.xml": b"<x/>"}).getvalue(), DAMAGED),
    "XLSX with broken XML": (
        change_member(xlsx_file(["sku"]), SHEET, lambda xml: xml[:-40]).getvalue(),
        DAMAGED,
    ),
    "XLSX with an entity bomb": (xlsx_with_entity_bomb().getvalue(), DAMAGED),
    "empty XLSX": (
        xlsx_file().getvalue(),
        "The workbook is empty: no visible sheet has content. Upload one with a table.",
    ),
    "XLSX with a header only": (xlsx_file(["sku", "name"]).getvalue(), NO_PRODUCTS),
    "XLSX with many columns": (
        xlsx_file(["sku"] * 201, ["A"]).getvalue(),
        WIDE_HEADER,
    ),
    "formula without a value": (
        xlsx_file(["sku", "price"], ["A", 1], ["B", "=B2*2"]).getvalue(),
        (
            "Cell B3 has a formula without a saved value (“=B2*2”). Open the file "
            "in your spreadsheet program and save it, or replace the formula by its value."
        ),
    ),
}


@pytest.mark.parametrize(("data", "message"), BAD_FILES.values(), ids=list(BAD_FILES))
def test_bad_file_is_refused_with_a_message(data, message):
    file = io.BytesIO(data)
    with pytest.raises(FileRefused) as error:
        read_sheet(file, "it.csv")
    assert str(error.value) == message
    assert not file.closed


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            b">a<",
            b">" + b"x" * 100_001 + b"<",
            LONG_CELL.format(line=2, column=2),
        ),
        (b'<row r="2"', b'<row r="999999999999"', DAMAGED),
        (b'r="B2"', b'r="ZZZZZZZ2"', DAMAGED),
    ],
)
def test_malformed_xlsx_is_refused(before, after, message):
    file = change_member(
        xlsx_file(["sku", "name"], ["A", "a"]), SHEET, lambda xml: xml.replace(before, after)
    )
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("noise", NOISE)  # so that the long cell is not refused as a ZIP bomb
    with pytest.raises(FileRefused) as error:
        read_sheet(file, "it.xlsx")
    assert str(error.value) == message


@pytest.mark.parametrize("cut", range(0, 3000, 97))
def test_truncated_xlsx_is_refused(cut):
    whole = xlsx_file(["sku", "name"], ["A", "a"]).getvalue()
    with pytest.raises(FileRefused):
        read_sheet(io.BytesIO(whole[:cut]), "it.xlsx")


@pytest.mark.parametrize("seed", range(40))
def test_xlsx_with_a_changed_bit_is_read_or_refused(seed):
    rng = random.Random(seed)  # noqa: S311 - the same in each run
    data = bytearray(xlsx_file(["sku", "name"], ["A", "a"]).getvalue())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    with suppress(FileRefused):
        assert read_sheet(io.BytesIO(bytes(data)), "it.xlsx") == (
            ["sku", "name"],
            [(2, ["A", "a"])],
        )


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            {"encoding": "UTF-7"},
            (
                "“UTF-7” isn't an encoding that can be read here. "
                "Choose UTF-8, UTF-16 or Windows-1252."
            ),
        ),
        (
            {"delimiter": "x"},
            "“x” can't separate columns. Choose comma, semicolon, tab or vertical bar.",
        ),
        (
            {"encoding": "UTF-8"},
            WRONG_ENCODING.format(line=2, encoding="UTF-8"),
        ),
    ],
)
def test_chosen_encoding_or_delimiter_that_does_not_fit_is_refused(chosen, message):
    with pytest.raises(FileRefused) as error:
        read_sheet(csv_file("sku,name", "A,é", codec="cp1252"), **chosen)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("data", "message"),
    [(truncated_zip(), DAMAGED), (locked_zip(), LOCKED_ZIP), BAD_FILES["bomb"]],
    ids=["truncated", "locked", "bomb"],  # the bytes contain the time
)
def test_pictures_of_a_bad_zip_are_refused(data, message):
    with pytest.raises(FileRefused) as error:
        find_pictures(io.BytesIO(data))
    assert str(error.value) == message


def test_zip_with_a_large_central_directory_is_refused():
    data = bytearray(zip_file({"a.csv": TABLE}).getvalue())
    at = data.rfind(b"PK\x05\x06") + 12
    data[at : at + 4] = (limits.MAX_ZIP_DIRECTORY_BYTES + 1).to_bytes(4, "little")
    with pytest.raises(FileRefused, match="The ZIP contains too many files"):
        read_sheet(io.BytesIO(bytes(data)), "it.zip")


@pytest.mark.parametrize(
    ("limit", "message"),
    [("MAX_UNPACKED_BYTES", ZIP_BOMB), ("MAX_BYTES", TOO_LARGE)],
)
def test_limits_apply_to_the_unpacked_size(monkeypatch, limit, message):
    file = zip_file({"a.csv": b"sku,name\n" + b"A-1,a\n" * 200})
    size = len(file.getvalue())
    monkeypatch.setattr(limits, limit, size + 1)
    with pytest.raises(FileRefused) as error:
        read_sheet(file, "it.zip")
    assert str(error.value) == message
    monkeypatch.setattr(limits, limit, 1209)
    assert len(read_sheet(file, "it.zip")[1]) == 200
