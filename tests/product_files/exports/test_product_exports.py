"""Product and order exports, read back by our own import and by openpyxl."""

import io
from itertools import islice

import pytest
from django.db.models import QuerySet
from openpyxl import load_workbook
from support import factories

from shop.models import Product
from shop.product_files.exports import (
    columns,
    csv_writer,
    product_export,
    xlsx_writer,
)
from shop.product_files.exports.columns import CellType, Column
from shop.product_files.exports.resources import ProductResource
from shop.product_files.formats import file_formats
from shop.product_files.reading import number_parsing
from shop.product_files.reading.sheets import open_sheet


def build_url(name):
    return f"https://shop.example.com/media/{name}"


def exported(layout="own", file_format="csv"):
    chunks = product_export.export_products(
        Product.objects.all(), layout=layout, file_format=file_format, build_url=build_url
    )
    return b"".join(chunks)


def decode_csv(data):
    """Return a CSV file's text without its BOM, which must be there once."""
    text = data.decode("utf-8")
    assert (text[0], text.count("\ufeff")) == ("\ufeff", 1)
    return text[1:]


def xlsx_rows(data):
    return [list(row) for row in load_workbook(io.BytesIO(data)).active.iter_rows(values_only=True)]


def read_back(data, name="products.csv"):
    """Return the detected format's name and the rows, as our own import reads them."""
    sheet = open_sheet(io.BytesIO(data), name)
    dialect = file_formats.detect_format(sheet.headers)
    return dialect.name, list(file_formats.parse_rows(sheet, dialect))


@pytest.fixture
def two_products(db):
    factories.create_product(
        'Ada\'s "best" mug, größer',
        price="12.50",
        stock=3,
        sku="090.750",
        barcode="4006381333931",
        description="Thrown by hand.\nFor 1 < 2 & more.",
        image="products/a.webp",
    )
    factories.create_product(
        "=1+1", price="0", stock=0, sku="1E5", is_active=False, low_stock_threshold=0
    )


def test_own_layout_has_every_editable_field(two_products):
    assert decode_csv(exported()) == (
        '"name","SKU","barcode","description","price","picture","active","reorder level",'
        '"tax rate","stock","stock at export"\r\n'
        '"Ada\'s ""best"" mug, größer","090.750","4006381333931",'
        '"Thrown by hand.\nFor 1 < 2 & more.",12.50,"https://shop.example.com/media/products/a.webp","yes",5,,3,3\r\n'
        '"\'=1+1","1E5","","",0.00,"","no",0,,0,0\r\n'
    )


def test_xlsx_cells_are_typed_as_numbers_and_text(two_products):
    data = exported(file_format="xlsx")
    assert xlsx_rows(data)[1:] == [
        [
            'Ada\'s "best" mug, größer',
            "090.750",
            "4006381333931",
            "Thrown by hand.\nFor 1 < 2 & more.",
            12.5,
            "https://shop.example.com/media/products/a.webp",
            "yes",
            5,
            None,
            3,
            3,
        ],
        ["'=1+1", "1E5", None, None, 0, None, "no", 0, None, 0, 0],
    ]
    formats = [
        cell.number_format
        for cell in next(load_workbook(io.BytesIO(data)).active.iter_rows(min_row=2))
    ]
    assert formats == ["@", "@", "@", "General", "0.00", "@", "@", *["General"] * 4]


def test_django_import_export_writes_the_same_cells(two_products):
    own_rows = [
        list(row)
        for row in columns.table_rows(
            ProductResource().columns(str), Product.objects.order_by("pk")
        )
    ]
    dataset = ProductResource().export(Product.objects.order_by("pk"))
    assert [list(row) for row in dataset] == own_rows
    assert dataset.headers == [column.header for column in ProductResource().columns(str)]


def test_shopify_layout(two_products):
    header, first, second = xlsx_rows(exported("shopify", "xlsx"))
    row = dict(zip(header, first, strict=True))
    assert row == {
        "Title": 'Ada\'s "best" mug, größer',
        "URL handle": f"adas-best-mug-groer-{Product.objects.earliest('pk').pk}",
        "Description": "Thrown by hand.<br>For 1 &lt; 2 &amp; more.",
        "Vendor": "Test Shop",
        "Published on online store": "TRUE",
        "Status": "Active",
        "SKU": "090.750",
        "Barcode": "4006381333931",
        "Option1 name": "Title",
        "Option1 value": "Default Title",
        "Price": 12.5,
        "Charge tax": "TRUE",
        "Inventory tracker": "shopify",
        "Inventory quantity": 3,
        "Continue selling when out of stock": "DENY",
        "Requires shipping": "TRUE",
        "Fulfillment service": "manual",
        "Product image URL": "https://shop.example.com/media/products/a.webp",
        "Image position": 1,
        "Image alt text": 'Ada\'s "best" mug, größer',
        "Gift card": "FALSE",
    }
    row = dict(zip(header, second, strict=True))
    assert (row["Status"], row["Published on online store"], row["Image position"]) == (
        "Archived",
        "FALSE",
        None,
    )


def test_woocommerce_layout(two_products):
    first, second = decode_csv(exported("woocommerce")).splitlines()[1:3]
    assert first == (
        '"","simple","090.750","4006381333931","Ada\'s ""best"" mug, größer","1","0","visible",'
        '"Thrown by hand.<br>For 1 &lt; 2 &amp; more.","taxable","1",3,5,"0",12.50,'
        '"https://shop.example.com/media/products/a.webp"'
    )
    assert (
        second
        == '"","simple","1E5","","&#61;1+1","-1","0","visible","","taxable","0",0,0,"0",0.00,""'
    )


