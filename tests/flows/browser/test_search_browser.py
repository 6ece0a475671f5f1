"""Command search, saved views and keyboard shortcuts."""

from playwright.sync_api import expect
from support import world
from support.page_actions import ORDERS, PRODUCTS, command_search

from shop.models import SavedView


def test_command_search_finds_orders_and_users(page, carl, mug):
    order = world.create_order(carl, (mug, 1))
    page.goto(PRODUCTS)
    command_search(page, order.order_number.replace("-", "").lower())
    page.get_by_role("link", name=order.order_number).wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{ORDERS}{order.pk}/change/")
    page.get_by_role("button", name="Find anything").click()
    page.locator("#search-input-command").press_sequentially("carl")
    page.get_by_role("link", name="Carl Buyer • Carl@example.com").click()
    expect(page).to_have_url(f"/admin/shop/user/{carl.pk}/change/")


def test_a_view_is_saved_shared_and_used(page, window, viewer, ada, carl, mug):
    pending = world.create_order(carl, (mug, 1))
    world.move_along(world.create_order(carl, (mug, 1)), "confirmed", by=ada)
    page.goto(f"{ORDERS}?status__exact=pending")
    page.get_by_role("link", name="Save this view").click()
    page.get_by_label("Name").fill("To confirm")
    page.get_by_label("Share with colleagues").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page).to_have_url(f"{ORDERS}?status__exact=pending")
    for user_page in (page, window(viewer)):
        user_page.goto(ORDERS)
        expect(user_page.locator(".data-row")).to_have_count(2)
        user_page.get_by_role("link", name="To confirm").click()
        expect(user_page.locator(".data-row")).to_have_count(1)
        expect(user_page.locator(".data-row")).to_contain_text(pending.order_number)
    assert SavedView.objects.values_list("owner", "query").get() == (
        ada.pk,
        "status__exact=pending",
    )


def test_keyboard_shortcuts_move_through_a_list(page, carl, mug):
    newest, *_, oldest = [world.create_order(carl, (mug, 1), days_ago=days) for days in range(3)]
    page.goto(ORDERS)
    for key in "jjjjk":
        page.keyboard.press(key)
    page.keyboard.press("k")
    expect(page.get_by_role("link", name=newest.order_number)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{ORDERS}{oldest.pk}/change/")
    page.goto(ORDERS)
    page.keyboard.press("/")
    page.keyboard.type("jk")
    expect(page.locator("#searchbar")).to_have_value("jk")


def test_filters_and_logout_work_by_keyboard(page, carl, mug):
    world.create_order(carl, (mug, 1))
    page.goto(ORDERS)
    page.get_by_role("button", name="Filters").press("Enter")
    expect(page.get_by_role("button", name="Apply Filters")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Menu").press(" ")
    expect(page.get_by_role("button", name="Find anything")).to_be_hidden()
    page.get_by_role("button", name="Menu").press(" ")
    page.get_by_role("button", name="Ada Staff").press("Enter")
    page.get_by_role("button", name="Log out").press("Enter")
    expect(page).to_have_url("/admin/logout/")
