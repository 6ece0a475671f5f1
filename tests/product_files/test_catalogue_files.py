"""Files of models that the shop doesn't have; others stand for them."""

import uuid
from types import SimpleNamespace

import pytest
from django.utils import timezone
from tablib import Dataset

from shop.models import Product, Session
from shop.product_files.catalogue_files import RecordLoader, file_columns, resource_class


@pytest.fixture
def own_key(monkeypatch):
    """Let name and price be the natural key of a product, as Django declares it."""
    monkeypatch.setattr(
        Product, "natural_key", lambda self: (self.name, f"{self.price:.2f}"), raising=False
    )
    manager = type(Product._default_manager)
    monkeypatch.setattr(manager, "get_by_natural_key", lambda *_key: None, raising=False)


def run(actor, *rows, headers=("name", "price", "description"), dry_run=False):
    data = Dataset(*rows, headers=headers)
    return resource_class(Product)().import_data(data, dry_run=dry_run, user=actor)


@pytest.mark.usefixtures("own_key")
def test_a_record_is_found_by_a_key_of_several_fields(ada, mug, lamp):
    name, price = mug.name, str(mug.price)
    assert "id" not in [field.name for field in file_columns(Product)]
    result = run(ada, [name, price, "Blue"], [name, "99.00", ""], ["Vase", price, ""], dry_run=True)
    assert [row.import_type for row in result.rows] == ["update", "new", "new"]
    result = run(ada, [name.upper(), price, "Blue"])
    assert [row.import_type for row in result.rows] == ["update"]
    mug.refresh_from_db()
    assert (mug.description, Product.objects.count()) == ("Blue", 2)


@pytest.mark.usefixtures("own_key")
@pytest.mark.parametrize("second", ["same", "cheap"])
def test_a_key_in_two_rows_or_with_a_wrong_part_is_an_error(ada, mug, second):
    rows = [[mug.name, str(mug.price), "Blue"]]
    rows.append([mug.name, str(mug.price) if second == "same" else second, "Red"])
    result = run(ada, *rows, dry_run=True)
    assert [row.number for row in (*result.error_rows, *result.invalid_rows)] == [2]
    assert list(Product.objects.values_list("description", flat=True)) == [mug.description]


def test_an_id_can_be_other_than_a_number(carl):
    session = Session.objects.create(user=carl, expires_at=timezone.now())
    resource = SimpleNamespace(
        _meta=SimpleNamespace(model=Session), get_queryset=Session.objects.all
    )
    assert RecordLoader(resource).get_instance({"id": str(session.pk)}) == session
    for unknown in (str(uuid.uuid4()), "12"):
        with pytest.raises(ValueError, match="ID"):
            RecordLoader(resource).get_instance({"id": unknown})
