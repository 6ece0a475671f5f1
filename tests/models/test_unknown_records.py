"""The error of a foreign key that is the key of no record."""

import pytest
from django.core.exceptions import ValidationError
from django.db import models
from django.test.utils import isolate_apps

from shop.models import Product
from shop.models.base import CleanTextModel


@pytest.mark.django_db
@isolate_apps("shop")
def test_an_unknown_record_is_told_as_by_a_many_to_many_field(mug):
    class Review(CleanTextModel):
        product = models.ForeignKey(Product, models.PROTECT, related_name="+")
        text = models.CharField(max_length=9)

        class Meta:
            app_label = "shop"

    Review(product_id=mug.pk, text="Good").clean_fields()
    with pytest.raises(ValidationError) as caught:
        Review(product_id=99, text="").clean_fields()
    found = caught.value.error_dict
    assert {name: [error.code for error in errors] for name, errors in found.items()} == {
        "product": ["invalid"],
        "text": ["blank"],
    }
    assert found["product"][0].params == {"key": 99}
