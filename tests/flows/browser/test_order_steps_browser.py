"""Everyday jobs on one order in the browser, with clicks and page loads counted."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import expect
from support import factories, world
from support.effort import count_effort
from support.page_actions import ORDERS, choose_option, open_order

from shop.models import Carrier, Order, Product, StockMovement
from shop.services.order_edit import OrderChanges, edit_order
from shop.services.stock import find_drift

device = pytest.fixture(params=["page", "phone"])(
    lambda request: request.getfixturevalue(request.param)
)


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def link(page, name):
    return page.get_by_role("link", name=name, exact=True)


def assert_fits(page):
    """Assert that the page does not scroll sideways."""
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0, f"{page.url} is {width} px too wide"


def test_an_address_is_corrected_in_three_clicks(device, ada, carl, mug):
    order = world.create_order(carl, (mug, 2))
    effort = count_effort(device)
    device.goto(ORDERS)
    link(device, str(order)).click()
    link(device, "Edit order").click()
    device.get_by_label("Shipping address").fill("2 Fern Lane\nKew\nLondon TW9 3AB")
    assert_fits(device)
    button(device, "Save order").click()
    device.get_by_text(f"Order {order} was changed.").wait_for()
    order.refresh_from_db()
    assert order.shipping_address == "2 Fern Lane\nKew\nLondon TW9 3AB"
    assert (effort.clicks, effort.loads) == (3, 4)


def test_a_refused_parcel_with_one_broken_unit_takes_five_clicks(device, ada, carl, mug):
    order = world.move_along(world.create_order(carl, (mug, 2)), "shipped", by=ada)
    effort = count_effort(device)
    device.goto(ORDERS)
    link(device, str(order)).click()
    link(device, "Book as refused").click()
    device.get_by_label("Mug: write off").click()
    device.keyboard.press("ControlOrMeta+a")
    device.keyboard.type("1")
    expect(device.get_by_label("Mug: put back")).to_have_value("1")
    assert_fits(device)
    button(device, "Book as refused").click()
    device.get_by_text(f"Order {order} was cancelled.").wait_for()
    assert effort.clicks <= 5
    assert effort.loads == 4
    assert Product.objects.get(pk=mug.pk).stock == 9
    returns = StockMovement.objects.filter(kind__in=["cancellation", "damaged"]).order_by("pk")
    assert list(returns.values_list("kind", "delta")) == [("cancellation", 2), ("damaged", -1)]
    assert list(find_drift()) == []


def test_items_are_edited_while_a_colleague_changes_the_note(device, ada, carl, mug, lamp):
    order = world.create_order(carl, (mug, 2))
    open_order(device, order)
    link(device, "Edit order").click()
    device.get_by_label("Quantity of Mug").fill("3")
    device.get_by_text("Add products", exact=True).click()
    choose_option(device, "Product 1", "LAMP", "Lamp · LAMP-1")
    assert_fits(device)
    edit_order(order_id=order.pk, changes=OrderChanges(note="Ring twice."), actor=ada)
    button(device, "Save order").click()
    device.get_by_text("Someone else changed this order").wait_for()
    expect(device.get_by_label("Quantity of Mug")).to_have_value("3")
    expect(device.get_by_label("Customer's note")).to_have_value("Ring twice.")
    expect(device.get_by_role("combobox", name="Product 1")).to_contain_text("Lamp")
    button(device, "Save order").click()
    device.get_by_text(re.compile("87.40 EUR still due")).wait_for()
    order.refresh_from_db()
    assert (order.note, order.total_amount) == ("Ring twice.", Decimal("87.40"))
    assert list(find_drift()) == []


@pytest.mark.parametrize(
    ("status", "step"), [("delivered", "Take return"), ("shipped", "Book as refused")]
)
def test_enter_goes_on_in_units_and_submits_nothing(page, ada, carl, mug, status, step):
    order = world.move_along(world.create_order(carl, (mug, 2)), status, by=ada)
    open_order(page, order)
    link(page, step).click()
    page.get_by_label("Mug: put back").click()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Mug: write off")).to_be_focused()
    page.keyboard.type("1")  # replaces the 0
    page.keyboard.press("Enter")
    expect(button(page, step)).to_be_focused()
    expect(page.get_by_label("Mug: write off")).to_have_value("1")
    assert Order.objects.get().updated_at == order.updated_at
    page.keyboard.press("Enter")
    page.get_by_text("1 written off.").wait_for()


def test_leaving_an_edit_with_unsaved_changes_asks_first(page, carl, mug):
    order = world.create_order(carl, (mug, 2))
    open_order(page, order)
    link(page, "Edit order").click()
    page.get_by_label("Quantity of Mug").fill("3")
    dialogs = []
    page.once("dialog", lambda dialog: (dialogs.append(dialog.type), dialog.dismiss()))
    link(page, "Go back").click()
    expect(page.get_by_label("Quantity of Mug")).to_have_value("3")
    assert dialogs == ["beforeunload"]
    button(page, "Save order").click()
    page.get_by_text(f"Order {order} was changed.").wait_for()


def test_enter_goes_on_in_quantities_and_submits_nothing(page, carl, mug, lamp):
    order = world.create_order(carl, (mug, 2), (lamp, 1))
    open_order(page, order)
    link(page, "Edit order").click()
    page.get_by_label("Quantity of Mug").click()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Quantity of Lamp")).to_be_focused()
    page.keyboard.press("Enter")
    expect(button(page, "Save order")).to_be_focused()
    assert page.url.endswith("/edit/")


def test_a_return_is_taken_and_refunded(device, ada, carl, mug):
    order = world.move_along(world.create_order(carl, (mug, 2)), "delivered", by=ada)
    open_order(device, order)
    link(device, "Take return").click()
    device.get_by_label("Mug: put back").fill("1")
    expect(device.get_by_label("Mug: write off")).to_have_value("0")
    assert_fits(device)
    button(device, "Take return").click()
    link(device, "Refund 12.50 EUR").click()
    expect(device.get_by_label("Amount in EUR")).to_have_value("12.50")
    assert_fits(device)
    button(device, "Record refund").click()
    device.get_by_text(f"12.50 EUR of order {order} was refunded.").wait_for()
    order.refresh_from_db()
    assert (order.payment_status, order.refunded_amount) == ("paid", Decimal("12.50"))
    assert list(find_drift()) == []


def test_a_double_click_refunds_once(page, ada, carl, mug):
    order = world.move_along(world.create_order(carl, (mug, 2)), "delivered", by=ada)
    open_order(page, order)
    link(page, "Refund").click()
    page.get_by_label("Amount in EUR").fill("5")
    button(page, "Record refund").dblclick()
    page.get_by_text(f"5.00 EUR of order {order} was refunded.").wait_for()
    assert Order.objects.get().refunded_amount == Decimal("5.00")


def test_a_carrier_is_suggested(device, ada, carl, mug):
    values = {"tracking_url": "https://dhl.example/?n={number}"}
    Carrier.objects.update_or_create(name="DHL", defaults=values)
    order = world.move_along(world.create_order(carl, (mug, 2)), "shipped", by=ada)
    open_order(device, order)
    link(device, "Edit tracking").click()
    expect(device.locator("datalist option[value=DHL]")).to_have_count(1)
    device.get_by_label("Carrier").fill("dhl")
    device.get_by_label("Tracking number").fill("JD 0146")
    expect(device.get_by_label("Email the customer")).to_be_checked()
    assert_fits(device)
    button(device, "Save tracking").click()
    device.get_by_text(f"The tracking of order {order} was saved.").wait_for()
    order.refresh_from_db()
    assert (order.carrier, order.tracking_number) == ("DHL", "JD 0146")


def test_a_packer_sees_only_their_steps(window, carl, mug, ada):
    order = world.move_along(world.create_order(carl, (mug, 2)), "shipped", by=ada)
    pat = factories.create_user("Pat", "Packer", role="admin")
    pat.user_permissions.set(
        pat.user_permissions.model.objects.filter(codename__in=["view_order", "fulfil_order"])
    )
    page = window(pat)
    open_order(page, order)
    expect(link(page, "Mark as delivered")).to_be_visible()
    for name in ("Book as refused", "Mark as paid", "Edit order", "Refund"):
        expect(link(page, name)).to_have_count(0)
