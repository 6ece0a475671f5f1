"""Products and their stock in the browser."""

from decimal import Decimal

import pytest
from playwright.sync_api import expect
from support.effort import count_effort
from support.image_files import make_image
from support.page_actions import PRODUCTS, product_page, run_list_action, save

from shop.models import AuditEntry, Product, StockMovement
from shop.services.stock import find_drift

device = pytest.fixture(params=["page", "phone"])(
    lambda request: request.getfixturevalue(request.param)
)


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def serve_pictures(page):
    """Answer requests for pictures: the server has another media folder than the tests."""
    page.route(
        "**/media/**", lambda route: route.fulfill(body=make_image(), content_type="image/jpeg")
    )


def top(page, label):
    return page.get_by_label(label).bounding_box()["y"]


def test_a_product_with_a_photo_goes_live_in_three_clicks(device, ada):
    serve_pictures(device)
    effort = count_effort(device)
    device.goto(PRODUCTS)
    device.get_by_role("link", name="New product").first.click()
    device.get_by_label("Name").fill("Vase")
    device.get_by_label("Price").fill("24.00")
    device.get_by_label("Initial stock").fill("3")
    assert top(device, "Price") < top(device, "Description")
    with device.expect_file_chooser() as chooser:
        device.get_by_text("Choose picture").click()
    chooser.value.set_files({"name": "vase.jpg", "mimeType": "image/jpeg", "buffer": make_image()})
    expect(device.get_by_label("Chosen file")).to_have_value("vase.jpg")
    button(device, "Publish").click()
    expect(device.get_by_text("Vase is published.")).to_be_visible()
    vase = Product.objects.get()
    assert (vase.is_active, vase.stock, bool(vase.image)) == (True, 3, True)
    assert (effort.clicks, effort.loads) == (3, 3)


def test_enter_and_save_draft_keep_a_new_product_hidden(device, ada):
    for name in ("Vase", "Jug"):
        device.goto(f"{PRODUCTS}add/")
        device.get_by_label("Price").fill("24.00")
        device.get_by_label("Name").fill(name)
        if name == "Vase":
            button(device, "Save draft").click()
        else:
            device.get_by_label("Name").press("Enter")
        device.wait_for_url(f"**{PRODUCTS}")
    assert set(Product.objects.values_list("name", "is_active")) == {
        ("Vase", False),
        ("Jug", False),
    }


def test_a_product_is_hidden_and_shown_in_two_clicks_each(device, ada, mug):
    effort = count_effort(device)
    for name, is_active in (("Unpublish", False), ("Publish", True)):
        device.goto(PRODUCTS)
        device.locator(".field-name").get_by_role("link", name="Mug").click()
        button(device, name).click()
        device.wait_for_url(f"**{PRODUCTS}")
        mug.refresh_from_db()
        assert mug.is_active == is_active
    assert (effort.clicks, effort.loads) == (4, 6)


def test_a_product_is_duplicated_in_two_clicks(device, ada, mug):
    effort = count_effort(device)
    device.goto(PRODUCTS)
    device.locator(".field-name").get_by_role("link", name="Mug").click()
    button(device, "Duplicate").click()
    expect(device.locator(".shop-banner-title", has_text="Mug (copy)")).to_be_visible()
    expect(device.get_by_label("Name")).to_have_value("Mug (copy)")
    copy = Product.objects.latest("pk")
    assert (copy.name, copy.is_active, copy.stock, copy.price) == (
        "Mug (copy)",
        False,
        0,
        mug.price,
    )
    assert (effort.clicks, effort.loads) == (2, 3)


def test_a_picture_is_replaced_and_removed(device, ada, mug):
    serve_pictures(device)
    device.goto(product_page(mug))
    for label, has_picture in (("Choose picture", True), ("Replace", True), ("Remove", False)):
        if label == "Remove":
            device.get_by_role("checkbox", name="Remove").check()
        else:
            with device.expect_file_chooser() as chooser:
                device.get_by_text(label).click()
            image = make_image(size=(len(label), 9))
            chooser.value.set_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": image})
        button(device, "Save").click()
        device.wait_for_url(f"**{PRODUCTS}")
        device.goto(product_page(mug))
        expect(device.get_by_role("img", name="Current picture")).to_have_count(int(has_picture))


def movements(page):
    """Return the lines of the stock movements on a product's page, without their dates."""
    rows = page.locator(".shop-ledger tbody tr")
    return [
        [text for cell in row.locator("td").all_inner_texts()[1:] for text in cell.split("\n")]
        for row in rows.all()
    ]


