import re
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from support import factories

from shop.models import Product, StockMovement
from shop.models.base import CODE_ALPHABET

pytestmark = pytest.mark.django_db
MADE = re.compile(f"P-[{CODE_ALPHABET}]{{7}}")


def messages_of(item):
    with pytest.raises(ValidationError) as refused:
        item.full_clean()
    return refused.value.message_dict


@pytest.mark.parametrize("sku", ["MUG-1", "mug-1", "Mug-1"])
def test_a_sku_is_unique_regardless_of_case_in_the_database(mug, sku):
    with pytest.raises(IntegrityError, match="product_sku_is_unique"), transaction.atomic():
        Product.objects.bulk_create([Product(name="Other", sku=sku, price=1)])
    assert list(Product.objects.all()) == [mug]


@pytest.mark.usefixtures("mug")
def test_a_taken_sku_is_told_of_in_words():
    wrong = messages_of(Product(name="Other", sku="mug-1", price=1))
    assert wrong == {"sku": ["Another product has this SKU."]}


def test_a_product_may_keep_its_own_sku(mug):
    mug.sku = "mug-1"
    mug.full_clean()
    mug.save()
    assert Product.objects.get().sku == "mug-1"


def test_an_empty_sku_is_made():
    made = [factories.create_product(name) for name in ("Cup", "Bowl")]
    assert all(MADE.fullmatch(item.sku) for item in made)
    assert made[0].sku != made[1].sku
    assert [Product.objects.get(pk=item.pk).sku for item in made] == [item.sku for item in made]


def test_an_empty_sku_is_made_in_bulk_too():
    Product.objects.bulk_create([Product(name="Cup", price=1), Product(name="Bowl", price=1)])
    assert all(MADE.fullmatch(item.sku) for item in Product.objects.all())


@pytest.mark.parametrize("sku", ["ÄPFEL-1", "mug\n1", "mug  1", "a\u200bb"])
def test_a_sku_outside_printable_ascii_is_refused(sku):
    assert list(messages_of(Product(name="Mug", sku=sku, price=1))) == ["sku"]


@pytest.mark.parametrize("sku", ["A", "a b", "A/1_2#3", "~!", "x" * 64])
def test_a_sku_of_printable_ascii_is_taken(sku):
    assert factories.create_product(sku=sku).sku == sku


@pytest.mark.parametrize("price", ["-0.01", "100000000.00", "0.005", "NaN", "Infinity", "cheap"])
def test_a_price_out_of_bounds_is_told_of_in_words(price):
    assert list(messages_of(Product(name="Mug", price=price))) == ["price"]


@pytest.mark.parametrize("price", ["0.00", "0.01", "99999999.99"])
def test_a_price_at_the_bounds_is_taken(price):
    item = factories.create_product(price=price)
    assert Product.objects.get(pk=item.pk).price == Decimal(price)


def test_a_product_with_a_first_stock_is_not_saved():
    with pytest.raises(ValueError, match="starts with no stock"):
        Product(name="Mug", price=1, stock=3).save()
    assert Product.objects.count() == StockMovement.objects.count() == 0


@pytest.mark.parametrize("fields", [None, ["stock"], ["name", "stock"], {"stock", "price"}])
def test_saving_never_writes_the_stock(mug, fields):
    mug.stock = 99
    mug.save(update_fields=fields)
    assert Product.objects.get().stock == 10


def test_saving_writes_all_else(mug):
    mug.name, mug.price, mug.low_stock_threshold, mug.is_active = "Cup", Decimal("9.00"), 2, False
    mug.save()
    found = Product.objects.get()
    assert (found.name, found.price, found.low_stock_threshold, found.is_active) == (
        "Cup",
        9,
        2,
        False,
    )
    assert found.updated_at == mug.updated_at > mug.created_at


def test_saving_named_fields_writes_only_those(mug):
    mug.name, mug.description = "Cup", "Blue"
    mug.save(update_fields=["name"])
    found = Product.objects.get()
    assert (found.name, found.description) == ("Cup", "")


def test_the_database_knows_whether_a_product_is_low(mug, lamp):
    assert list(Product.objects.filter(is_low=True)) == [lamp]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL's heap-only updates")
def test_a_sale_touches_no_index(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'shop_product'")
        definitions = [definition for (definition,) in cursor.fetchall()]
    assert len(definitions) > 3
    assert [one for one in definitions if re.search(r"\b(stock|updated_at)\b", one)] == []


def test_the_database_knows_whether_a_product_is_in_stock(mug):
    sold_out = factories.create_product("Lamp", stock=0)
    assert list(Product.objects.filter(in_stock=True)) == [mug]
    assert list(Product.objects.filter(in_stock=False)) == [sold_out]


def test_a_product_and_its_movement_say_what_they_are(mug):
    assert str(mug) == "Mug"
    assert [str(movement) for movement in mug.movements.all()] == ["+10 First stock"]
