from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from support import factories

from shop.models import CartItem, Product, StockMovement
from shop.models.products import MAX_STOCK
from shop.services.errors import InsufficientStock, NotFound, RecordChanged
from shop.services.products import create_product, remove_product, update_product
from shop.services.stock import find_drift


def png_upload(name="mug.png", colour="red"):
    target = BytesIO()
    Image.new("RGB", (8, 8), colour).save(target, "PNG")
    return SimpleUploadedFile(name, target.getvalue(), "image/png")


@pytest.fixture
def referenced_files(settings):
    """Return the names of the image referenced_files that a purge keeps."""
    return lambda: [path.name for path in factories.pictures_after_purge()]


@pytest.fixture
def without_unique_check(monkeypatch):
    """As in a race: validation ran before the other request wrote its SKU."""
    monkeypatch.setattr(Product, "full_clean", Product.clean_fields)


def test_creating_a_product_records_its_initial_stock(ada):
    created = create_product(actor=ada, values={"name": " Mat ", "price": Decimal("9.00")}, stock=3)
    product = Product.objects.get()
    assert (product.name, product.price, product.stock, product.is_active) == (
        "Mat",
        Decimal("9.00"),
        3,
        True,
    )
    assert product.sku == created.sku
    movement = product.movements.get()
    assert (movement.kind, movement.delta, movement.balance_after, movement.actor) == (
        "initial",
        3,
        3,
        ada,
    )


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"price": "-1"}, "price"),
        ({"price": "x"}, "price"),
        ({"sku": "é"}, "sku"),
    ],
)
def test_creating_an_invalid_product_is_refused(ada, refused, values, field):
    with refused(ValidationError) as excinfo:
        create_product(actor=ada, values={"name": "Mat", "price": "1", **values}, stock=3)
    assert list(excinfo.value.message_dict) == [field]


def test_creating_a_product_with_too_much_stock_leaves_no_file(ada, refused, referenced_files):
    with refused(InsufficientStock):
        create_product(
            actor=ada,
            values={"name": "Mat", "price": "1", "image": png_upload()},
            stock=MAX_STOCK + 1,
        )
    assert referenced_files() == []


@pytest.mark.usefixtures("mug", "without_unique_check")
def test_creating_a_product_with_a_sku_taken_meanwhile_is_refused(ada, refused, referenced_files):
    with refused(ValidationError) as excinfo:
        create_product(
            actor=ada, values={"name": "Cup", "price": "1", "sku": "mug-1", "image": png_upload()}
        )
    assert list(excinfo.value.message_dict) == ["sku"]
    assert referenced_files() == []


@pytest.mark.usefixtures("lamp", "without_unique_check")
def test_changing_to_a_sku_taken_meanwhile_is_refused(ada, mug, refused, referenced_files):
    with refused(ValidationError) as excinfo:
        update_product(
            product_id=mug.pk, actor=ada, changes={"sku": "lamp-1", "image": png_upload()}
        )
    assert list(excinfo.value.message_dict) == ["sku"]
    assert referenced_files() == []


@pytest.mark.usefixtures("without_unique_check")
def test_other_integrity_errors_are_not_reported_as_a_taken_sku(ada, mug, refused, monkeypatch):
    monkeypatch.setattr(Product, "full_clean", lambda _: None)
    with refused(ValidationError, match="product_price_in_bounds"):
        update_product(product_id=mug.pk, actor=ada, changes={"price": Decimal(-1)})


def test_concurrent_edits_of_different_fields_are_both_kept(ada, mug):
    def concurrent_edit(_):
        Product.objects.filter(pk=mug.pk).update(name="Cup", stock=4)

    update_product(
        product_id=mug.pk, actor=ada, changes={"description": "Blue"}, check=concurrent_edit
    )
    product = Product.objects.get()
    assert (product.name, product.description, product.stock) == ("Cup", "Blue", 4)
    assert product.updated_at > mug.updated_at


