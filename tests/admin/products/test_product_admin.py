import json
from decimal import Decimal
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from support import factories

from shop.models import CartItem, ChangeSet, Product, StockMovement
from shop.services import products
from shop.services.orders import place_order
from shop.services.stock import adjust_stock, find_drift

LIST = "/admin/shop/product/"
NEW = {
    "name": "Vase",
    "sku": "",
    "description": "",
    "price": "24.00",
    "low_stock_threshold": "5",
}


def page(product, view="change/"):
    return f"{LIST}{product.pk}/{view}"


def form_data(browser, product):
    """Return what a browser sends: every field and its hidden initial value."""
    form = browser.get(page(product)).context["adminform"].form
    initial = {
        name: "" if value is None else value
        for name, value in form.initial.items()
        if name in form.fields and name != "image"
    }
    return {**initial, **{f"initial-{name}": value for name, value in initial.items()}}


def picture():
    file = BytesIO()
    Image.new("RGB", (30, 20), "red").save(file, "PNG")
    return SimpleUploadedFile("red.png", file.getvalue(), "image/png")


def test_a_new_product_gets_its_first_stock_movement(adas_browser, ada):
    adas_browser.post(f"{LIST}add/", {**NEW, "first_stock": "7", "image": picture()})
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
def test_an_invalid_value_is_an_error_of_its_field(adas_browser, mug, field, value):
    response = adas_browser.post(f"{LIST}add/", {**NEW, field: value})
    assert field in response.context["adminform"].form.errors
    assert list(Product.objects.all()) == [mug]


def test_a_file_that_is_no_picture_is_an_error(adas_browser):
    svg = SimpleUploadedFile("x.png", b"<svg onload=alert(1)>", "image/png")
    response = adas_browser.post(f"{LIST}add/", {**NEW, "image": svg})
    assert "image" in response.context["adminform"].form.errors
    assert Product.objects.count() == 0


def test_only_edited_fields_are_saved(adas_browser, carl, mug):
    form = form_data(adas_browser, mug)
    Product.objects.update(price="15.00")  # another user, meanwhile
    factories.add_to_cart(carl, (mug, 3))
    place_order(user=carl, shipping_address="1 Street")  # a customer, meanwhile
    response = adas_browser.post(page(mug), {**form, "name": "Big mug"})
    assert response.status_code == 302
    mug.refresh_from_db()
    assert (mug.name, mug.price, mug.stock) == ("Big mug", Decimal("15.00"), 7)
    assert list(find_drift()) == []


def test_stock_is_not_a_field_of_the_form(adas_browser, mug):
    form = form_data(adas_browser, mug)
    adas_browser.post(page(mug), {**form, "stock": "99", "initial-stock": "10"})
    mug.refresh_from_db()
    assert mug.stock == 10


def test_adjusting_stock_writes_a_movement(adas_browser, ada, mug):
    response = adas_browser.post(
        page(mug, "stock/"), {"delta": "-3", "kind": "damaged", "reason": "Fell"}, follow=True
    )
    assert factories.page_messages(response) == ["Mug: -3, now 7 in stock."]
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
def test_an_invalid_adjustment_changes_nothing(adas_browser, mug, values):
    response = adas_browser.post(page(mug, "stock/"), values)
    assert response.status_code == 200
    assert response.context["form"].errors
    mug.refresh_from_db()
    assert (mug.stock, StockMovement.objects.count()) == (10, 1)


def test_removing_archives_what_was_ordered_and_erases_the_rest(
    adas_browser, carl, dora, mug, lamp
):
    factories.add_to_cart(carl, (mug, 1))
    place_order(user=carl, shipping_address="1 Street")
    factories.add_to_cart(dora, (mug, 1), (lamp, 1))
    assert adas_browser.get(page(mug, "remove/")).context["button_kind"] == "danger"
    adas_browser.post(page(mug, "remove/"))
    response = adas_browser.post(page(lamp, "remove/"))
    assert response.url == LIST
    assert list(Product.objects.values_list("name", "is_active")) == [("Mug", False)]
    assert CartItem.objects.count() == 0


@pytest.mark.parametrize("view", ["stock/", "count/", "remove/", "duplicate/"])
def test_without_permission_a_forged_post_changes_nothing(staff_client_with, mug, view):
    viewer = staff_client_with("view_product")
    assert viewer.get(page(mug)).status_code == 200
    assert viewer.get(page(mug, view)).status_code == 403
    assert viewer.post(page(mug, view), {"delta": "5", "kind": "received"}).status_code == 403
    mug.refresh_from_db()
    assert (mug.stock, mug.is_active) == (10, True)


@pytest.mark.parametrize("view", ["stock/", "count/", "remove/", "duplicate/"])
def test_without_a_csrf_token_a_post_changes_nothing(ada, mug, view):
    browser = factories.staff_client(ada, enforce_csrf_checks=True)
    assert browser.post(page(mug, view), {"delta": "5", "kind": "received"}).status_code == 403
    mug.refresh_from_db()
    assert mug.stock == 10


@pytest.mark.parametrize(
    ("level", "names"), [("out", ["None"]), ("low", ["Few"]), ("enough", ["Many"])]
)
def test_the_list_is_filtered_by_stock_level(adas_browser, ada, level, names):
    for name, stock in (("None", 0), ("Few", 5), ("Many", 6)):
        factories.create_product(name, stock=stock)
    listed = adas_browser.get(LIST, {"level": level}).context["cl"].result_list
    assert [product.name for product in listed] == names


@pytest.mark.parametrize("products", [1, 3])
def test_the_list_runs_five_queries(adas_browser, statements, products):
    for number in range(products):
        factories.create_product(f"Mug {number}")
    with statements(5):
        adas_browser.get(LIST)


