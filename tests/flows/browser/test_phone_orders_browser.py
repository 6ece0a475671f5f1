"""Orders by phone in the browser, on a desktop and on a phone."""

from decimal import Decimal

import pytest
from playwright.sync_api import expect
from support import world
from support.page_actions import NEW_ORDER, choose_option

from shop.models import Order, User
from shop.services.stock import find_drift

device = pytest.fixture(params=["page", "phone"])(
    lambda request: request.getfixturevalue(request.param)
)


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def test_a_known_customer_orders(device, ada, carl, mug, lamp):
    world.create_order(carl, (mug, 1))
    device.goto(NEW_ORDER)
    choose_option(device, "Known customer", "carl", "Carl Buyer")
    choose_option(device, "Product 1", "mug", "Mug · MUG-1")
    device.get_by_label("Quantity 1").fill("3")
    choose_option(device, "Product 2", "LAMP", "Lamp · LAMP-1")
    button(device, "Check order").click()
    expect(device.get_by_role("definition").filter(has_text="1 Fern Lane")).to_be_visible()
    assert Order.objects.count() == 1
    button(device, "Place order for 87.40 EUR").click()
    order = Order.objects.exclude(pk=Order.objects.order_by("pk").first().pk).get()
    expect(device.get_by_text(f"Order {order} was placed for Carl Buyer.")).to_be_visible()
    expect(device.get_by_role("listitem").filter(has_text="Phone order.")).to_contain_text(
        "Ada Staff"
    )
    assert order.events.values_list("actor", "note").get() == (ada.pk, "Phone order.")
    assert sorted(order.items.values_list("sku", "quantity")) == [("LAMP-1", 1), ("MUG-1", 3)]
    assert list(find_drift()) == []


def test_a_new_customer_orders(device, ada, mug):
    device.goto(NEW_ORDER)
    device.get_by_text("New customer", exact=True).click()
    for label, text in {
        "Email": "Nora@example.com",
        "First name": "Nora",
        "Last name": "New",
    }.items():
        device.get_by_label(label, exact=True).fill(text)
    choose_option(device, "Product 1", "mug", "Mug · MUG-1")
    button(device, "Check order").click()
    expect(device.get_by_text("Enter an address.")).to_be_visible()
    device.get_by_label("Shipping address").fill(world.ADDRESS)
    button(device, "Check order").click()
    button(device, "Edit order").click()
    device.get_by_label("Quantity 1").fill("2")
    button(device, "Check order").click()
    button(device, "Place order for 25.00 EUR").click()
    expect(device.get_by_text("was placed for Nora New.")).to_be_visible()
    order = Order.objects.get()
    assert (order.user, order.total_amount) == (
        User.objects.get(email="nora@example.com"),
        Decimal("25.00"),
    )
    assert (order.shipping_address, order.events.get().actor) == (world.ADDRESS, ada)
