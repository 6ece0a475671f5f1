"""Whatever is sent, the answer is a table or a sentence that says what to do."""

import io
import json
import random
import zipfile

import pytest
from support.file_builders import book, read, text, with_member, zipped

from shop.product_files.reading import limits
from shop.product_files.reading.archives import find_pictures
from shop.services.errors import FileRefused

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
SAVE_AS = "Save the table as CSV or XLSX"
DAMAGED = "The file is damaged, or was not sent to its end. Save or pack it anew and send it again."
BOMB = (
    "The file unpacks to more than 200 MB or 100 times its size. "
    "Split the table, or send it as CSV that is not packed."
)
LOCKED_ZIP = "The ZIP has a password. Pack it without one."
IN_ZIP = "The ZIP holds another ZIP. Unpack the inner one and send that."
PICTURE = f"This is a picture, not a table. {SAVE_AS}; pictures go into a ZIP of their own."
PACKED = "This is a packed file of a kind that cannot be opened here. Pack the table as ZIP, or send it as it is."
BINARY = f"This is no table: it holds bytes that are not text. {SAVE_AS} and send that."
DATA_ON_TOP = (
    "The first row, “A-1, Mug, 12.50”, looks like a product and not like column names. "
    "Put a row with names on top of it, for example: SKU, name, price, stock."
)
NO_PRODUCTS = "The file has column names, but no products under them. Put each into a row."
SHEET = "xl/worksheets/sheet1.xml"
TABLE = text("sku,name", "A,a")
NOISE = random.Random(4).randbytes(5000)  # noqa: S311 - the same in each run


