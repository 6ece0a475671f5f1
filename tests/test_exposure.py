"""The lists of fields, on a model made for these tests."""

import pytest
from django.db import models
from django.test.utils import isolate_apps

from shop import exposure
from shop.models import Product, StockMovement


@pytest.fixture(scope="module")
def thing():
    with isolate_apps("shop"):

        class Thing(models.Model):  # noqa: DJ008
            STAFF_ONLY = frozenset({"margin", "invoice"})

            name = models.CharField(max_length=10)
            notes = models.TextField()
            extras = models.JSONField()
            margin = models.IntegerField()
            weight = models.IntegerField(editable=False)
            photo = models.FileField()
            invoice = models.FileField()
            maker = models.ForeignKey(Product, models.CASCADE, related_name="+")
            double = models.GeneratedField(
                expression=models.F("margin") * 2,
                output_field=models.IntegerField(),
                db_persist=True,
            )
            friends = models.ManyToManyField(Product, related_name="+")

            class Meta:
                app_label = "shop"

        yield Thing


def test_concrete_fields_are_in_declaration_order(thing):
    names = [field.name for field in exposure.concrete_fields(thing)]
    assert " ".join(names) == "id name notes extras margin weight photo invoice maker double"
    assert exposure.get_field(thing, "photo") is thing._meta.get_field("photo")


@isolate_apps("shop")
def test_bytes_are_no_column_of_a_list():
    class Letter(models.Model):  # noqa: DJ008
        seal = models.BinaryField(editable=True)

        class Meta:
            app_label = "shop"

    assert exposure.list_columns(Letter) == []


@pytest.mark.parametrize(
    ("get_names", "names"),
    [
        (exposure.api_readable_fields, "id name notes extras weight photo maker double friends"),
        (exposure.api_writable_fields, "name notes extras maker friends"),
        (exposure.editable_fields, "name notes extras margin photo invoice maker friends"),
        (exposure.file_fields, "name notes extras margin maker friends"),
        (exposure.read_only_fields, "weight double"),
        (exposure.list_columns, "name margin weight maker double"),
        (exposure.media_fields, "photo"),
    ],
)
def test_the_exposed_fields_of_a_model(thing, get_names, names):
    assert " ".join(get_names(thing)) == names


def test_all_fields_are_public_without_staff_only():
    with isolate_apps("shop"):

        class Plain(models.Model):  # noqa: DJ008
            name = models.CharField(max_length=10)

            class Meta:
                app_label = "shop"

    assert exposure.staff_only_fields(Plain) == frozenset()
    assert exposure.api_readable_fields(Plain) == ["id", "name"]


def test_staff_only_and_stock_of_a_product_are_not_writable():
    assert Product.STAFF_ONLY.isdisjoint(exposure.api_readable_fields(Product))
    assert "low_stock_threshold" in exposure.editable_fields(Product)
    assert "stock" in exposure.read_only_fields(Product)
    assert "stock" not in exposure.api_writable_fields(Product)
    assert "image" in exposure.media_fields(Product)


def test_models_with_staff_only_are_exposed():
    assert Product in exposure.exposed_models()
    assert StockMovement not in exposure.exposed_models()


@pytest.mark.parametrize(
    ("field", "empty", "erased"),
    [
        (models.CharField(max_length=20, blank=True), "", ""),
        (models.CharField(max_length=20), "", "[erased]"),
        (models.CharField(max_length=4), "", "[era"),
        (models.CharField(max_length=9, null=True), None, None),
        (models.CharField(max_length=9, default="none"), "none", "none"),
        (models.TextField(), "", "[erased]"),
        (models.IntegerField(default=3), 3, 3),
        (models.JSONField(default=dict), {}, {}),
        (models.DateField(null=True), None, None),
        (models.FileField(), "", ""),
        (models.ManyToManyField(Product), [], []),
    ],
)
def test_the_value_of_a_cleared_and_of_an_erased_field(field, empty, erased):
    assert (exposure.empty_value(field), exposure.erased_value(field)) == (empty, erased)
    assert exposure.can_be_erased(field)
