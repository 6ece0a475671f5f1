"""Names in cells that no record has."""

import pytest
from django.contrib.auth.models import Group

from shop.models import Order, User
from shop.product_files.imports.field_parsing import CellError
from shop.product_files.imports.relations import RelatedNames


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("model", "field", "needs_more"),
    [(User, "groups", False), (Order, "user", True)],
    ids=["a unique text", "a key of its own"],
)
def test_a_missing_record_that_needs_more_than_its_name_is_explained(
    monkeypatch, model, field, needs_more
):
    monkeypatch.delattr(Group, "natural_key")  # its name alone is unique
    names = RelatedNames([model._meta.get_field(field)])
    with pytest.raises(CellError) as error:
        names.parsers[field]("zzzzz")
    assert bool(error.value.suggestion) == needs_more
    assert [entry["name"] for entry in names.missing] == ([] if needs_more else ["zzzzz"])
