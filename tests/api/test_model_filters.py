"""The query parameters that follow from a model's fields, on models made for these tests."""

import pytest
from django.db import models
from django.db.models.functions import Lower
from django.test.utils import isolate_apps
from pydantic import ValidationError

from shop.api.model_filters import build_condition, default_ordering, filter_schema, filters_of
from shop.api.paging import Paging
from shop.models import Product


@pytest.fixture(scope="module")
def thing():
    with isolate_apps("shop"):

        class Thing(models.Model):  # noqa: DJ008
            STAFF_ONLY = frozenset({"margin", "code"})

            name = models.CharField(max_length=10, unique=True)
            code = models.CharField(max_length=10)
            page = models.CharField(max_length=10)
            notes = models.TextField(null=True)  # noqa: DJ001
            extras = models.JSONField(default=dict)
            margin = models.IntegerField(db_index=True)
            size = models.IntegerField(choices=[(1, "S"), (2, "L")], blank=True, null=True)
            key = models.UUIDField(unique=True)
            share = models.FloatField()
            photo = models.FileField()
            maker = models.ForeignKey(Product, models.CASCADE, related_name="+")
            sold_on = models.DateField(null=True)
            sent_at = models.DateTimeField()
            double = models.GeneratedField(
                expression=models.F("share") * 2,
                output_field=models.FloatField(),
                db_persist=True,
            )

            class Meta:
                app_label = "shop"
                ordering = ("-name",)
                constraints = (models.UniqueConstraint(Lower("page"), name="page_is_unique"),)

        yield Thing


@pytest.fixture(scope="module")
def filters(thing):
    class ThingFilters(Paging):
        pass

    return filter_schema(thing)(ThingFilters)


def test_each_readable_field_has_the_parameters_of_its_kind(filters):
    names = "page page_size search ordering expand id name has_notes size has_size key"
    names += " min_share max_share has_photo maker_id sold_on_from sold_on_to has_sold_on"
    names += " sent_from sent_to min_double max_double"
    assert list(filters.model_fields) == names.split()


def test_a_list_is_sorted_as_the_model_says_or_by_its_key(thing):
    assert default_ordering(thing) == "-name"
    with isolate_apps("shop"):

        class Plain(models.Model):  # noqa: DJ008
            class Meta:
                app_label = "shop"
                ordering = ("?",)

    assert default_ordering(Plain) == "id"


def test_values_are_read_by_their_types(filters):
    read = filters(size=["1", "2"], maker_id=["7"], min_share="1.5", expand=["maker"])
    assert (read.size, read.maker_id, read.expand) == ((1, 2), (7,), ("maker",))
    assert hash(read) == hash(filters(**read.model_dump()))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", ["3"]),
        ("size", ["one"]),
        ("key", ["x"]),
        ("maker_id", ["1.0"]),
        ("min_share", "inf"),
        ("min_share", "1e5"),
        ("max_share", "1" * 16),
        ("ordering", "margin"),
        ("ordering", "code"),
        ("expand", ["photo"]),
    ],
)
def test_other_values_are_refused(filters, name, value):
    with pytest.raises(ValidationError) as excinfo:
        filters(**{name: value})
    assert excinfo.value.errors()[0]["loc"][0] == name


def test_a_search_reads_public_texts_only(thing, filters):
    condition = str(build_condition(thing, filters(search="red mug")))
    assert condition.count("name__icontains") == condition.count("page__icontains") == 2
    assert "code" not in condition


def test_staff_only_fields_are_no_parameters(thing):
    names = {parameter.definition[0] for parameter in filters_of(thing)}
    assert names.isdisjoint({"margin", "min_margin", "max_margin", "code"})
