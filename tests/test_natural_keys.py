"""Names of records in product files."""

import pytest
from django.contrib.auth.models import Group
from django.db import models
from django.test.utils import isolate_apps

from shop import natural_keys
from shop.models import Order, Product, User
from shop.models.base import CleanTextModel
from shop.natural_keys import NaturalKeys, has_natural_key, join_keys, natural_key_field, split_keys


@pytest.mark.parametrize(
    ("cell", "texts"),
    [
        ("mug; gift", ["mug", "gift"]),
        ("mug;gift", ["mug", "gift"]),
        (" mug ;; gift ;", ["mug", "gift"]),
        ('"salt; pepper"; mug', ["salt; pepper", "mug"]),
        ('"salt; pepper" ;mug', ["salt; pepper", "mug"]),
        ('"say ""hi"""', ['say "hi"']),
        ('12" plate; mug', ['12" plate', "mug"]),
        ("mug, large", ["mug, large"]),
        ("mug\ngift", ["mug", "gift"]),
        ("", []),
        (" ; ", []),
    ],
)
def test_a_cell_lists_texts_as_csv_does(cell, texts):
    assert split_keys(cell) == texts


@pytest.mark.parametrize(
    "texts", [["gift", "mug"], ["a; b", "c"], ['"', '""'], [], ["=x"], [' "a" ;'.strip()]]
)
def test_texts_are_read_as_they_were_written(texts):
    assert split_keys(join_keys(texts)) == sorted(texts)


def test_texts_are_written_in_order_and_quoted_where_needed():
    assert join_keys(["mug", "salt; pepper", 'a "b"']) == '"a ""b"""; mug; "salt; pepper"'


@pytest.mark.django_db
def test_a_record_is_found_by_its_text_and_never_by_its_id(statements, mug, lamp):
    with statements(1):
        keys = NaturalKeys(Product)
        assert keys.find("MUG-1") == mug.pk
        assert keys.find(" mug-1") == mug.pk
        assert keys.find(str(mug.pk)) is None
        assert (keys.nearest("MUG1"), keys.nearest("xyz")) == ("MUG-1", "")
        assert list(keys.format([lamp.pk, 0, mug.pk])) == ["LAMP-1", "MUG-1"]


@pytest.mark.django_db
def test_a_text_that_fits_two_records_but_for_case_finds_neither():
    Group.objects.bulk_create([Group(name=name) for name in ("PACKERS", "packers", "Sales  team")])
    keys = NaturalKeys(Group)
    assert keys.find("packers") == Group.objects.get(name="packers").pk
    assert keys.find("Packers") is None
    assert keys.find("sales team") == Group.objects.get(name="Sales  team").pk


@pytest.mark.django_db
def test_suggestions_end_when_too_much_was_compared(monkeypatch, mug, lamp):
    monkeypatch.setattr(natural_keys, "MAX_COMPARISONS", 3)
    keys = NaturalKeys(Product)
    assert [keys.nearest(text) for text in ("MUG-2", "LAMP-2", "MUG-3", "MUG-2")] == [
        "MUG-1",
        "LAMP-1",
        "",
        "MUG-1",
    ]


@pytest.mark.django_db
def test_django_s_natural_keys_name_records(ada):
    assert NaturalKeys(User).find("ADA@example.com") == ada.pk
    assert natural_key_field(User) is None


@isolate_apps("shop")
def test_which_models_have_a_natural_key():
    class Colour(CleanTextModel):
        name = models.CharField(max_length=10, unique=True)

        class Meta:
            app_label = "shop"

    class Note(CleanTextModel):
        text = models.CharField(max_length=10)

        class Meta:
            app_label = "shop"

    class Part(CleanTextModel):
        name = models.CharField(max_length=10, unique=True)
        code = models.CharField(max_length=10, unique=True)

        class Meta:
            app_label = "shop"

    assert [has_natural_key(model) for model in (Colour, Note, Part, Product, User, Group)] == [
        True,
        False,
        False,
        True,
        True,
        True,
    ]


@isolate_apps("shop")
def test_a_relation_is_a_column_if_its_records_can_be_named():
    class Colour(CleanTextModel):
        name = models.CharField(max_length=10, unique=True)

        class Meta:
            app_label = "shop"

    class Note(CleanTextModel):
        text = models.CharField(max_length=10)

        class Meta:
            app_label = "shop"

    class Item(CleanTextModel):
        colour = models.ForeignKey(Colour, models.PROTECT)
        by_name = models.ForeignKey(Colour, models.PROTECT, to_field="name", related_name="+")
        note = models.ForeignKey(Note, models.PROTECT)
        colours = models.ManyToManyField(Colour, related_name="+")
        notes = models.ManyToManyField(Note)
        count = models.IntegerField()

        class Meta:
            app_label = "shop"

    assert [field.name for field in natural_keys.file_fields(Item)] == [
        "colour",
        "count",
        "colours",
    ]


def test_an_order_is_named_by_its_number():
    assert natural_key_field(Order) == Order._meta.get_field("order_number")
