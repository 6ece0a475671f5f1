from decimal import Decimal
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from support import factories

from shop.models import CartItem, Product, StockMovement
from shop.services import products
from shop.services.orders import place_order
from shop.services.stock import adjust_stock, find_drift

NEW = {
    "name": "Vase",
    "sku": "",
    "description": "",
    "price": "24.00",
    "low_stock_threshold": "5",
    "is_active": "on",
}


def page(product, step="change/"):
    return f"/admin/shop/product/{product.pk}/{step}"


def form_of(browser, product):
    """What a browser would send back: every field, and beside it what was shown."""
    form = browser.get(page(product)).context["adminform"].form
    shown = {
        name: value
        for name, value in form.initial.items()
        if name in form.fields and name != "image"
    }
    return {**shown, **{f"initial-{name}": value for name, value in shown.items()}}


def picture():
    file = BytesIO()
    Image.new("RGB", (30, 20), "red").save(file, "PNG")
    return SimpleUploadedFile("red.png", file.getvalue(), "image/png")


def test_a_new_product_starts_its_ledger(adas_browser, ada):
    adas_browser.post("/admin/shop/product/add/", {**NEW, "first_stock": "7", "image": picture()})
    vase = Product.objects.get()
    assert (vase.name, vase.price, vase.stock) == ("Vase", Decimal("24.00"), 7)
    assert vase.sku.startswith("P-")
    assert vase.image.name.endswith(".webp")
    movement = StockMovement.objects.get()
    assert (movement.kind, movement.delta, movement.balance_after, movement.actor) == (
        "initial",
        7,
        7,
        ada,
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", "-1"),
        ("price", "6.555"),
        ("name", ""),
        ("name", "a\x00b"),
        ("sku", "mug-1"),
        ("sku", "Ü1"),
        ("first_stock", "-1"),
    ],
)
def test_a_bad_value_is_refused_in_the_form(adas_browser, mug, field, value):
    answer = adas_browser.post("/admin/shop/product/add/", {**NEW, field: value})
    assert field in answer.context["adminform"].form.errors
    assert list(Product.objects.all()) == [mug]


def test_what_is_no_picture_is_refused_in_the_form(adas_browser):
    svg = SimpleUploadedFile("x.png", b"<svg onload=alert(1)>", "image/png")
    answer = adas_browser.post("/admin/shop/product/add/", {**NEW, "image": svg})
    assert "image" in answer.context["adminform"].form.errors
    assert Product.objects.count() == 0


def test_only_what_was_edited_is_written(adas_browser, carl, mug):
    form = form_of(adas_browser, mug)
    Product.objects.update(price="15.00")  # a colleague, meanwhile
    factories.add_to_cart(carl, (mug, 3))
    place_order(user=carl, shipping_address="1 Street")  # a customer, meanwhile
    answer = adas_browser.post(page(mug), {**form, "name": "Big mug"})
    assert answer.status_code == 302
    mug.refresh_from_db()
    assert (mug.name, mug.price, mug.stock) == ("Big mug", Decimal("15.00"), 7)
    assert list(find_drift()) == []


def test_stock_is_no_field_of_the_form(adas_browser, mug):
    form = form_of(adas_browser, mug)
    adas_browser.post(page(mug), {**form, "stock": "99", "initial-stock": "10"})
    mug.refresh_from_db()
    assert mug.stock == 10


def test_adjusting_stock_writes_the_ledger(adas_browser, ada, mug):
    answer = adas_browser.post(
        page(mug, "stock/"), {"delta": "-3", "kind": "damaged", "reason": "Fell"}, follow=True
    )
    assert factories.page_messages(answer) == ["Mug: -3, now 7 in stock."]
    movement = StockMovement.objects.first()
    assert (movement.delta, movement.kind, movement.reason, movement.actor) == (
        -3,
        "damaged",
        "Fell",
        ada,
    )


@pytest.mark.parametrize(
    "values",
    [
        {"delta": "-11", "kind": "damaged"},
        {"delta": "-1", "kind": "received"},
        {"delta": "1", "kind": "damaged"},
        {"delta": "0", "kind": "received"},
        {"delta": "5", "kind": "sale"},
        {"delta": "1e9"},
    ],
)
def test_an_adjustment_that_makes_no_sense_changes_nothing(adas_browser, mug, values):
    answer = adas_browser.post(page(mug, "stock/"), values)
    assert answer.status_code == 200
    assert answer.context["form"].errors
    mug.refresh_from_db()
    assert (mug.stock, StockMovement.objects.count()) == (10, 1)


def test_removing_archives_what_was_ordered_and_erases_the_rest(
    adas_browser, carl, dora, mug, lamp
):
    factories.add_to_cart(carl, (mug, 1))
    place_order(user=carl, shipping_address="1 Street")
    factories.add_to_cart(dora, (mug, 1), (lamp, 1))
    assert "archived" in adas_browser.get(page(mug, "remove/")).context["hint"]
    adas_browser.post(page(mug, "remove/"))
    answer = adas_browser.post(page(lamp, "remove/"))
    assert answer.url == "/admin/shop/product/"
    assert list(Product.objects.values_list("name", "is_active")) == [("Mug", False)]
    assert CartItem.objects.count() == 0


@pytest.mark.parametrize("step", ["stock/", "count/", "remove/"])
def test_without_the_right_a_forged_post_changes_nothing(clerk_with, mug, step):
    viewer = clerk_with("view_product")
    assert viewer.get(page(mug)).status_code == 200
    assert viewer.get(page(mug, step)).status_code == 403
    assert viewer.post(page(mug, step), {"delta": "5", "kind": "received"}).status_code == 403
    mug.refresh_from_db()
    assert (mug.stock, mug.is_active) == (10, True)


