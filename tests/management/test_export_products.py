import io
import zipfile

import pytest
from django.core.management import CommandError, call_command
from support import factories

LINE = '"Mug","MUG-1","",12.50,"products/a.webp","yes",5,10,10\r\n'


@pytest.fixture
def shelf(db):
    factories.create_product("Mug", sku="MUG-1", image="products/a.webp")


@pytest.mark.parametrize("name", ["products.csv", "products", "products.txt"])
def test_the_catalogue_is_written_to_a_file(shelf, tmp_path, name):
    call_command("export_products", str(tmp_path / name))
    assert (tmp_path / name).read_bytes().decode("utf-8-sig").partition("\r\n")[2] == LINE


@pytest.mark.parametrize(
    ("name", "options"), [("a.xlsx", []), ("A.XLSX", []), ("a", ["--format", "xlsx"])]
)
def test_a_workbook_is_written_where_the_name_or_the_option_says_so(shelf, tmp_path, name, options):
    call_command("export_products", str(tmp_path / name), *options)
    assert zipfile.ZipFile(tmp_path / name).testzip() is None


def test_other_shops_columns_go_to_standard_output(shelf, monkeypatch):
    out = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out, encoding="ascii"))
    call_command("export_products", "-", "--layout", "shopify")
    assert out.getvalue().decode("utf-8-sig").startswith('"Title","URL handle"')


@pytest.mark.parametrize("wrong", [("--layout", "amazon"), ("--format", "pdf")])
def test_what_is_not_known_is_refused_before_a_file_is_made(shelf, tmp_path, wrong):
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("export_products", str(tmp_path / "file"), *wrong)
    assert list(tmp_path.glob("file")) == []


def test_a_folder_that_is_not_there_is_named(shelf, tmp_path):
    with pytest.raises(CommandError, match="missing"):
        call_command("export_products", str(tmp_path / "missing" / "file.csv"))
