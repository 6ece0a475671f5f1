"""Schemas of models that are made for these tests."""

import pytest
from django.db import models
from django.db.models import Case, F, GeneratedField, Q, When
from django.db.models.functions import NullIf
from django.test.utils import isolate_apps
from pydantic import BaseModel, TypeAdapter, ValidationError

from shop.api.model_filters import parameter_type
from shop.schema_factory import Body, request_schema, response_schema


@pytest.fixture
def build():
    """`build(weight=IntegerField())` returns a model with these fields."""
    with isolate_apps("shop"):

        def build(**fields):
            meta = type("Meta", (), {"app_label": "shop"})
            return type("Thing", (models.Model,), {"__module__": __name__, "Meta": meta, **fields})

        yield build


def accepts(schema, value):
    try:
        if isinstance(schema, type) and issubclass(schema, BaseModel):
            schema(**value)
        else:
            TypeAdapter(schema).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("field", "value", "is_text"),
    [
        (models.IntegerField(choices=[(1, "one")], null=True, blank=True), 1, False),
        (models.CharField(choices=[("a", "A")], max_length=1, blank=True), "a", True),
        (models.CharField(choices=[("a", "A")], max_length=1, null=True, blank=True), "a", True),
    ],
)
def test_only_a_text_has_an_empty_choice(build, field, value, is_text):
    model = build(grade=field.clone())
    body = request_schema(model, ["grade"])(Body)
    parameter = parameter_type(model._meta.get_field("grade"))
    assert accepts(body, {"grade": value})
    assert accepts(body, {"grade": None}) is field.null
    assert accepts(body, {"grade": ""}) is is_text
    assert accepts(parameter, str(value))
    assert accepts(parameter, "") is is_text


WEIGHT = {"weight": models.IntegerField(), "limit": models.IntegerField(null=True)}


@pytest.mark.parametrize(
    ("expression", "output", "is_nullable"),
    [
        (Q(weight__gt=5), models.BooleanField(), False),
        (~Q(weight=5) | Q(weight=F("id")), models.BooleanField(), False),
        (F("weight") * 2 + F("id"), models.IntegerField(), False),
        (F("weight") * 2, models.IntegerField(null=True), True),
        (Q(weight__gt=F("limit")), models.BooleanField(), True),
        (F("weight") / F("id"), models.IntegerField(), True),
        (NullIf("weight", 0), models.IntegerField(), True),
        (Case(When(weight=1, then=2)), models.IntegerField(), True),
    ],
)
def test_a_generated_value_may_be_null_unless_it_cannot_be(build, expression, output, is_nullable):
    fields = {name: field.clone() for name, field in WEIGHT.items()}
    size = GeneratedField(expression=expression, output_field=output.clone(), db_persist=True)
    schema = response_schema(build(**fields, size=size), ["size"])(BaseModel)
    assert accepts(schema, {"size": 1})
    assert accepts(schema, {"size": None}) is is_nullable


def test_a_generated_value_may_be_null_if_its_field_says_so(build):
    size = GeneratedField(
        expression=F("id"), output_field=models.IntegerField(), db_persist=True, null=True
    )
    assert accepts(response_schema(build(size=size), ["size"])(BaseModel), {"size": None})
