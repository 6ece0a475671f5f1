"""Schemas of models that are made for these tests."""

import pytest
from django.db import models
from django.test.utils import isolate_apps
from pydantic import BaseModel, TypeAdapter, ValidationError

from shop.api.model_filters import parameter_type
from shop.schema_factory import Body, request_schema


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
