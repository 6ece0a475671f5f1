"""A new field needs a line in the model and a migration: tested on a copy of the project."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

# The copy uses its own database, so one run is enough.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="runs on its own SQLite"),
]
ROOT = Path(__file__).parents[2]
INSERT_BEFORE = "    is_active = models.BooleanField("
FIELDS = """
    colour = models.CharField("colour", max_length=12, blank=True, help_text="As on the label.")
    size = models.CharField(
        "size", max_length=1, choices=[("s", "Small"), ("l", "Large")], default="s"
    )
    weight = models.PositiveSmallIntegerField(
        "weight", null=True, validators=[MaxValueValidator(5000)]
    )
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
    """A supplier of products."""

    STAFF_ONLY: ClassVar[frozenset[str]] = frozenset({"margin"})

    name = models.CharField("name", max_length=50)
    margin = MoneyField("margin", default=0)

    def __str__(self) -> str:
        return self.name
'''


def add_fields(shop):
    """Edit the models as a developer would."""
    source = shop / "models" / "products.py"
    text = source.read_text().replace(
        'frozenset({"low_stock_threshold", "is_low"})',
        'frozenset({"low_stock_threshold", "is_low", "cost"})',
    )
    assert text.count(INSERT_BEFORE) == 1
    source.write_text(text.replace(INSERT_BEFORE, FIELDS + INSERT_BEFORE) + SUPPLIER)


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """The results of `probe.py` in an extended copy of the project."""
    copy = tmp_path_factory.mktemp("extended")
    for name in ("settings", "shop", "templates", "manage.py"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, copy / name)
    add_fields(copy / "shop")
    shutil.copy(Path(__file__).parent / "probe.py", copy)
    environ = os.environ | {
        "DATABASE_URL": "sqlite:///extended.sqlite3",
        "DJANGO_SETTINGS_MODULE": "settings.development",
        "EMAIL_URL": "dummy://",
    }
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


def test_new_fields_are_in_the_admins_form_and_list(extended):
    assert {*NEW, "manual", "cost", "views"} <= set(extended["form"])
    assert {*NEW, "cost", "views"} - {"facts"} <= set(extended["columns"])
    assert extended["saved_in_admin"] == {"colour": "blue", "size": "l", "cost": "3.20"}


def test_new_fields_are_in_the_product_file_by_their_verbose_names(extended):
    expected = {
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
    assert {name: extended["exported"].get(name) for name in expected} == expected
    assert "views" not in extended["exported"]


@pytest.mark.parametrize("name", NEW)
def test_a_new_field_is_in_the_api_and_its_document(extended, name):
    attribute = "supplier_id" if name == "supplier" else name
    assert attribute in extended["response"]
    for body in ("ProductOut", "ProductIn", "ProductPatch"):
        assert attribute in extended["document"][body]


def test_the_api_stores_and_returns_the_new_fields(extended):
    values = extended["values"]
    assert {name: extended["response"][name] for name in values} == values
    assert extended["patched"]["colour"] == "red"


def test_the_document_contains_the_fields_texts_and_limits(extended):
    colour = extended["document"]["ProductIn"]["colour"]
    assert (colour["title"], colour["description"], colour["maxLength"]) == (
        "Colour",
        "As on the label.",
        12,
    )


def test_the_api_enforces_the_fields_validators(extended):
    assert {*NEW, "views", "cost", "manual"} - {"supplier", "facts"} <= extended["refusals"].keys()
    assert set(extended["refusals"].values()) == {422}


def test_staff_only_files_and_read_only_fields_are_not_writable(extended):
    for body in ("ProductOut", "ProductIn", "ProductPatch"):
        assert "cost" not in extended["document"][body]
    assert "manual" in extended["document"]["ProductOut"]
    assert "views" in extended["document"]["ProductOut"]
    for body in ("ProductIn", "ProductPatch"):
        assert not {"manual", "views"} & set(extended["document"][body])


def test_a_new_model_has_an_admin_page_and_endpoints(extended):
    assert extended["supplier"] == {
        "created": [201, {"id": 2, "name": "Kiln & Sons"}],
        "changed": [200, {"id": 2, "name": "Kiln"}],
        "listed": ["Potter", "Kiln"],
        "in_use": [409, "in-use"],
        "deleted": 204,
        "gone": 404,
        "customer_writes": 403,
        "secret": 422,
        "admin_page": 200,
    }


def test_new_fields_are_imported_and_undone(extended):
    imported = extended["imported"]
    assert imported["first"] == ["new", "changed"]
    assert imported["jug"] == [
        "l",
        "1.250",
        "2026-01-02 03:04:05+00:00",
        "{'dishwasher': True}",
        "1",
        "3.20",
    ]
    assert imported["again"] == ["unchanged", "unchanged"]
    assert (imported["undone"], imported["gone"]) == (["updated_at"], True)


def test_invalid_cells_of_new_fields_are_reported_per_column(extended):
    assert extended["imported"]["errors"] == {
        "colour": ["colour"],
        "size": ["size"],
        "weight": ["weight"],
        "fragile": ["is_fragile"],
        "sold from": ["sold_from"],
        "tare": ["tare"],
        "site": ["site"],
        "facts": ["facts"],
        "supplier": ["supplier"],
        "cost": ["cost"],
    }
