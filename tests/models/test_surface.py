"""The lists that everyone asks for, on a model made for this."""

import pytest
from django.db import models
from django.test.utils import isolate_apps

from shop import surface
from shop.models import Product, StockMovement


@pytest.fixture(scope="module")
def thing():
    with isolate_apps("shop"):

        class Thing(models.Model):  # noqa: DJ008
            STAFF_ONLY = frozenset({"margin", "invoice"})

            name = models.CharField(max_length=10)
            story = models.TextField()
            extras = models.JSONField()
            margin = models.IntegerField()
            weight = models.IntegerField(editable=False)
            photo = models.FileField()
            invoice = models.FileField()
            maker = models.ForeignKey(Product, models.CASCADE, related_name="+")
            double = models.GeneratedField(
                expression=models.F("margin") * 2, output_field=models.IntegerField(), db_persist=True
            )
            friends = models.ManyToManyField(Product, related_name="+")

            class Meta:
                app_label = "shop"

        yield Thing


def test_fields_are_the_columns_in_their_order(thing):
    names = [field.name for field in surface.fields(thing)]
    assert " ".join(names) == "id name story extras margin weight photo invoice maker double"
    assert surface.field(thing, "photo") is thing._meta.get_field("photo")


@pytest.mark.parametrize(
    ("ask", "names"),
    [
        (surface.readable, "id name story extras weight photo maker double"),
        (surface.writable, "name story extras maker"),
        (surface.editable, "name story extras margin photo invoice maker"),
        (surface.fixed, "weight double"),
        (surface.columns, "name margin weight maker double"),
        (surface.files, "photo"),
    ],
)
def test_the_surface_of_a_model_is(thing, ask, names):
    assert " ".join(ask(thing)) == names


def test_a_model_without_secrets_is_public():
    with isolate_apps("shop"):

        class Plain(models.Model):  # noqa: DJ008
            name = models.CharField(max_length=10)

            class Meta:
                app_label = "shop"

    assert surface.staff_only(Plain) == frozenset()
    assert surface.readable(Plain) == ["id", "name"]


def test_a_product_hides_what_is_for_staff_and_fixes_its_stock():
    assert Product.STAFF_ONLY.isdisjoint(surface.readable(Product))
    assert "low_stock_threshold" in surface.editable(Product)
    assert "stock" in surface.fixed(Product)
    assert "stock" not in surface.writable(Product)
    assert surface.files(Product) == ["image"]


def test_a_model_with_a_staff_only_has_declared_its_surface():
    assert Product in surface.declared()
    assert StockMovement not in surface.declared()
