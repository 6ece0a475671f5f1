"""Many products in the browser: prices, the table and the list, with clicks, loads and keys."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import expect
from support import factories
from support.browser import DESKTOP, PHONE
from support.effort import count_effort
from support.page_actions import PRODUCTS, run_list_action

from shop.models import ChangeSet, Product
from shop.services import products

NAMES = [f"Cup number {number}" for number in range(5)]
#: A person clicks a menu and then its entry, which Playwright does without a click.
CLICKS_OF_MENU = 2


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def device(request, window, ada):
    page = window(ada, request.param)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return page


@pytest.fixture
def thirty(db):
    """Thirty products, more than a page of the list has."""
    return [
        factories.create_product(f"Plate {n:02}", price=f"{n + 1}.50", sku=f"PLATE-{n:02}")
        for n in range(30)
    ]


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def prices():
    return list(Product.objects.order_by("pk").values_list("price", flat=True))


def names():
    return list(Product.objects.order_by("pk").values_list("name", flat=True))


def cell(page, column, product):
    """Return the control of a cell; its accessible name is the column's and the product's."""
    role = "checkbox" if column == "Active" else "textbox"
    return page.get_by_role(role, name=f"{column} {product.sku}")


def copy_text(page, text):
    """Copy a text as from a spreadsheet."""
    page.evaluate("text => navigator.clipboard.writeText(text)", text)


def test_job_6_thirty_prices_rise_and_return_to_the_cent(device, thirty):
    before = prices()
    effort = count_effort(device)
    device.goto(PRODUCTS)
    device.locator("#action-toggle").click()
    device.get_by_role("link", name=re.compile("Select all 30")).click()
    device.locator("select[name=action]").select_option(value="change_prices")
    effort.clicks += CLICKS_OF_MENU
    press(device, "Run")
    device.get_by_label("Value").click()
    device.keyboard.type("5")
    device.keyboard.press("Enter")
    press(device, "Change 30 prices")
    expect(device.get_by_text("30 prices changed.")).to_be_visible()
    assert all(new > old for new, old in zip(prices(), before, strict=True))
    assert (effort.clicks, effort.loads, effort.keys) <= (7, 4, 2)

    device.get_by_role("link", name="Show or undo it").click()
    press(device, "Undo change")
    expect(device.get_by_text("Undone: 30 products")).to_be_visible()
    assert prices() == before
    assert effort.clicks <= 9


def test_job_7_five_names_in_the_table(device, thirty):
    effort = count_effort(device)
    device.goto(PRODUCTS)
    device.get_by_role("link", name="Edit this page in a table").click()
    chosen = thirty[29:14:-3]
    for product, name in zip(chosen, NAMES, strict=True):
        cell(device, "Name", product).click()
        device.keyboard.press("Control+a")
        device.keyboard.insert_text(name)  # one key, as from a phone's keyboard
    press(device, "Save 5 changes")
    expect(device.get_by_text("5 products changed.")).to_be_visible()
    assert (effort.clicks, effort.loads) <= (8, 3)
    assert [Product.objects.get(pk=product.pk).name for product in chosen] == NAMES
    assert ChangeSet.objects.get().counts == {"changed": 5}
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert device.evaluate(fits)


def test_job_7_five_selected_names_in_the_table(device, thirty):
    chosen = thirty[29:14:-3]
    effort = count_effort(device)
    device.goto(PRODUCTS)
    for product in chosen:
        device.locator(f"[name=_selected_action][value='{product.pk}']").click()
    device.locator("select[name=action]").select_option(value="edit_in_table")
    effort.clicks += CLICKS_OF_MENU
    press(device, "Run")
    expect(cell(device, "Name", chosen[0])).to_be_focused()
    for name in NAMES:
        device.keyboard.insert_text(name)
        device.keyboard.press("Enter")
    expect(device.get_by_role("button", name="Save 5 changes")).to_be_focused()
    device.keyboard.press("Enter")
    expect(device.get_by_text("5 products changed.")).to_be_visible()
    assert (effort.clicks, effort.loads) <= (8, 3)
    assert [Product.objects.get(pk=product.pk).name for product in chosen] == NAMES


def test_job_7_five_names_in_the_list(device, thirty):
    effort = count_effort(device)
    device.goto(PRODUCTS)
    chosen = thirty[29:14:-3]
    for product, name in zip(chosen, NAMES, strict=True):
        if device.viewport_size["width"] > 1000:
            device.get_by_role("row", name=product.sku).hover()
        press(device, f"Edit the name of {product.name}")
        device.keyboard.insert_text(name)  # what it replaces is selected
        device.keyboard.press("Enter")
        expect(device.get_by_role("link", name=name)).to_be_visible()
    assert (effort.clicks, effort.loads) <= (5, 1)
    assert [Product.objects.get(pk=product.pk).name for product in chosen] == NAMES


def open_table(page, *chosen):
    run_list_action(page, PRODUCTS, "Edit selected products in a table", *chosen)


def test_arrows_enter_and_escape_move_and_restore(page, mug, lamp):
    open_table(page, "MUG-1", "LAMP-1")  # the newest first
    expect(cell(page, "Name", lamp)).to_be_focused()
    for key, column, product in (
        ("ArrowDown", "Name", mug),
        ("ArrowRight", "Name", mug),  # the text was selected: to its end
        ("ArrowRight", "Price", mug),
        ("ArrowUp", "Price", lamp),
        ("Enter", "Price", mug),
        ("Shift+Enter", "Price", lamp),
        ("Tab", "Active", lamp),
        ("ArrowDown", "Active", mug),
        ("ArrowLeft", "Price", mug),
        ("Shift+Tab", "Name", mug),
    ):
        page.keyboard.press(key)
        expect(cell(page, column, product)).to_be_focused()
    button = page.locator(".shop-table-buttons [type=submit]")
    expect(button).to_be_disabled()
    page.keyboard.type("Cup")
    expect(button).to_have_text("Save 1 change")
    expect(page.get_by_text("Was: Mug")).to_be_visible()
    page.keyboard.press("Escape")
    expect(cell(page, "Name", mug)).to_have_value("Mug")
    expect(button).to_be_disabled()
    expect(page.get_by_text("Was: Mug")).to_have_count(0)


def test_a_block_of_a_spreadsheet_is_pasted(page, thirty):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{PRODUCTS}table/?ids={thirty[0].pk},{thirty[1].pk},{thirty[2].pk}")
    copy_text(
        page, 'First\t1,25\tno\r\n"Second ""2"""\t2.50\tyes\r\nThird\t3\tperhaps\r\nFourth\r\n'
    )
    cell(page, "Name", thirty[0]).click()
    page.keyboard.press("Control+v")
    expect(page.locator("[data-table-message]")).to_contain_text("8")  # filled; 2 left out
    expect(page.locator("[data-table-message]")).to_contain_text("2")
    press(page, "Save 6 changes")  # the second keeps its price and stays active
    expect(page.get_by_text("3 products changed.")).to_be_visible()
    saved = Product.objects.filter(pk__in=[product.pk for product in thirty[:3]]).order_by("pk")
    assert list(saved.values_list("name", "price", "is_active")) == [
        ("First", Decimal("1.25"), False),
        ('Second "2"', Decimal("2.50"), True),
        ("Third", Decimal("3.00"), True),
    ]


