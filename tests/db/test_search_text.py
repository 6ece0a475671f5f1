"""The column of folded text: maintained by the database, and read by conditions only."""

import pytest
from django.core import serializers
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from support import factories

from shop import exposure
from shop.db.bulk_rows import insert_rows
from shop.models import CartItem, Product, User

pytestmark = pytest.mark.django_db


def search_texts(model):
    return list(model.objects.order_by("pk").values_list("search_text", flat=True))


def test_the_column_follows_its_fields_whoever_writes_them():
    insert_rows([Product(name="Crème", sku="A", price=1)])
    Product.objects.bulk_create([Product(name="Öl", sku="B", description="Süß", price=1)])
    product = Product.objects.get(sku="A")
    product.description, product.barcode = "Brûlée", "4006381333931"
    product.save()
    assert search_texts(Product) == ["creme\na\nbrulee\n4006381333931", "ol\nb\nsuss\n"]
    Product.objects.update(name=F("sku"))
    assert search_texts(Product) == ["a\na\nbrulee\n4006381333931", "b\nb\nsuss\n"]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE shop_product SET description = 'ÉTÉ' WHERE sku = 'B'")
    assert search_texts(Product)[1] == "b\nb\nete\n"


def test_users_are_folded_too():
    User.objects.create(email="zoe@a.example", first_name="Zoë", last_name="Øre", phone="+49 30")
    assert search_texts(User) == ["zoe@a.example\nzoe\nore\n+49 30\n4930"]


@pytest.mark.parametrize("model", [Product, User])
def test_the_column_is_in_no_list_of_fields(model):
    lists = [
        exposure.api_readable_fields(model),
        exposure.api_writable_fields(model),
        exposure.editable_fields(model),
        exposure.file_fields(model),
        exposure.read_only_fields(model),
        exposure.list_columns(model),
        [field.name for field in model._meta.concrete_fields],
        [field.name for field in model._meta.db_returning_fields],
    ]
    assert [names for names in lists if "search_text" in names] == []


def test_no_statement_selects_or_returns_the_column(carl, mug):
    with CaptureQueriesContext(connection) as queries:
        factories.add_to_cart(carl, (mug, 1))
        line = CartItem.objects.select_related("user", "product").get()
        line.product.name = "Cup"
        line.product.save()
        line.product.refresh_from_db()
        insert_rows([Product(name="Lamp", sku="L", price=1)])
        (values,) = Product.objects.filter(pk=mug.pk).values()
        serialized = serializers.serialize("json", [mug, carl])
    assert queries
    assert [query["sql"] for query in queries if "search_text" in query["sql"]] == []
    assert "search_text" not in values
    assert "search_text" not in serialized
    assert not hasattr(mug, "search_text")


def test_special_characters_of_patterns_are_looked_up_as_they_are():
    for name in ("100% wool", "100 wool", "a_b", "axb", "c:\\d"):
        Product.objects.create(name=name, price=1)

    def names(word):
        return {p.name for p in Product.objects.filter(search_text__icontains=word)}

    assert names("100%") == {"100% wool"}
    assert names("A_B") == {"a_b"}
    assert names("C:\\") == {"c:\\d"}
    assert {p.name for p in Product.objects.filter(search_text__istartswith="Á")} == {"a_b", "axb"}
