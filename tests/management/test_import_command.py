"""The `import_products` command."""

import pytest
from django.core.management import CommandError, call_command
from support import factories

from shop.models import ChangeSet, Product

VALID = "sku,name,price,stock\nMUG-1,Mug,13.00,\nVASE,Vase,30,4\n"
WITH_ERROR = f"{VALID}BAD,Bad,cheap,1\n"


@pytest.fixture
def run_import(ada, mug, tmp_path, capsys):
    """`run_import(text, "--dry-run")`: run the command on this text, return the printed lines."""

    def run(text, *options):
        file = tmp_path / "spring.csv"
        file.write_text(text)
        call_command("import_products", str(file), *options)
        return capsys.readouterr().out.splitlines()

    return run


def prices():
    return {p.sku: str(p.price) for p in Product.objects.order_by("pk")}


def test_file_is_imported(run_import, ada):
    assert run_import(VALID) == [
        "spring.csv: CSV, UTF-8, format: This shop",
        "This file has stock numbers. What should we do with them?",
        "New: 1, Changed: 1, Unchanged: 0, Skipped: 0, Errors: 0",
        f"Import {ChangeSet.objects.get().pk}: 1 added, 1 changed, 0 left out.",
    ]
    assert prices() == {"MUG-1": "13.00", "VASE": "30.00"}
    assert ChangeSet.objects.get().actor == ada


def test_dry_run_changes_nothing(run_import):
    assert run_import(VALID, "--dry-run")[-1] == "Nothing was changed."
    assert (prices(), ChangeSet.objects.count()) == ({"MUG-1": "12.50"}, 0)


def test_errors_stop_the_import_unless_left_out(run_import, capsys):
    with pytest.raises(CommandError, match=r" Nothing was changed\."):
        run_import(WITH_ERROR)
    assert "Line 4 BAD: Price: “cheap” isn't a price." in capsys.readouterr().out
    assert prices() == {"MUG-1": "12.50"}
    assert run_import(WITH_ERROR, "--good-only")[-1].endswith("1 added, 1 changed, 1 left out.")
    assert prices() == {"MUG-1": "13.00", "VASE": "30.00"}


def test_stock_and_blank_options(run_import, mug):
    Product.objects.update(description="Old")
    run_import("sku,description,stock\nMUG-1,,5\n", "--stock", "add", "--blank", "clear")
    mug.refresh_from_db()
    assert (mug.stock, mug.description) == (15, "")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", (), "is empty"),
        (VALID, ("--as", "nobody@example.com"), "--as EMAIL"),
        (VALID, ("--as", "carl@example.com"), "--as EMAIL"),
    ],
)
def test_errors_of_file_and_user(run_import, carl, text, options, message):
    with pytest.raises(CommandError, match=message):
        run_import(text, *options)
    assert prices() == {"MUG-1": "12.50"}


def test_missing_file(ada, tmp_path):
    with pytest.raises(CommandError, match=r"cannot be read: No such file or directory\."):
        call_command("import_products", str(tmp_path / "none.csv"))


def test_one_of_two_superusers_must_be_named(run_import):
    bea = factories.create_user("Bea", "Staff", **factories.SUPERUSER_FIELDS)
    with pytest.raises(CommandError, match="--as"):
        run_import(VALID)
    run_import(VALID, "--as", "BEA@example.com")
    assert ChangeSet.objects.get().actor == bea
