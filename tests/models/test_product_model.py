import re
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from support import factories

from shop.models import Product, StockMovement
from shop.models.base import CODE_ALPHABET

pytestmark = pytest.mark.django_db
GENERATED_SKU = re.compile(f"P-[{CODE_ALPHABET}]{{7}}")


def validation_errors(product):
    with pytest.raises(ValidationError) as excinfo:
        product.full_clean()
    return excinfo.value.message_dict


@pytest.mark.parametrize("sku", ["MUG-1", "mug-1", "Mug-1"])
def test_a_sku_is_unique_regardless_of_case_in_the_database(mug, sku):
    with pytest.raises(IntegrityError, match="product_sku_is_unique"), transaction.atomic():
        Product.objects.bulk_create([Product(name="Other", sku=sku, price=1)])
    assert list(Product.objects.all()) == [mug]


@pytest.mark.usefixtures("mug")
def test_a_taken_sku_is_an_error_of_the_field():
    errors = validation_errors(Product(name="Other", sku="mug-1", price=1))
    assert errors == {"sku": ["Another product has this SKU."]}


def test_a_product_may_keep_its_own_sku(mug):
    mug.sku = "mug-1"
    mug.full_clean()
    mug.save()
    assert Product.objects.get().sku == "mug-1"


def test_an_empty_sku_is_generated():
    products = [factories.create_product(name) for name in ("Cup", "Bowl")]
    skus = [product.sku for product in products]
    assert all(map(GENERATED_SKU.fullmatch, skus))
    assert len(set(skus)) == 2
    assert [Product.objects.get(pk=product.pk).sku for product in products] == skus


def test_bulk_create_generates_empty_skus_too():
    Product.objects.bulk_create([Product(name="Cup", price=1), Product(name="Bowl", price=1)])
    assert all(GENERATED_SKU.fullmatch(item.sku) for item in Product.objects.all())


@pytest.mark.parametrize("sku", ["ÄPFEL-1", "mug\n1", "mug  1", "a\u200bb"])
def test_a_sku_outside_printable_ascii_is_refused(sku):
    assert list(validation_errors(Product(name="Mug", sku=sku, price=1))) == ["sku"]


@pytest.mark.parametrize("sku", ["A", "a b", "A/1_2#3", "~!", "x" * 64])
def test_a_sku_of_printable_ascii_is_accepted(sku):
    assert factories.create_product(sku=sku).sku == sku


@pytest.mark.parametrize("price", ["-0.01", "100000000.00", "0.005", "NaN", "Infinity", "cheap"])
def test_a_price_out_of_bounds_is_an_error_of_the_field(price):
    assert list(validation_errors(Product(name="Mug", price=price))) == ["price"]


@pytest.mark.parametrize("price", ["0.00", "0.01", "99999999.99"])
def test_a_price_at_the_bounds_is_accepted(price):
    item = factories.create_product(price=price)
    assert Product.objects.get(pk=item.pk).price == Decimal(price)


def test_saving_a_new_product_with_stock_is_refused():
    with pytest.raises(ValueError, match="starts with no stock"):
        Product(name="Mug", price=1, stock=3).save()
    assert Product.objects.count() == StockMovement.objects.count() == 0


@pytest.mark.parametrize("fields", [None, ["stock"], ["name", "stock"], {"stock", "price"}])
def test_saving_never_writes_the_stock(mug, fields):
    mug.stock = 99
    mug.save(update_fields=fields)
    assert Product.objects.get().stock == 10


def test_saving_writes_every_other_field(mug):
    mug.name, mug.price, mug.low_stock_threshold, mug.is_active = "Cup", Decimal("9.00"), 2, False
    mug.save()
    saved = Product.objects.get()
    assert (saved.name, saved.price, saved.low_stock_threshold, saved.is_active) == (
        "Cup",
        9,
        2,
        False,
    )
    assert saved.updated_at == mug.updated_at > mug.created_at


def test_saving_named_fields_writes_only_those(mug):
    mug.name, mug.description = "Cup", "Blue"
    mug.save(update_fields=["name"])
    saved = Product.objects.get()
    assert (saved.name, saved.description) == ("Cup", "")


def test_is_low_is_computed_by_the_database(mug, lamp):
    assert list(Product.objects.filter(is_low=True)) == [lamp]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL's heap-only updates")
def test_a_sale_changes_no_index(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'shop_product'")
        definitions = [definition for (definition,) in cursor.fetchall()]
    assert len(definitions) > 3
    assert [sql for sql in definitions if re.search(r"\b(stock|updated_at)\b", sql)] == []


def test_in_stock_is_computed_by_the_database(mug):
    sold_out = factories.create_product("Lamp", stock=0)
    assert list(Product.objects.filter(in_stock=True)) == [mug]
    assert list(Product.objects.filter(in_stock=False)) == [sold_out]


def test_a_product_and_its_movement_as_text(mug):
    assert str(mug) == "Mug"
    assert [str(movement) for movement in mug.movements.all()] == ["+10 First stock"]
