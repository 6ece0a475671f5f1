from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError
from PIL import Image
from support import factories

from shop.models import CartItem, Product, StockMovement
from shop.models.products import MAX_STOCK
from shop.services.errors import InsufficientStock, NotFound, ProductChanged
from shop.services.products import create_product, remove_product, update_product
from shop.services.stock import find_drift

TAKEN = {"sku": ["Another product has this SKU."]}


def picture(name="mug.png", colour="red"):
    target = BytesIO()
    Image.new("RGB", (8, 8), colour).save(target, "PNG")
    return SimpleUploadedFile(name, target.getvalue(), "image/png")


@pytest.fixture
def files(settings):
    """The names of the pictures that the next purges leave."""
    return lambda: [path.name for path in factories.pictures_after_purge()]


@pytest.fixture
def blind(monkeypatch):
    """As for two at once: each has looked before the other wrote, so neither sees the other's SKU."""
    monkeypatch.setattr(Product, "full_clean", Product.clean_fields)


def test_a_product_is_made_with_its_first_stock(ada):
    item = create_product(actor=ada, values={"name": " Mat ", "price": Decimal("9.00")}, stock=3)
    found = Product.objects.get()
    assert (found.name, found.price, found.stock, found.is_active) == (
        "Mat",
        Decimal("9.00"),
        3,
        True,
    )
    assert found.sku == item.sku
    line = found.movements.get()
    assert (line.kind, line.delta, line.balance_after, line.actor) == ("initial", 3, 3, ada)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"price": "-1"}, "price"),
        ({"price": "x"}, "price"),
        ({"sku": "é"}, "sku"),
    ],
)
def test_a_product_that_is_wrong_is_not_made(ada, refused, values, field):
    with refused(ValidationError) as told:
        create_product(actor=ada, values={"name": "Mat", "price": "1", **values}, stock=3)
    assert list(told.value.message_dict) == [field]


def test_a_product_with_too_much_stock_is_not_made_and_leaves_no_file(ada, refused, files):
    with refused(InsufficientStock):
        create_product(
            actor=ada, values={"name": "Mat", "price": "1", "image": picture()}, stock=MAX_STOCK + 1
        )
    assert files() == []


@pytest.mark.usefixtures("mug", "blind")
def test_of_two_who_take_a_sku_at_once_the_second_is_told(ada, refused, files):
    with refused(ValidationError) as told:
        create_product(
            actor=ada, values={"name": "Cup", "price": "1", "sku": "mug-1", "image": picture()}
        )
    assert told.value.message_dict == TAKEN
    assert files() == []


@pytest.mark.usefixtures("lamp", "blind")
def test_a_product_cannot_be_given_a_sku_that_was_taken_meanwhile(ada, mug, refused, files):
    with refused(ValidationError) as told:
        update_product(product_id=mug.pk, actor=ada, changes={"sku": "lamp-1", "image": picture()})
    assert told.value.message_dict == TAKEN
    assert files() == []


@pytest.mark.usefixtures("blind")
def test_another_refusal_of_the_database_is_not_called_a_taken_sku(ada, mug, refused, monkeypatch):
    monkeypatch.setattr(Product, "full_clean", lambda _: None)
    with refused(IntegrityError, match="price"):
        update_product(product_id=mug.pk, actor=ada, changes={"price": Decimal(-1)})


def test_two_edits_of_different_fields_are_both_kept(ada, mug):
    def rival(_):
        Product.objects.filter(pk=mug.pk).update(name="Cup", stock=4)

    update_product(product_id=mug.pk, actor=ada, changes={"description": "Blue"}, check=rival)
    found = Product.objects.get()
    assert (found.name, found.description, found.stock) == ("Cup", "Blue", 4)
    assert found.updated_at > mug.updated_at


