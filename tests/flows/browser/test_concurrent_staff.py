"""Two staff and a customer change one product at the same time; no change is lost."""

from decimal import Decimal

import pytest
from playwright.sync_api import expect
from support import factories
from support.page_actions import buy, product_page, save

from shop.models import AuditEntry, StockMovement
from shop.services.stock import find_drift


@pytest.fixture
def beas(window, db):
    """A page of a second member of staff, Bea."""
    return window(factories.create_user("Bea", "Staff", **factories.SUPERUSER_FIELDS))


def test_edits_of_different_fields_and_a_sale_are_kept(page, beas, http, carls_app, mug):
    for tab in (page, beas):
        tab.goto(product_page(mug))
    buy(http, carls_app, (mug, 2))
    page.get_by_label("Price").fill("15.00")
    beas.get_by_label("Reorder level").fill("8")
    save(page)
    save(beas)
    mug.refresh_from_db()
    assert (mug.price, mug.low_stock_threshold, mug.stock) == (Decimal("15.00"), 8, 8)
    assert list(find_drift()) == []


def test_edits_of_one_field_show_the_second_an_error(page, beas, http, carls_app, mug):
    for tab in (page, beas):
        tab.goto(product_page(mug))
    page.get_by_label("Price").fill("15.00")
    beas.get_by_label("Price").fill("16.00")
    beas.get_by_label("Name").fill("Big mug")
    save(page)
    bought = buy(http, carls_app, (mug, 2))
    beas.get_by_role("button", name="Save", exact=True).click()
    error = beas.get_by_text("Ada Staff changed it to “15.00” meanwhile. Save again to keep yours.")
    expect(error).to_be_visible()
    expect(beas.get_by_label("Name")).to_have_value("Big mug")
    mug.refresh_from_db()
    assert (mug.name, mug.price) == ("Mug", Decimal("15.00"))
    save(beas)
    mug.refresh_from_db()
    assert (mug.name, mug.price, mug.stock) == ("Big mug", Decimal("16.00"), 8)
    assert bought["total_amount"] == "30.00"
    log = AuditEntry.objects.order_by("pk").values_list("actor__first_name", "changes")
    assert [user for user, changes in log if "price" in changes] == ["Ada", "Bea"]
    assert list(find_drift()) == []


def test_price_and_stock_are_changed_while_a_customer_buys(page, beas, http, carls_app, mug):
    page.goto(product_page(mug))
    beas.goto(product_page(mug, "stock/"))
    bought = buy(http, carls_app, (mug, 2))
    beas.get_by_label("Change").fill("5")
    beas.get_by_role("button", name="Adjust stock").click()
    beas.get_by_text("Mug: +5, now 13 in stock.").wait_for()
    page.get_by_label("Price").fill("15.00")
    save(page)
    mug.refresh_from_db()
    assert (bought["total_amount"], mug.price, mug.stock) == ("25.00", Decimal("15.00"), 13)
    movements = StockMovement.objects.order_by("pk").values_list("kind", "delta")
    assert list(movements) == [("initial", 10), ("sale", -2), ("received", 5)]
    assert list(find_drift()) == []
