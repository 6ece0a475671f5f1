"""The `export_products` command."""

import io
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import CommandError, call_command
from support import factories

from shop.product_files.exports import product_export

ROW = '"Mug","MUG-1","","",12.50,"products/a.webp","yes",5,,10,10\r\n'


@pytest.fixture
def mug(db):
    factories.create_product("Mug", sku="MUG-1", image="products/a.webp")


@pytest.mark.parametrize("name", ["products.csv", "products", "products.txt"])
def test_csv_file(mug, tmp_path, name):
    call_command("export_products", str(tmp_path / name))
    assert (tmp_path / name).read_bytes().decode("utf-8-sig").partition("\r\n")[2] == ROW


@pytest.mark.parametrize(
    ("name", "options"), [("a.xlsx", []), ("A.XLSX", []), ("a", ["--format", "xlsx"])]
)
def test_xlsx_by_extension_or_option(mug, tmp_path, name, options):
    call_command("export_products", str(tmp_path / name), *options)
    assert zipfile.ZipFile(tmp_path / name).testzip() is None


def test_other_layout_to_standard_output(mug, monkeypatch):
    out = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out, encoding="ascii"))
    call_command("export_products", "-", "--layout", "shopify")
    assert out.getvalue().decode("utf-8-sig").startswith('"Title","URL handle"')


@pytest.mark.parametrize("wrong", [("--layout", "amazon"), ("--format", "pdf")])
def test_invalid_option_writes_no_file(mug, tmp_path, wrong):
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("export_products", str(tmp_path / "file"), *wrong)
    assert list(tmp_path.glob("file")) == []


def test_missing_folder_is_an_error(mug, tmp_path):
    with pytest.raises(CommandError, match="missing"):
        call_command("export_products", str(tmp_path / "missing" / "file.csv"))


@pytest.mark.parametrize("old", [None, b"yesterday's products"])
@pytest.mark.parametrize("name", ["products.csv", "products.xlsx"])
def test_failed_export_leaves_the_old_file_or_none(mug, tmp_path, monkeypatch, name, old):
    if old:
        (tmp_path / name).write_bytes(old)
    monkeypatch.setattr(product_export, "table_rows", lambda *_: (1 / 0 for _ in range(3)))
    with pytest.raises(ZeroDivisionError):
        call_command("export_products", str(tmp_path / name))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == (
        {name: old} if old else {}
    )


def test_pipe_is_written_to_and_not_replaced(mug, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor() as pool:
        reading = pool.submit((tmp_path / "pipe").read_bytes)
        call_command("export_products", str(tmp_path / "pipe"))
    assert reading.result().decode().endswith(ROW)
    assert (tmp_path / "pipe").is_fifo()