def test_only_the_named_fields_are_written(ada, mug, statements, monkeypatch):
    monkeypatch.setattr(Product, "full_clean", lambda _: None)
    before = Product.objects.filter(pk=mug.pk).values().get()
    with statements(3):
        update_product(product_id=mug.pk, actor=ada, changes={"price": Decimal("13.00")})
    after = Product.objects.filter(pk=mug.pk).values().get()
    assert {name for name in after if after[name] != before[name]} == {"price", "updated_at"}


@pytest.mark.parametrize(("counted", "lines"), [(4, [10, -6]), (10, [10])])
def test_a_stock_that_comes_with_a_change_is_a_count(ada, mug, counted, lines):
    product = update_product(product_id=mug.pk, actor=ada, changes={"name": "Cup"}, stock=counted)
    assert (product.name, product.stock) == ("Cup", counted)
    assert list(mug.movements.order_by("pk").values_list("delta", flat=True)) == lines
    assert list(find_drift()) == []


def test_a_check_may_refuse(ada, mug, refused):
    def no(product):
        assert product == mug
        raise ProductChanged

    with refused(ProductChanged):
        update_product(product_id=mug.pk, actor=ada, changes={"name": "Cup"}, stock=3, check=no)


@pytest.mark.parametrize(
    "changes", [{"name": ""}, {"name": "\x00"}, {"price": "-1"}, {"sku": "LAMP-1"}]
)
@pytest.mark.usefixtures("lamp")
def test_a_change_that_is_wrong_is_not_made(ada, mug, refused, changes):
    with refused(ValidationError):
        update_product(product_id=mug.pk, actor=ada, changes=changes, stock=3)


def test_what_is_not_there_is_not_found(ada, mug, refused):
    with refused(NotFound):
        update_product(product_id=mug.pk + 1, actor=ada, changes={"name": "Cup"})
    with refused(NotFound):
        remove_product(product_id=mug.pk + 1, actor=ada)


def test_an_old_picture_is_not_kept(ada, mug, files):
    update_product(product_id=mug.pk, actor=ada, changes={"image": picture()})
    (old,) = files()
    product = update_product(
        product_id=mug.pk, actor=ada, changes={"image": picture(colour="blue")}
    )
    assert len(factories.stored_pictures()) == 2
    assert files() == [Path(product.image.name).name] != [old]


def test_a_picture_may_be_taken_away(ada, mug, files):
    update_product(product_id=mug.pk, actor=ada, changes={"image": picture()})
    update_product(product_id=mug.pk, actor=ada, changes={"image": ""})
    assert (files(), Product.objects.get().image.name) == ([], "")


def test_a_refused_change_keeps_the_old_picture_and_no_other(ada, mug, files, refused):
    update_product(product_id=mug.pk, actor=ada, changes={"image": picture()})
    before = files()
    with refused(InsufficientStock):
        new = {"image": picture(colour="blue")}
        update_product(product_id=mug.pk, actor=ada, changes=new, stock=MAX_STOCK + 1)
    assert len(factories.stored_pictures()) == 2
    assert files() == before


def test_a_product_that_was_never_ordered_is_erased(ada, carl, mug, files):
    factories.add_to_cart(carl, (mug, 1))
    update_product(product_id=mug.pk, actor=ada, changes={"image": picture()})
    assert remove_product(product_id=mug.pk, actor=ada) is True
    assert (Product.objects.count(), StockMovement.objects.count(), CartItem.objects.count()) == (
        0,
        0,
        0,
    )
    assert files() == []


def test_a_product_that_was_ordered_is_archived(ada, dora, mug, lamp, carls_order):
    factories.add_to_cart(dora, (mug, 1), (lamp, 1))
    assert remove_product(product_id=mug.pk, actor=ada) is False
    found = Product.objects.get(pk=mug.pk)
    assert (found.is_active, found.stock, found.movements.count()) == (False, 8, 2)
    assert [line.product for line in CartItem.objects.all()] == [lamp]
    assert carls_order.items.get(product=mug).name == "Mug"
    assert list(find_drift()) == []