def test_a_conflict_shows_both_values_and_lets_choose(page, ada, mug, lamp):
    open_table(page, "MUG-1", "LAMP-1")
    bea = factories.create_user("Bea", "Second", **factories.SUPERUSER_FIELDS)
    for product in (mug, lamp):
        products.update_product(product_id=product.pk, actor=bea, changes={"price": Decimal(13)})
        cell(page, "Price", product).fill("14")
    press(page, "Save 2 changes")
    expect(page.get_by_text("Now 13.00, by Bea Second.")).to_have_count(2)
    expect(cell(page, "Price", lamp)).to_be_focused()
    assert prices() == [Decimal(13), Decimal(13)]
    page.get_by_role("row", name="MUG-1").get_by_role("button", name="Use 13.00").click()
    press(page, "Save 1 change")
    expect(page.get_by_text("1 product changed.")).to_be_visible()
    assert prices() == [Decimal(13), Decimal(14)]


def test_chosen_columns_are_remembered(page, mug):
    page.goto(f"{PRODUCTS}table/?ids={mug.pk}")
    page.get_by_text("Columns").click()
    page.get_by_role("checkbox", name="Description").check()
    page.get_by_role("checkbox", name="Price").uncheck()
    for _ in range(2):
        expect(cell(page, "Description", mug)).to_be_visible()
        expect(cell(page, "Price", mug)).to_be_hidden()
        page.reload()


def test_leaving_a_changed_table_asks_first(page, mug):
    page.goto(f"{PRODUCTS}table/?ids={mug.pk}")
    page.keyboard.type("Cup")
    dialogs = []
    page.once("dialog", lambda dialog: (dialogs.append(dialog.type), dialog.dismiss()))
    page.get_by_role("link", name="Go back").click()
    expect(cell(page, "Name", mug)).to_have_value("Cup")
    assert dialogs == ["beforeunload"]
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Go back").click()
    page.wait_for_url(f"**{PRODUCTS}")
    assert names() == ["Mug"]


def test_the_list_tells_errors_and_conflicts_at_the_cell(page, ada, mug, troubles):
    page.goto(PRODUCTS)
    page.locator(".field-name a").focus()
    page.keyboard.press("e")
    field = page.get_by_role("textbox", name="Edit the name of Mug")
    field.fill("")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This field is required.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)

    page.locator(".field-money [data-value]").dblclick()  # not the pencil beside it
    price = page.get_by_role("textbox", name="Edit the price of Mug")
    expect(price).to_be_focused()
    bea = factories.create_user("Bea", "Second", **factories.SUPERUSER_FIELDS)
    products.update_product(product_id=mug.pk, actor=bea, changes={"price": Decimal(13)})
    price.fill("14")
    price.press("Enter")
    expect(page.get_by_text("Now 13.00, by Bea Second.")).to_be_visible()
    assert prices() == [Decimal(13)]
    page.keyboard.press("Enter")
    expect(page.locator(".field-money")).to_contain_text("14.00 EUR")
    expect(page.get_by_role("button", name="Edit the price of Mug")).to_be_focused()
    assert prices() == [Decimal(14)]
    url = page.url.split("/admin/")[0] + f"{PRODUCTS}{mug.pk}/quick-edit/"
    for status in (422, 409):
        troubles.remove(f"{status} POST {url}")


def test_a_large_change_of_prices_asks_twice(page, mug, lamp):
    run_list_action(page, PRODUCTS, "Change prices of selected products", "MUG-1", "LAMP-1")
    page.get_by_label("Value").fill("500")
    press(page, "Show new prices")
    press(page, "Change 2 prices")
    assert prices() == [Decimal("12.50"), Decimal("49.90")]
    page.get_by_role("checkbox", name="Yes, change 2 prices").check()
    expect(page.get_by_role("button", name="Show new prices")).to_be_visible()
    press(page, "Change 2 prices")
    expect(page.get_by_text("2 prices changed.")).to_be_visible()
    assert prices() == [Decimal("75.00"), Decimal("299.40")]