def locked():
    """A ZIP whose members say that they have a password."""
    data = bytearray(zipped({"a.csv": TABLE}).getvalue())
    data[6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def torn():
    return zipped({"a.csv": TABLE}).getvalue()[:-30]


def changed():
    """A ZIP whose table is not what its checksum says."""
    return (
        zipped({"a.csv": b"sku,name\nA,a"}, zipfile.ZIP_STORED).getvalue().replace(b"A,a", b"B,b")
    )


def laughing():
    """A workbook whose text grows a billion times when it is read."""
    entities = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">%s]>' % entities
    made = book(["sku", "name"], ["A", "a"])
    return with_member(made, SHEET, lambda xml: bomb + xml.replace(b">A<", b">&a9;<"))


KINDS = {
    "empty": (b"", "“it.csv” is empty. Send a file with column names and products."),
    "blank": (b" \r\n\r\n", "“it.csv” is empty. Send a file with column names and products."),
    "header only": (b"sku,name\r\n,\r\n", NO_PRODUCTS),
    "one unknown column": (
        b"hello\nworld",
        (
            "The file has one column, “hello”, and that is no name of ours. "
            "If another sign parts the columns, choose it. "
            "Else put names on the first line, for example: SKU, name, price, stock."
        ),
    ),
    "no header": (b"A-1,Mug,12.50\nA-2,Pot,3", DATA_ON_TOP),
    "duplicate headers": (
        b"sku,Price,name, price\nA,1,a,2",
        "2 columns are called “price”. Rename or delete all but one.",
    ),
    "binary": (NOISE, BINARY),
    "zeros": (bytes(5000), BINARY),
    "UTF-32": (
        "sku,name\nA,a".encode("utf-32"),
        "The file is written in UTF-32. Save it as “CSV UTF-8”.",
    ),
    "bytes of no encoding": (
        b"sku,name\nA,a\nB,\x81",
        "Line 3 is not written in Windows-1252. Choose another encoding, or save the file as “CSV UTF-8”.",
    ),
    "broken UTF-8": (
        "sku,name\nA,é\nB,".encode() + b"\xe9\nC,c",
        (
            "The file is written in UTF-8, but line 3 is not. "
            "Save it anew as “CSV UTF-8”, or choose its encoding."
        ),
    ),
    "open quote": (
        b'sku,name\nA,a\nB,"b\nC,c\n',
        "A quotation mark is opened in the row on line 3 and never closed. Close it, or delete it.",
    ),
    "quote in a cell": (
        b'sku,name\nA,"5" pipe"\n',
        (
            "The row on line 2 has a quotation mark in the middle of a cell. "
            'Inside of quotation marks each one is written twice: "".'
        ),
    ),
    "long cell": (
        b"sku,name\nA,a\nB," + b"x" * 100_001,
        (
            "Line 3, column 2: the cell is longer than 100,000 characters. Shorten it. "
            "Perhaps a quotation mark is opened there and never closed."
        ),
    ),
    "very long cell": (
        b'sku,name,price\nA,a,1\n"B","b,\n2","' + b"x," * 200_000,
        (
            "Line 3, column 3: the cell is longer than 100,000 characters. Shorten it. "
            "Perhaps a quotation mark is opened there and never closed."
        ),
    ),
    "a million columns": (
        b"sku," * 1_000_000 + b"\nA",
        "Line 1 has more than 200 columns. Leave out those that describe no product.",
    ),
    "many columns": (
        b",".join(b"h%d" % n for n in range(201)) + b"\nA",
        "Line 1 has more than 200 columns. Leave out those that describe no product.",
    ),
    "a wide row": (
        b"sku,name\nA" + b",x" * 200,
        "Line 2 has more than 200 columns. Leave out those that describe no product.",
    ),
    "many rows": (
        b"sku,name\n" + b"A,a\n" * 200_001,
        "The file has more than 200,000 rows. Split it into several files.",
    ),
    "large": (
        bytes(limits.MAX_BYTES + 1),
        "The file is larger than 50 MB. Split it into several files.",
    ),
    "PDF": (
        b"%PDF-1.7 ...",
        f"This is a PDF, which holds no table that can be read. {SAVE_AS} in the program that made it.",
    ),
    "PNG": (b"\x89PNG\r\n\x1a\n...", PICTURE),
    "JPEG": (b"\xff\xd8\xff\xe0...", PICTURE),
    "GIF": (b"GIF89a...", PICTURE),
    "7z": (b"7z\xbc\xaf\x27\x1c...", PACKED),
    "gzip": (b"\x1f\x8b\x08...", PACKED),
    "database": (
        b"SQLite format 3\x00...",
        f"This is a database, not a table. {SAVE_AS} from the program that uses it.",
    ),
    "HTML": (
        b"\xef\xbb\xbf \n<!DOCTYPE html><table><tr><td>sku",
        f"This is a web page (HTML), even if its name says otherwise. Open it in a spreadsheet. {SAVE_AS}.",
    ),
    "XML": (
        b"<?xml version='1.0'?><products/>",
        f"This is an XML file, not a table. {SAVE_AS} in the program that made it.",
    ),
    "JSON": (
        json.dumps([{"sku": "A"}]).encode(),
        f"This is a JSON file, not a table. {SAVE_AS} in the program that made it.",
    ),
    "old Excel": (
        OLE,
        "This is a file of an old Office program (.xls). Open it and save it as XLSX.",
    ),
    "locked XLSX": (
        OLE + "EncryptedPackage".encode("utf-16-le"),
        "This workbook has a password. Save it without one.",
    ),
    "ODS": (
        zipped({"mimetype": "application/vnd.oasis", "content.xml": "<x/>"}).getvalue(),
        "This is an OpenDocument file (ODS). Open it and save it as XLSX.",
    ),
    "XLSB": (
        zipped({"xl/workbook.bin": b"x"}).getvalue(),
        "This is a binary workbook (.xlsb). Open it and save it as XLSX.",
    ),
    "DOCX": (
        zipped({"word/document.xml": b"x"}).getvalue(),
        "This is a text document (DOCX). Copy its table into a spreadsheet, as XLSX.",
    ),
    "Numbers": (
        zipped({"Index/Document.iwa": b"x"}).getvalue(),
        "This is a Numbers file. Export it as CSV or Excel (XLSX).",
    ),
    "empty ZIP": (
        zipped({}).getvalue(),
        "The ZIP holds no table. Put one CSV or XLSX file into it.",
    ),
    "pictures": (
        zipped({"a.jpg": b"x", "b.png": b"y"}).getvalue(),
        "The ZIP holds no table. Put one CSV or XLSX file into it.",
    ),
    "two tables": (
        zipped({"in/a.csv": TABLE, "b.xlsx": b"x"}).getvalue(),
        "The ZIP holds 2 tables (“a.csv”, “b.xlsx”). Leave one in it.",
    ),
    "nested ZIP": (zipped({"a.zip": zipped({"a.csv": TABLE})}).getvalue(), IN_ZIP),
    "hidden nested ZIP": (zipped({"a.csv": zipped({"a.csv": TABLE})}).getvalue(), IN_ZIP),
    "picture in a ZIP": (zipped({"a.csv": b"\x89PNG\r\n"}).getvalue(), PICTURE),
    "locked ZIP": (locked(), LOCKED_ZIP),
    "torn ZIP": (torn(), DAMAGED),
    "changed ZIP": (changed(), DAMAGED),
    "bomb": (zipped({"a.csv": b"A" * 3_000_000}).getvalue(), BOMB),
    "bomb beside the table": (zipped({"a.csv": TABLE, "b.jpg": bytes(3_000_000)}).getvalue(), BOMB),
    "bomb in XLSX": (zipped({"xl/workbook.xml": bytes(3_000_000)}).getvalue(), BOMB),
    "XLSX of nothing": (zipped({"xl/workbook.xml": b"<x/>"}).getvalue(), DAMAGED),
    "XLSX of no XML": (
        with_member(book(["sku"]), SHEET, lambda xml: xml[:-40]).getvalue(),
        DAMAGED,
    ),
    "XLSX that laughs": (laughing().getvalue(), DAMAGED),
    "empty XLSX": (
        book().getvalue(),
        "The workbook is empty: no sheet that is shown has anything in it. Send one with a table.",
    ),
    "XLSX with a header only": (book(["sku", "name"]).getvalue(), NO_PRODUCTS),
    "XLSX with many columns": (
        book(["sku"] * 201, ["A"]).getvalue(),
        "Line 1 has more than 200 columns. Leave out those that describe no product.",
    ),
    "formula without a value": (
        book(["sku", "price"], ["A", 1], ["B", "=B2*2"]).getvalue(),
        (
            "Cell B3 is a formula without a value (“=B2*2”). "
            "Open the file in a spreadsheet and save it, or put the value there."
        ),
    ),
}


@pytest.mark.parametrize(("data", "words"), KINDS.values(), ids=list(KINDS))
def test_a_bad_file_is_refused_with_what_to_do(data, words):
    file = io.BytesIO(data)
    with pytest.raises(FileRefused) as refused:
        read(file, "it.csv")
    assert str(refused.value) == words
    assert not file.closed


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            b">a<",
            b">" + b"x" * 100_001 + b"<",
            "Line 2, column 2: the cell is longer than 100,000 characters. Shorten it.",
        ),
        (b'<row r="2"', b'<row r="999999999999"', DAMAGED),
        (b'r="B2"', b'r="ZZZZZZZ2"', DAMAGED),
    ],
)
def test_a_workbook_that_no_spreadsheet_would_write_is_refused(before, after, words):
    made = with_member(
        book(["sku", "name"], ["A", "a"]), SHEET, lambda xml: xml.replace(before, after)
    )
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("noise", NOISE)  # without it the long cell alone would be a bomb
    with pytest.raises(FileRefused) as refused:
        read(made, "it.xlsx")
    assert str(refused.value) == words