def test_only_the_named_fields_are_written(ada, mug, statements, monkeypatch):
    monkeypatch.setattr(Product, "full_clean", lambda _: None)
    before = Product.objects.filter(pk=mug.pk).values().get()
    with statements(3):
        update_product(product_id=mug.pk, actor=ada, changes={"price": Decimal("13.00")})
    after = Product.objects.filter(pk=mug.pk).values().get()
    assert {name for name in after if after[name] != before[name]} == {"price", "updated_at"}


@pytest.mark.parametrize(("counted", "deltas"), [(4, [10, -6]), (10, [10])])
def test_a_stock_given_with_an_update_is_a_count(ada, mug, counted, deltas):
    product = update_product(product_id=mug.pk, actor=ada, changes={"name": "Cup"}, stock=counted)
    assert (product.name, product.stock) == ("Cup", counted)
    assert list(mug.movements.order_by("pk").values_list("delta", flat=True)) == deltas
    assert list(find_drift()) == []


def test_the_check_can_refuse_an_update(ada, mug, refused):
    def refuse(product):
        assert product == mug
        raise RecordChanged

    with refused(RecordChanged):
        update_product(product_id=mug.pk, actor=ada, changes={"name": "Cup"}, stock=3, check=refuse)


@pytest.mark.parametrize(
    "changes", [{"name": ""}, {"name": "\x00"}, {"price": "-1"}, {"sku": "LAMP-1"}]
)
@pytest.mark.usefixtures("lamp")
def test_an_invalid_update_is_refused(ada, mug, refused, changes):
    with refused(ValidationError):
        update_product(product_id=mug.pk, actor=ada, changes=changes, stock=3)


def test_an_unknown_product_is_not_found(ada, mug, refused):
    with refused(NotFound):
        update_product(product_id=mug.pk + 1, actor=ada, changes={"name": "Cup"})
    with refused(NotFound):
        remove_product(product_id=mug.pk + 1, actor=ada)


def test_a_replaced_picture_is_purged(ada, mug, referenced_files):
    update_product(product_id=mug.pk, actor=ada, changes={"image": png_upload()})
    (old,) = referenced_files()
    product = update_product(
        product_id=mug.pk, actor=ada, changes={"image": png_upload(colour="blue")}
    )
    assert len(factories.stored_pictures()) == 2
    assert referenced_files() == [Path(product.image.name).name] != [old]


def test_a_picture_can_be_removed(ada, mug, referenced_files):
    update_product(product_id=mug.pk, actor=ada, changes={"image": png_upload()})
    update_product(product_id=mug.pk, actor=ada, changes={"image": ""})
    assert (referenced_files(), Product.objects.get().image.name) == ([], "")


def test_a_refused_update_keeps_the_old_picture_only(ada, mug, referenced_files, refused):
    update_product(product_id=mug.pk, actor=ada, changes={"image": png_upload()})
    before = referenced_files()
    with refused(InsufficientStock):
        new = {"image": png_upload(colour="blue")}
        update_product(product_id=mug.pk, actor=ada, changes=new, stock=MAX_STOCK + 1)
    assert len(factories.stored_pictures()) == 2
    assert referenced_files() == before


def test_removing_a_product_without_orders_deletes_it(ada, carl, mug, referenced_files):
    factories.add_to_cart(carl, (mug, 1))
    update_product(product_id=mug.pk, actor=ada, changes={"image": png_upload()})
    assert remove_product(product_id=mug.pk, actor=ada) is True
    assert (Product.objects.count(), StockMovement.objects.count(), CartItem.objects.count()) == (
        0,
        0,
        0,
    )
    assert referenced_files() == []


def test_removing_an_ordered_product_archives_it(ada, dora, mug, lamp, carls_order):
    factories.add_to_cart(dora, (mug, 1), (lamp, 1))
    assert remove_product(product_id=mug.pk, actor=ada) is False
    archived = Product.objects.get(pk=mug.pk)
    assert (archived.is_active, archived.stock, archived.movements.count()) == (False, 8, 2)
    assert [line.product for line in CartItem.objects.all()] == [lamp]
    assert carls_order.items.get(product=mug).name == "Mug"
    assert list(find_drift()) == []