@pytest.mark.parametrize("step", ["stock/", "count/", "remove/"])
def test_without_a_token_a_post_changes_nothing(ada, mug, step):
    browser = factories.staff_client(ada, enforce_csrf_checks=True)
    assert browser.post(page(mug, step), {"delta": "5", "kind": "received"}).status_code == 403
    mug.refresh_from_db()
    assert mug.stock == 10


@pytest.mark.parametrize(
    ("level", "names"), [("out", ["None"]), ("low", ["Few"]), ("enough", ["Many"])]
)
def test_the_list_finds_what_runs_low(adas_browser, ada, level, names):
    for name, stock in (("None", 0), ("Few", 5), ("Many", 6)):
        factories.create_product(name, stock=stock)
    found = adas_browser.get("/admin/shop/product/", {"level": level}).context["cl"].result_list
    assert [product.name for product in found] == names


@pytest.mark.parametrize("products", [1, 3])
def test_the_list_costs_the_same_however_long(adas_browser, statements, products):
    for number in range(products):
        factories.create_product(f"Mug {number}")
    with statements(5):
        adas_browser.get("/admin/shop/product/")


def test_the_ledger_is_read_and_never_written(adas_browser, ada, mug):
    adjust_stock(product_id=mug.pk, delta=2, kind=StockMovement.Kind.RECEIVED, actor=ada)
    assert adas_browser.get("/admin/shop/stockmovement/", {"q": "MUG-1"}).status_code == 200
    first = StockMovement.objects.first()
    assert adas_browser.get("/admin/shop/stockmovement/add/").status_code == 403
    assert (
        adas_browser.post(f"/admin/shop/stockmovement/{first.pk}/change/", {"delta": 9}).status_code
        == 403
    )
    assert (
        adas_browser.post(
            f"/admin/shop/stockmovement/{first.pk}/delete/", {"post": "yes"}
        ).status_code
        == 403
    )
    assert StockMovement.objects.count() == 2


def test_a_count_becomes_a_difference(adas_browser, mug):
    form = adas_browser.get(page(mug, "count/")).context["form"]
    assert form.initial["expected"] == 10
    adas_browser.post(
        page(mug, "count/"), {"counted": "12", "expected": "10", "reason": "Stocktake"}
    )
    movement = StockMovement.objects.first()
    assert (movement.kind, movement.delta, movement.balance_after) == ("counted", 2, 12)


def test_a_count_is_refused_when_the_stock_moved_meanwhile(adas_browser, ada, mug):
    adjust_stock(product_id=mug.pk, delta=-1, kind=StockMovement.Kind.DAMAGED, actor=ada)
    answer = adas_browser.post(page(mug, "count/"), {"counted": "12", "expected": "10"})
    assert answer.context["form"].non_field_errors() == ["The stock is now 9, not 10."]
    mug.refresh_from_db()
    assert mug.stock == 9


def test_the_page_says_why_there_are_so_many(adas_browser, carl, mug):
    factories.add_to_cart(carl, (mug, 3))
    order = place_order(user=carl, shipping_address="1 Street").order
    answer = adas_browser.get(page(mug))
    assert [line.delta for line in answer.context["movements"]] == [-3, 10]
    assert "Why is it 7?" in answer.content.decode()
    assert f"/admin/shop/order/{order.pk}/change/" in answer.content.decode()


def test_many_are_archived_and_shown_again(adas_browser, mug, lamp):
    Product.objects.filter(pk=lamp.pk).update(is_active=False)
    chosen = {"_selected_action": [mug.pk, lamp.pk]}
    answer = adas_browser.post("/admin/shop/product/", {"action": "archive", **chosen}, follow=True)
    assert factories.page_messages(answer) == ["1 archived, 1 archived already."]
    answer = adas_browser.post(
        "/admin/shop/product/", {"action": "activate", **chosen}, follow=True
    )
    assert factories.page_messages(answer) == ["2 activated, 0 active already."]


def test_archiving_many_needs_the_right(clerk_with, mug):
    chosen = {"action": "archive", "_selected_action": [mug.pk]}
    clerk_with("view_product").post("/admin/shop/product/", chosen)
    mug.refresh_from_db()
    assert mug.is_active


def test_who_may_change_may_not_remove(clerk_with, mug):
    browser = clerk_with("view_product", "change_product")
    assert page(mug, "remove/") not in browser.get(page(mug)).content.decode()
    assert browser.post(page(mug, "remove/")).status_code == 403
    assert Product.objects.filter(pk=mug.pk, is_active=True).exists()


def test_a_rival_who_takes_the_sku_meanwhile_is_told(adas_browser, monkeypatch):
    real = products.create_product

    def second(**values):
        factories.create_product("Rival", sku="VASE-1")
        return real(**values)

    monkeypatch.setattr(products, "create_product", second)
    answer = adas_browser.post("/admin/shop/product/add/", NEW | {"sku": "vase-1"}, follow=True)
    assert factories.page_messages(answer) == ["Another product has this SKU."]


def test_a_reason_is_text_at_this_door_too(adas_browser, mug):
    values = {"delta": "5", "kind": "received", "reason": "a\u202eb"}
    assert adas_browser.post(page(mug, "stock/"), values).status_code == 200
    mug.refresh_from_db()
    assert mug.stock == 10