@pytest.mark.parametrize("cut", range(0, 3000, 97))
def test_a_workbook_that_was_not_sent_to_its_end_is_refused(cut):
    whole = book(["sku", "name"], ["A", "a"]).getvalue()
    with pytest.raises(FileRefused):
        read(io.BytesIO(whole[:cut]), "it.xlsx")


@pytest.mark.parametrize("seed", range(40))
def test_a_workbook_with_a_changed_byte_is_read_or_refused(seed):
    dice = random.Random(seed)  # noqa: S311 - the same in each run
    data = bytearray(book(["sku", "name"], ["A", "a"]).getvalue())
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    try:
        assert read(io.BytesIO(bytes(data)), "it.xlsx") == (["sku", "name"], [(2, ["A", "a"])])
    except FileRefused as refused:
        assert str(refused).endswith(".")  # noqa: PT017 - either is right


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (
            {"encoding": "UTF-7"},
            "“UTF-7” is no encoding that can be read. Choose UTF-8, UTF-16 or Windows-1252.",
        ),
        ({"delimiter": "x"}, "“x” cannot part columns. Choose comma, semicolon, tab or |."),
        (
            {"encoding": "UTF-8"},
            "Line 2 is not written in UTF-8. Choose another encoding, or save the file as “CSV UTF-8”.",
        ),
    ],
)
def test_a_choice_that_does_not_fit_is_refused(chosen, words):
    with pytest.raises(FileRefused) as refused:
        read(text("sku,name", "A,é", codec="cp1252"), **chosen)
    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("data", "words"),
    [(torn(), DAMAGED), (locked(), LOCKED_ZIP), (KINDS["bomb"])],
    ids=["torn", "locked", "bomb"],  # not the bytes, which hold the time
)
def test_pictures_come_from_no_bad_zip(data, words):
    with pytest.raises(FileRefused) as refused:
        find_pictures(io.BytesIO(data))
    assert str(refused.value) == words


def test_a_zip_that_lists_too_many_files_is_refused_before_it_is_read():
    data = bytearray(zipped({"a.csv": TABLE}).getvalue())
    at = data.rfind(b"PK\x05\x06") + 12
    data[at : at + 4] = (limits.MAX_LISTING + 1).to_bytes(4, "little")
    with pytest.raises(
        FileRefused, match=r"The ZIP holds too many files\. Pack only the table and its pict"
    ):
        read(io.BytesIO(bytes(data)), "it.zip")


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("MAX_UNPACKED", BOMB),
        ("MAX_BYTES", "The file is larger than 50 MB. Split it into several files."),
    ],
)
def test_a_zip_is_measured_by_what_it_unpacks_to(monkeypatch, limit, words):
    file = zipped({"a.csv": b"sku,name\n" + b"A-1,a\n" * 200})
    size = len(file.getvalue())
    monkeypatch.setattr(limits, limit, size + 1)
    with pytest.raises(FileRefused) as refused:
        read(file, "it.zip")
    assert str(refused.value) == words
    monkeypatch.setattr(limits, limit, 1209)
    assert len(read(file, "it.zip")[1]) == 200