def test_stock_is_adjusted_and_counted(page, mug):
    page.goto(product_page(mug))
    page.get_by_role("link", name="Adjust stock").click()
    page.get_by_label("Change").fill("-3")
    page.get_by_label("Kind").select_option(label="Damaged or lost")
    page.get_by_label("Reason").fill("Fell off the shelf")
    page.get_by_role("button", name="Adjust stock").click()
    expect(page.get_by_text("Mug: -3, now 7 in stock.")).to_be_visible()
    page.get_by_role("link", name="Count stock", exact=True).click()
    page.get_by_label("Units counted").fill("9")
    page.get_by_role("button", name="Save count").click()
    expect(page.get_by_role("heading", name="Why is it 9?")).to_be_visible()
    assert movements(page) == [
        ["2 units more were counted", "by Ada Staff", "9"],
        ["3 units damaged or lost", "Fell off the shelf · by Ada Staff", "7"],
        ["10 units at the start", "10"],
    ]
    assert list(find_drift()) == []


def test_a_product_is_edited(page, mug):
    page.goto(product_page(mug))
    page.get_by_label("Name").fill("Big mug")
    page.get_by_label("Price").fill("14.00")
    save(page)
    mug.refresh_from_db()
    assert (mug.name, mug.price, mug.stock) == ("Big mug", Decimal("14.00"), 10)


def test_leaving_with_unsaved_changes_asks_first(page, mug):
    page.goto(product_page(mug))
    page.get_by_label("Name").fill("Big mug")
    dialogs = []
    page.once("dialog", lambda dialog: (dialogs.append(dialog.type), dialog.dismiss()))
    page.get_by_role("link", name="Count stock", exact=True).click()
    expect(page.get_by_label("Name")).to_have_value("Big mug")
    assert dialogs == ["beforeunload"]
    save(page)
    assert Product.objects.get().name == "Big mug"


def test_prices_are_previewed_before_they_change(page, ada, mug, lamp):
    run_list_action(page, PRODUCTS, "Change prices of selected products", "MUG-1", "LAMP-1")
    page.get_by_label("Change by").select_option(label="Percent")
    page.get_by_label("Value").fill("5")
    page.get_by_role("button", name="Show new prices").click()
    rows = page.get_by_role("region", name="New prices").locator("tbody tr")
    expect(rows).to_have_text(
        [
            "Lamp LAMP-1 49.90 EUR 52.40 EUR +5.0 %",
            "Mug MUG-1 12.50 EUR 13.13 EUR +5.0 %",
        ]
    )
    assert set(Product.objects.values_list("price", flat=True)) == {
        Decimal("12.50"),
        Decimal("49.90"),
    }
    page.get_by_role("button", name="Change 2 prices").click()
    expect(page.get_by_text("2 prices changed.")).to_be_visible()
    for sku, price in (("MUG-1", "13.13 EUR"), ("LAMP-1", "52.40 EUR")):
        expect(page.get_by_role("row", name=sku)).to_contain_text(price)
    page.get_by_role("link", name="Audit log").click()
    page.get_by_role("link", name="Prices +5 %").click()
    for sku, price in (("MUG-1", "13.13"), ("LAMP-1", "52.40")):
        expect(page.get_by_role("listitem").filter(has_text=sku)).to_contain_text(price)
    page.get_by_role("button", name="Undo change").click()
    expect(page.get_by_text("Undone: 2 products are as they were before.")).to_be_visible()
    assert set(AuditEntry.objects.values_list("actor", flat=True)) == {ada.pk}


def test_a_delivery_of_selected_products_is_received(page, ada, mug, lamp):
    run_list_action(page, PRODUCTS, "Receive selected products", "MUG-1", "LAMP-1")
    page.get_by_label("Supplier").fill("Workshop")
    page.get_by_label("Delivery note").fill("note 7")
    page.get_by_label("Units of Mug received").fill("12")
    page.get_by_label("Units of Lamp received").fill("3")
    page.get_by_role("button", name="Receive 15 units of 2 products").click()
    expect(page.get_by_text("15 units received.")).to_be_visible()
    page.goto(product_page(mug))
    expect(page.get_by_role("heading", name="Why is it 22?")).to_be_visible()
    told = ["12 units received: Workshop · note 7", "by Ada Staff", "22"]
    assert movements(page)[0] == told
    received = StockMovement.objects.filter(kind="received")
    assert sorted(received.values_list("product", "delta", "actor")) == [
        (mug.pk, 12, ada.pk),
        (lamp.pk, 3, ada.pk),
    ]
    assert list(find_drift()) == []
