"""The selection of a list outlives its pages and searches."""

from playwright.sync_api import expect
from support import factories
from support.page_actions import PRODUCTS, run_list_action
from support.stock_actions import (
    code_field,
    press,
    scan,
    stocks,
    units_of,
)

from shop.models import Product


def test_a_selection_across_searches_is_received(page, shelf):
    page.goto(f"{PRODUCTS}?q=BOWL-00")
    page.locator("tr input.action-select").check()
    page.goto(f"{PRODUCTS}?q=BOWL-01")
    note = page.get_by_text("1 selected, 1 of them on other pages")
    expect(note).to_be_visible()
    run_list_action(page, f"{PRODUCTS}?q=BOWL-02", "Receive selected products", "BOWL-02")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(units_of(page, shelf[0])).to_be_focused()
    scan(page, "4")
    expect(units_of(page, shelf[2])).to_be_focused()
    scan(page, "5")
    expect(code_field(page)).to_be_focused()
    page.reload()
    press(page, "Receive 9 units of 2 products")
    expect(page.get_by_text("9 units received.")).to_be_visible()
    assert (stocks()["BOWL-00"], stocks()["BOWL-01"], stocks()["BOWL-02"]) == (14, 10, 15)
    page.goto(PRODUCTS)
    expect(page.locator("tr input.action-select:checked")).to_have_count(0)


def test_a_remembered_selection_serves_any_action_and_ends_with_it(page, shelf):
    page.goto(f"{PRODUCTS}?q=BOWL-00")
    page.locator("tr input.action-select").check()
    page.goto(f"{PRODUCTS}?q=BOWL-01")
    page.locator("tr input.action-select").check()
    expect(page.get_by_text("2 selected, 1 of them on other pages")).to_be_visible()
    page.reload()
    expect(page.locator("tr input.action-select")).to_be_checked()
    page.locator("select[name=action]").select_option(label="Archive selected products")
    press(page, "Run")
    expect(page.get_by_text("2 products changed.")).to_be_visible()
    assert Product.objects.filter(is_active=False).count() == 2
    expect(page.locator("tr input.action-select:checked")).to_have_count(0)

    page.goto(f"{PRODUCTS}?q=BOWL-03")
    page.locator("tr input.action-select").check()
    page.goto(f"{PRODUCTS}?q=BOWL-04")
    press(page, "Clear selection")
    page.goto(f"{PRODUCTS}?q=BOWL-03")
    expect(page.locator("tr input.action-select")).not_to_be_checked()


def test_all_that_match_are_still_selected_as_such(page, shelf):
    for n in range(20, 30):
        factories.create_product(f"Bowl {n}", sku=f"BOWL-{n}")
    factories.create_product("Jug", sku="JUG-1")
    page.goto(f"{PRODUCTS}?q=JUG-1")
    page.locator("tr input.action-select").check()
    page.goto(f"{PRODUCTS}?q=bowl")
    page.locator("#action-toggle").click()
    page.get_by_text("Select all 30").click()
    page.locator("select[name=action]").select_option(label="Archive selected products")
    press(page, "Run")
    expect(page.get_by_text("30 products changed.")).to_be_visible()
    assert list(Product.objects.filter(is_active=True).values_list("sku", flat=True)) == ["JUG-1"]
