"""Product files from the command line: the same engine, in words."""

import pytest
from django.core.management import CommandError, call_command
from support import factories

from shop.models import Product, ProductImport

GOOD = "sku,name,price,stock\nMUG-1,Mug,13.00,\nVASE,Vase,30,4\n"
WRONG = f"{GOOD}BAD,Bad,cheap,1\n"


@pytest.fixture
def bring(ada, mug, tmp_path, capsys):
    """Run the command on a file with this text; what it prints."""

    def run(text, *options):
        file = tmp_path / "spring.csv"
        file.write_text(text)
        call_command("import_products", str(file), *options)
        return capsys.readouterr().out.splitlines()

    return run


def prices():
    return {p.sku: str(p.price) for p in Product.objects.order_by("pk")}


def test_a_file_is_brought(bring, ada):
    assert bring(GOOD) == [
        "spring.csv: CSV, UTF-8, columns of This shop",
        "The file has a stock, but not what it was at export. Say what to do with it; until then it is left.",
        "1 new, 1 changed, 0 same, 0 skipped, 0 wrong",
        f"Import {ProductImport.objects.get().pk}: 1 added, 1 changed, 0 left out.",
    ]
    assert prices() == {"MUG-1": "13.00", "VASE": "30.00"}
    assert ProductImport.objects.get().actor == ada


def test_a_dry_run_leaves_nothing_behind(bring):
    assert bring(GOOD, "--dry-run")[-1] == "Nothing was changed."
    assert (prices(), ProductImport.objects.count()) == ({"MUG-1": "12.50"}, 0)


def test_wrong_rows_stop_all_unless_the_good_ones_are_wanted(bring, capsys):
    with pytest.raises(CommandError, match=r"wrong\..* Nothing was changed\."):
        bring(WRONG)
    assert "Line 4 BAD: Price: “cheap” isn't a price." in capsys.readouterr().out
    assert prices() == {"MUG-1": "12.50"}
    assert bring(WRONG, "--good-only")[-1].endswith("1 added, 1 changed, 1 left out.")
    assert prices() == {"MUG-1": "13.00", "VASE": "30.00"}


def test_stock_and_blanks_are_as_chosen(bring, mug):
    Product.objects.update(description="Old")
    bring("sku,description,stock\nMUG-1,,5\n", "--stock", "add", "--blank", "clear")
    mug.refresh_from_db()
    assert (mug.stock, mug.description) == (15, "")


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("", (), "is empty"),
        (GOOD, ("--as", "nobody@example.com"), "Say with --as EMAIL"),
        (GOOD, ("--as", "carl@example.com"), "Say with --as EMAIL"),
    ],
)
def test_what_cannot_be_done_is_said(bring, carl, text, options, said):
    with pytest.raises(CommandError, match=said):
        bring(text, *options)
    assert prices() == {"MUG-1": "12.50"}


def test_a_file_that_is_not_there(ada, tmp_path):
    with pytest.raises(CommandError, match=r"cannot be read: No such file or directory\."):
        call_command("import_products", str(tmp_path / "none.csv"))


def test_with_two_superusers_somebody_has_to_be_named(bring):
    bea = factories.create_user("Bea", "Staff", **factories.SUPERUSER_FIELDS)
    with pytest.raises(CommandError, match="--as"):
        bring(GOOD)
    bring(GOOD, "--as", "BEA@example.com")
    assert ProductImport.objects.get().actor == bea
