"""Integers have the same limits on every database: those of PostgreSQL's columns."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.test.utils import isolate_apps
from pydantic import ValidationError as RequestValidationError

from shop.models.base import CleanTextModel
from shop.schema_factory import Body, numeric_limits, request_schema

RANGES = [
    (models.SmallIntegerField, -(2**15), 2**15 - 1),
    (models.IntegerField, -(2**31), 2**31 - 1),
    (models.BigIntegerField, -(2**63), 2**63 - 1),
    (models.PositiveSmallIntegerField, 0, 2**15 - 1),
    (models.PositiveIntegerField, 0, 2**31 - 1),
    (models.PositiveBigIntegerField, 0, 2**63 - 1),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("field", "least", "largest"), RANGES)
@isolate_apps("shop")
def test_an_integer_beyond_the_column_is_refused(field, least, largest):
    class Thing(CleanTextModel):
        size = field()

        class Meta:
            app_label = "shop"

    size = Thing._meta.get_field("size")
    assert numeric_limits(size) == {"ge": least, "le": largest}
    body = request_schema(Thing, ["size"])(Body)
    for value in (least, largest):
        Thing(size=value).clean_fields()
        assert body(size=value).size == value
    for value in (least - 1, largest + 1):
        with pytest.raises(ValidationError):
            Thing(size=value).clean_fields()
        with pytest.raises(RequestValidationError):
            body(size=value)


def test_the_range_of_a_key_is_the_columns():
    assert connection.ops.integer_field_range("BigAutoField") == (-(2**63), 2**63 - 1)