FORMULAS = ["=1+1", "+49 30", "-5", "@SUM(A1)", "\uff1d1", "'quoted'", "''", "'=1", "=1\n-2"]
PLAIN_TEXTS = [
    "1,800",
    "2026-01-02",
    "00123",
    "1E5",
    'a "b"; c, d',
    "a\\nb",
    "<b>1</b> &amp; 2",
    "größer ñ 日本 🏺",
]
FORMAT_NAMES = {"own": "own", "shopify": "shopify-new", "woocommerce": "woocommerce"}


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
@pytest.mark.parametrize(
    ("layout", "texts"),
    [(layout, texts) for layout in FORMAT_NAMES for texts in (PLAIN_TEXTS, FORMULAS)],
)
def test_exported_text_is_imported_unchanged(db, layout, texts, file_format):
    for number, text in enumerate(texts):
        [name, *_] = text.split("\n")
        factories.create_product(
            name, description=text, sku=f"{number:03}.750", price="9.00", stock=number
        )
    format_name, rows = read_back(exported(layout, file_format))
    assert format_name == FORMAT_NAMES[layout]
    for product, row in zip(Product.objects.order_by("pk"), rows, strict=True):
        assert (row.skip, row.problems) == ("", ())
        values = row.values
        assert (values["name"], values["description"]) == (product.name, product.description)
        assert values["sku"] == product.sku
        assert number_parsing.parse_price(values["price"], point=".") == product.price
        assert number_parsing.parse_quantity(values["stock"]) == product.stock
        assert number_parsing.parse_boolean(values["is_active"]) is product.is_active


@pytest.mark.parametrize("sku", ["090.750", "1E5", "2026-01-02", "=A1", "-1", "'1", "@", "0"])
@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_sku_is_imported_unchanged(db, sku, file_format):
    factories.create_product(sku=sku, image="products/a.webp")
    _, [line] = read_back(exported(file_format=file_format))
    assert line.values["sku"] == sku
    assert line.pictures == (build_url("products/a.webp"),)
    assert line.values["stock"] == line.values["stock_was"] == "10"


@pytest.mark.parametrize(
    "price", ["0.00", "0.01", "0.10", "1.15", "100.00", "70368744.07", "99999999.99"]
)
def test_prices_have_two_decimals(db, price):
    factories.create_product(price=price)
    for layout, column in (("own", 4), ("shopify", 10), ("woocommerce", 14)):
        [line] = decode_csv(exported(layout)).splitlines()[1:]
        assert line.split(",")[column] == price


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_characters_that_files_cannot_hold_are_dropped(file_format):
    table = [
        Column("a", str, cell_type=CellType.LINE),
        Column("b", str),
        Column("n", str, cell_type=CellType.NUMBER),
    ]
    rows = [("\x00a\x0b\x1f", "\tb\n \ud800\uffff\ufffe</v>]]>&", "1234567890123456.78")]
    data = b"".join(product_export.FILE_WRITERS[file_format](table, iter(rows)))
    sheet = open_sheet(io.BytesIO(data), "any")
    assert list(sheet.rows) == [(2, ["a", "\tb\n </v>]]>&", "1234567890123456.78"])]


def test_xlsx_has_one_sheet_with_frozen_bold_header(db):
    book = load_workbook(io.BytesIO(exported(file_format="xlsx")))
    assert book.sheetnames == ["Sheet1"]
    assert book.active.freeze_panes == "A2"
    assert [cell.font.b for cell in book.active[1]] == [True] * 11
    assert len(xlsx_writer.STYLES.split("<xf ")) - 1 == 1 + len(CellType) + 1


def count_reads(monkeypatch):
    """Return a list that grows with each row read from the database."""
    read = []
    before = QuerySet.iterator

    def iterator(self, chunk_size=None):
        for row in before(self, chunk_size):
            read.append(row)
            yield row

    monkeypatch.setattr(QuerySet, "iterator", iterator)
    return read


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_rows_are_written_while_they_are_read(db, monkeypatch, statements, file_format):
    monkeypatch.setattr(columns, "ROWS_PER_BATCH", 2)
    for module in (csv_writer, xlsx_writer):
        monkeypatch.setattr(module, "CHUNK_SIZE", 1)
    for number in range(9):
        factories.create_product(f"Mug {number}", description="x" * 4000)
    read = count_reads(monkeypatch)
    with statements(1):
        chunks = product_export.export_products(
            Product.objects.all(), layout="own", file_format=file_format, build_url=build_url
        )
        head = next(chunks)
        assert (bool(head), read) == (True, [])
        rest = list(islice(chunks, 1))
        assert 0 < len(read) < 9
        rest += list(chunks)
    assert len(read) == 9
    assert read_back(head + b"".join(rest))[1][8].values["name"] == "Mug 8"


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_error_while_reading_leaves_no_complete_file(monkeypatch, file_format):
    for module in (csv_writer, xlsx_writer):
        monkeypatch.setattr(module, "CHUNK_SIZE", 1)
    table = [Column("n", str, cell_type=CellType.NUMBER)]
    rows = ((str(number if number < 3 else 1 / 0),) for number in range(9))
    written = []
    with pytest.raises(ZeroDivisionError):
        written.extend(product_export.FILE_WRITERS[file_format](table, rows))
    data = b"".join(written)
    assert len(data) > 10
    assert b"PK\x05\x06" not in data  # the directory that ends a ZIP file
