"""The morning's orders, by clicking: at the desk and in the stock room."""

from io import BytesIO

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader
from support import factories, world
from support.page_actions import ORDERS, act, open_order, press

from shop.models import Order, Product, StockMovement
from shop.services.stock import find_drift

device = pytest.fixture(params=["page", "phone"])(
    lambda request: request.getfixturevalue(request.param)
)


def test_somebody_signs_in_and_out(window, ada):
    page = window(None)
    page.goto(ORDERS)
    page.get_by_label("Email").fill("ADA@example.com")
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(ORDERS)


def test_an_order_goes_its_way(device, ada, carl, mug):
    order = world.create_order(carl, (mug, 2))
    open_order(device, order)
    press(device, "Confirm order")
    expect(device.get_by_text(f"Order {order} is confirmed now.")).to_be_visible()
    press(device, "Mark as shipped", carrier="DHL", tracking_number="JD 0146")
    press(device, "Mark as delivered", note="Left with the neighbour.")
    expect(device.get_by_text(f"Order {order} is delivered now.")).to_be_visible()
    order.refresh_from_db()
    assert (order.status, order.carrier, order.tracking_number) == ("delivered", "DHL", "JD 0146")
    events = order.events.values_list("status", "actor", "note")
    assert list(events) == [
        ("pending", carl.pk, ""),
        ("confirmed", ada.pk, ""),
        ("shipped", ada.pk, ""),
        ("delivered", ada.pk, "Left with the neighbour."),
    ]
    expect(device.get_by_role("link", name="Cancel order")).to_have_count(0)


def test_many_are_shipped_and_each_is_told(device, ada, carl, mug):
    before = ("pending", "confirmed", "confirmed", "shipped", "cancelled")
    orders = [
        world.move_along(world.create_order(carl, (mug, 1)), status, by=ada) for status in before
    ]
    act(device, ORDERS, "Ship selected orders", *orders)
    said = device.get_by_text("2 shipped, ")
    expect(said).to_contain_text("2 shipped, 1 pending, 1 already shipped, 1 cancelled.")
    expect(said).to_contain_text(f"{orders[0]} is pending; it cannot become shipped.")
    statuses = Order.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["pending", "shipped", "shipped", "shipped", "cancelled"]


@pytest.mark.parametrize(
    ("status", "button", "reason"),
    [
        ("pending", "Cancel order", "Ordered twice."),
        ("shipped", "Refused on delivery", None),
    ],
)
def test_what_is_not_fit_to_sell_is_written_off(
    device, ada, carl, mug, lamp, status, button, reason
):
    order = world.move_along(world.create_order(carl, (mug, 2), (lamp, 1)), status, by=ada)
    open_order(device, order)
    device.get_by_role("link", name=button, exact=True).click()
    if reason:
        device.get_by_label("Reason").fill(reason)
    device.get_by_label("1 × Lamp").check()
    device.get_by_role("button", name=button, exact=True).click()
    expect(device.get_by_text(f"Order {order} is cancelled now.")).to_be_visible()
    note = reason or "Refused on delivery."
    back = StockMovement.objects.filter(kind__in=["cancellation", "damaged"]).order_by("pk")
    assert list(back.values_list("product", "kind", "delta", "reason")) == [
        (mug.pk, "cancellation", 2, note),
        (lamp.pk, "cancellation", 1, note),
        (lamp.pk, "damaged", -1, note),
    ]
    assert list(Product.objects.order_by("pk").values_list("stock", flat=True)) == [10, 4]
    assert list(find_drift()) == []


def test_packing_slips_are_one_print_job_or_one_pdf(page, ada, carl, mug, lamp):
    orders = [world.create_order(carl, (item, 1)) for item in (mug, lamp, mug)]
    chosen = sorted(f"Packing slip {order}" for order in (orders[0], orders[2]))
    act(page, ORDERS, "Print packing slips", orders[0], orders[2])
    toolbar = page.get_by_text("2 packing slips")
    expect(toolbar).to_be_visible()
    page.emulate_media(media="print")
    expect(toolbar).to_be_hidden()
    assert sorted(page.get_by_role("heading").all_text_contents()) == chosen
    assert len(PdfReader(BytesIO(page.pdf())).pages) == 2
    page.emulate_media(media="screen")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download PDF").click()
    sheets = [sheet.extract_text() for sheet in PdfReader(download.value.path()).pages]
    assert len(sheets) == 2
    assert all(any(title in text for text in sheets) for title in chosen)
    assert set(Order.objects.values_list("status", flat=True)) == {"pending"}
    told = orders[0].events.order_by("pk").values_list("actor", "note")
    assert list(told)[1:] == [
        (ada.pk, "Packing slip printed"),
        (ada.pk, "Packing slip downloaded as PDF"),
    ]
    assert orders[1].events.count() == 1
