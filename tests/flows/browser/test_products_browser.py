"""Products and their stock in the browser."""

from decimal import Decimal

from playwright.sync_api import expect
from support.page_actions import PRODUCTS, product_page, run_list_action, save

from shop.models import AuditEntry, Product, StockMovement
from shop.services.stock import find_drift


def movements(page):
    """Return the cells of the stock movements on a product's page, without their dates."""
    rows = page.locator(".shop-ledger tbody tr")
    return [row.locator("td").all_inner_texts()[1:] for row in rows.all()]


def test_stock_is_adjusted_and_counted(page, mug):
    page.goto(product_page(mug))
    page.get_by_role("link", name="Adjust stock").click()
    page.get_by_label("Change").fill("-3")
    page.get_by_label("Kind").select_option(label="Damaged or lost")
    page.get_by_label("Reason").fill("Fell off the shelf")
    page.get_by_role("button", name="Adjust stock").click()
    expect(page.get_by_text("Mug: -3, now 7 in stock.")).to_be_visible()
    page.get_by_role("link", name="Count stock").click()
    page.get_by_label("Units counted").fill("9")
    page.get_by_role("button", name="Save count").click()
    expect(page.get_by_role("heading", name="Why is it 9?")).to_be_visible()
    assert movements(page) == [
        ["Counted", "+2", "9", "Ada Staff", ""],
        ["Damaged or lost", "-3", "7", "Ada Staff", "Fell off the shelf"],
        ["First stock", "+10", "10", "", ""],
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
    page.get_by_role("link", name="Count stock").click()
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
    expect(rows).to_have_text(["Lamp LAMP-1 49.90 EUR 52.40 EUR", "Mug MUG-1 12.50 EUR 13.13 EUR"])
    assert set(Product.objects.values_list("price", flat=True)) == {
        Decimal("12.50"),
        Decimal("49.90"),
    }
    page.get_by_role("button", name="Change 2 prices").click()
    expect(page.get_by_text("2 prices changed.")).to_be_visible()
    for sku, price in (("MUG-1", "13.13 EUR"), ("LAMP-1", "52.40 EUR")):
        expect(page.get_by_role("row", name=sku)).to_contain_text(price)
    page.get_by_role("link", name="Audit log").click()
    page.get_by_role("button", name="and 1 more").click()
    for change in ("price: 12.50 → 13.13", "price: 49.90 → 52.40"):
        expect(page.get_by_role("row").filter(has_text=change)).to_contain_text("Ada Staff")
    assert set(AuditEntry.objects.values_list("actor", flat=True)) == {ada.pk}


def test_a_delivery_is_received(page, ada, mug, lamp):
    run_list_action(page, PRODUCTS, "Receive stock of selected products", "MUG-1", "LAMP-1")
    page.get_by_label("Delivery").fill("Workshop, note 7")
    page.get_by_label("Mug · MUG-1").fill("12")
    page.get_by_label("Lamp · LAMP-1").fill("3")
    page.get_by_role("button", name="Receive stock").click()
    expect(page.get_by_text("15 units received.")).to_be_visible()
    page.locator(".field-name").get_by_role("link", name="Mug").click()
    expect(page.get_by_role("heading", name="Why is it 22?")).to_be_visible()
    assert movements(page)[0] == ["Received", "+12", "22", "Ada Staff", "Workshop, note 7"]
    received = StockMovement.objects.filter(kind="received")
    assert sorted(received.values_list("product", "delta", "actor")) == [
        (mug.pk, 12, ada.pk),
        (lamp.pk, 3, ada.pk),
    ]
    assert list(find_drift()) == []
