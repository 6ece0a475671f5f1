"""One line on `Product` and a migration, nothing else: proved on a copy of the project."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

# The copy has a database of its own, so that once is enough.
pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="runs on its own SQLite")
ROOT = Path(__file__).parents[2]
PRODUCT = "    is_active = models.BooleanField("
FIELDS = """
    colour = models.CharField("colour", max_length=12, blank=True, help_text="As on the label.")
    size = models.CharField("size", max_length=1, choices=[("s", "Small"), ("l", "Large")], default="s")
    weight = models.PositiveSmallIntegerField("weight", null=True, validators=[MaxValueValidator(5000)])
    is_fragile = models.BooleanField("fragile", default=False)
    sold_from = models.DateField("sold from", null=True, blank=True)
    drawn_at = models.DateTimeField("drawn at", null=True, blank=True)
    tare = models.DecimalField("tare", max_digits=6, decimal_places=3, default=0)
    site = models.URLField("site", blank=True)
    facts = models.JSONField("facts", default=dict, blank=True)
    manual = models.FileField("manual", blank=True)
    views = models.IntegerField("views", default=0, editable=False)
    supplier = models.ForeignKey("shop.Supplier", models.PROTECT, null=True, blank=True)
    cost = MoneyField("cost", default=0)
"""
SUPPLIER = '''

class Supplier(CleanTextModel):
    """Who makes it."""

    STAFF_ONLY: ClassVar[frozenset[str]] = frozenset({"margin"})

    name = models.CharField("name", max_length=50)
    margin = MoneyField("margin", default=0)

    def __str__(self) -> str:
        return self.name
'''


def grow(shop):
    """The edit that a developer would make."""
    source = shop / "models" / "products.py"
    text = source.read_text().replace(
        'frozenset({"low_stock_threshold", "is_low"})',
        'frozenset({"low_stock_threshold", "is_low", "cost"})',
    )
    assert text.count(PRODUCT) == 1
    source.write_text(text.replace(PRODUCT, FIELDS + PRODUCT) + SUPPLIER)


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """What a grown copy of the project says of itself: see `low_code_probe.py`."""
    copy = tmp_path_factory.mktemp("grown")
    for name in ("settings", "shop", "templates", "manage.py"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, copy / name)
    grow(copy / "shop")
    shutil.copy(Path(__file__).parent / "probe.py", copy)
    environ = os.environ | {
        "DATABASE_URL": "sqlite:///grown.sqlite3",
        "DJANGO_SETTINGS_MODULE": "settings.development",
        "EMAIL_URL": "dummy://",
    }
    for command in ("makemigrations", "migrate"):
        made = [sys.executable, "manage.py", command, "-v0"]
        subprocess.run(made, cwd=copy, env=environ, check=True)
    probe = [sys.executable, "probe.py"]
    return json.loads(
        subprocess.run(probe, cwd=copy, env=environ, check=True, stdout=subprocess.PIPE).stdout
    )


NEW = (
    "colour",
    "size",
    "weight",
    "is_fragile",
    "sold_from",
    "drawn_at",
    "tare",
    "site",
    "facts",
    "supplier",
)


def test_a_new_field_is_in_the_form_and_the_list_of_the_admin(grown):
    assert {*NEW, "manual", "cost", "views"} <= set(grown["form"])
    assert {*NEW, "cost", "views"} - {"facts"} <= set(grown["columns"])
    assert grown["saved_in_admin"] == {"colour": "blue", "size": "l", "cost": "3.20"}


def test_a_new_field_is_in_the_product_file_by_the_name_that_staff_read(grown):
    known = ("name", "SKU", "description", "price", "picture", "active", "reorder level", "stock")
    assert {k: v for k, v in grown["exported"].items() if k not in (*known, "stock at export")} == {
        "colour": "blue",
        "size": "l",
        "weight": "300",
        "fragile": "yes",
        "sold from": "2026-03-01",
        "drawn at": "2026-01-02T03:04:05Z",
        "tare": "1.250",
        "site": "https://example.com/",
        "facts": "{}",
        "supplier": "1",
        "manual": "",
        "cost": "3.20",
    }


@pytest.mark.parametrize("name", NEW)
def test_a_new_field_is_in_the_answer_the_bodies_and_the_document(grown, name):
    attribute = "supplier_id" if name == "supplier" else name
    assert attribute in grown["answer"]
    for body in ("ProductOut", "ProductIn", "ProductPatch"):
        assert attribute in grown["document"][body]


def test_what_was_sent_is_what_is_answered(grown):
    sent = {key: grown["answer"][key] for key in grown["sent"]}
    assert sent == grown["sent"]
    assert grown["patched"]["colour"] == "red"


def test_the_fields_words_are_the_documents_words(grown):
    colour = grown["document"]["ProductIn"]["colour"]
    assert (colour["title"], colour["description"], colour["maxLength"]) == (
        "Colour",
        "As on the label.",
        12,
    )


def test_the_fields_rules_are_the_apis_rules(grown):
    assert grown["refusals"] == {
        "colour": 422,
        "size": 422,
        "weight": 422,
        "is_fragile": 422,
        "sold_from": 422,
        "drawn_at": 422,
        "tare": 422,
        "site": 422,
        "supplier_id": 422,
        "views": 422,
        "cost": 422,
        "manual": 422,
    }


def test_staff_only_and_files_and_fixed_fields_keep_their_place(grown):
    for body in ("ProductOut", "ProductIn", "ProductPatch"):
        assert "cost" not in grown["document"][body]
    assert "manual" in grown["document"]["ProductOut"]
    assert "views" in grown["document"]["ProductOut"]
    for body in ("ProductIn", "ProductPatch"):
        assert not {"manual", "views"} & set(grown["document"][body])


def test_another_model_has_a_screen_and_addresses(grown):
    assert grown["supplier"] == {
        "created": [201, {"id": 2, "name": "Kiln & Sons"}],
        "changed": [200, {"id": 2, "name": "Kiln"}],
        "listed": ["Potter", "Kiln"],
        "in_use": [409, "in-use"],
        "deleted": 204,
        "gone": 404,
        "customer_writes": 403,
        "secret": 422,
        "screen": 200,
    }


def test_a_new_field_is_read_from_a_file_written_and_taken_back(grown):
    imported = grown["imported"]
    assert imported["first"] == ["new", "changed"]
    assert imported["jug"] == [
        "l",
        "1.250",
        "2026-01-02 03:04:05+00:00",
        "{'dishwasher': True}",
        "1",
        "3.20",
    ]
    assert imported["again"] == ["same", "same"]
    assert (imported["undone"], imported["gone"]) == (["updated_at"], True)


def test_a_new_fields_cells_are_refused_in_words(grown):
    assert grown["imported"]["bad"] == {
        "colour": "Colour is too long: it may have 12 characters, this has 18.",
        "size": "Size: “Larg” is none of Small, Large. Did you mean “large”?",
        "weight": "Weight must be at most 5000.",
        "fragile": "Fragile: “perhaps” is neither yes nor no. Write “yes” or “no”.",
        "sold from": "Sold from is no date. Write it like 2026-03-31.",
        "tare": "Tare has more than 3 decimals.",
        "site": "Site: Enter a valid URL.",
        "facts": "Facts: “{” is no JSON.",
        "supplier": "Supplier: there is no 99.",
        "cost": "Cost: “x” isn't a price. Write it like 12.50.",
    }