def test_stock_movements_are_read_only(adas_browser, ada, mug):
    adjust_stock(product_id=mug.pk, delta=2, kind=StockMovement.Kind.RECEIVED, actor=ada)
    movements = "/admin/shop/stockmovement/"
    assert adas_browser.get(movements, {"q": "MUG-1"}).status_code == 200
    first = StockMovement.objects.first()
    assert adas_browser.get(f"{movements}add/").status_code == 403
    change, delete = f"{movements}{first.pk}/change/", f"{movements}{first.pk}/delete/"
    assert adas_browser.post(change, {"delta": 9}).status_code == 403
    assert adas_browser.post(delete, {"post": "yes"}).status_code == 403
    assert StockMovement.objects.count() == 2


def test_a_count_is_recorded_as_a_difference(adas_browser, mug):
    form = adas_browser.get(page(mug, "count/")).context["form"]
    assert form.initial["expected"] == 10
    adas_browser.post(
        page(mug, "count/"), {"counted": "12", "expected": "10", "reason": "Stocktake"}
    )
    movement = StockMovement.objects.first()
    assert (movement.kind, movement.delta, movement.balance_after) == ("counted", 2, 12)


def test_a_count_is_refused_if_the_stock_changed_meanwhile(adas_browser, ada, mug):
    adjust_stock(product_id=mug.pk, delta=-1, kind=StockMovement.Kind.DAMAGED, actor=ada)
    response = adas_browser.post(page(mug, "count/"), {"counted": "12", "expected": "10"})
    assert len(response.context["form"].non_field_errors()) == 1
    mug.refresh_from_db()
    assert mug.stock == 9


def test_hidden_fields_have_no_label(adas_browser, mug):
    text = adas_browser.get(page(mug, "count/")).content.decode()
    assert '<input type="hidden" name="expected"' in text
    assert "Expected</label>" not in text


def test_the_page_lists_the_latest_stock_movements(adas_browser, carl, mug):
    factories.add_to_cart(carl, (mug, 3))
    order = place_order(user=carl, shipping_address="1 Street").order
    response = adas_browser.get(page(mug))
    assert [row["movement"].delta for row in response.context["movements"]] == [-3, 10]
    assert f"/admin/shop/order/{order.pk}/change/" in response.content.decode()


def test_many_products_are_archived_and_shown_again(adas_browser, mug, lamp):
    Product.objects.filter(pk=lamp.pk).update(is_active=False)
    selected = {"_selected_action": [mug.pk, lamp.pk]}
    for action, is_active, count in (("archive", False, 1), ("activate", True, 2)):
        adas_browser.post(LIST, {"action": action, **selected}, follow=True)
        assert list(Product.objects.values_list("is_active", flat=True)) == [is_active] * 2
        assert ChangeSet.objects.latest("pk").result["changed"] == count


def test_archiving_many_needs_the_permission_to_change(staff_client_with, mug):
    selected = {"action": "archive", "_selected_action": [mug.pk]}
    staff_client_with("view_product").post(LIST, selected)
    mug.refresh_from_db()
    assert mug.is_active


def test_removing_needs_the_permission_to_delete(staff_client_with, mug):
    browser = staff_client_with("view_product", "change_product")
    assert page(mug, "remove/") not in browser.get(page(mug)).content.decode()
    assert browser.post(page(mug, "remove/")).status_code == 403
    assert Product.objects.filter(pk=mug.pk, is_active=True).exists()


def test_a_sku_taken_meanwhile_is_an_error_message(adas_browser, monkeypatch):
    real = products.create_product

    def create_after_rival(**values):
        factories.create_product("Rival", sku="VASE-1")
        return real(**values)

    monkeypatch.setattr(products, "create_product", create_after_rival)
    response = adas_browser.post(f"{LIST}add/", NEW | {"sku": "vase-1"}, follow=True)
    [message] = response.context["messages"]
    assert (message.level_tag, list(Product.objects.filter(name="Vase"))) == ("error", [])


def test_a_reason_has_no_control_characters(adas_browser, mug):
    values = {"delta": "5", "kind": "received", "reason": "a\u202eb"}
    assert adas_browser.post(page(mug, "stock/"), values).status_code == 200
    mug.refresh_from_db()
    assert mug.stock == 10


STEPS = {"stock/": {"delta": "5", "kind": "received"}, "count/": {"counted": "3", "expected": "15"}}


def can_move_stock(browser, product):
    """Return whether the page offers to move stock, and whether the steps do it."""
    text = browser.get(page(product)).content.decode()
    offered = {page(product, step) in text for step in STEPS}
    statuses = {browser.post(page(product, step), body).status_code for step, body in STEPS.items()}
    received = {"rows": json.dumps([[product.pk, 2]]), "delivery_note": "7"}
    statuses.add(browser.post(f"{LIST}receive/", received).status_code)
    return offered, statuses


def test_stock_is_moved_with_its_own_right_and_prices_are_not(staff_client_with, mug):
    browser = staff_client_with("view_product", "manage_stock")
    assert can_move_stock(browser, mug) == ({True}, {302})
    mug.refresh_from_db()
    assert mug.stock == 3 + 2
    before = factories.all_rows()
    assert browser.post(page(mug), {"price": "1.00", "name": "Mine"}).status_code == 403
    browser.post(LIST, {"action": "change_prices", "_selected_action": [mug.pk], "by": "percent"})
    assert factories.all_rows() == before


def test_whoever_changes_products_needs_the_right_to_move_stock(staff_client_with, mug):
    browser = staff_client_with("view_product", "change_product")
    before = factories.all_rows()
    offered, statuses = can_move_stock(browser, mug)
    assert (offered, statuses) == ({False}, {403})
    assert factories.all_rows() == before
