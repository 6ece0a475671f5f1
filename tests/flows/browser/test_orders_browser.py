"""Orders in the browser: move, cancel and print them on a desktop and on a phone."""

from io import BytesIO

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader
from support import factories, world
from support.page_actions import ORDERS, open_order, run_list_action, submit_action

from shop.models import Order
from shop.services.order_moves import move_order

device = pytest.fixture(params=["page", "phone"])(
    lambda request: request.getfixturevalue(request.param)
)


def place(carl, *lines, status="pending", by=None):
    """Place an order of Carl's and move it to a status."""
    order = world.create_order(carl, *lines)
    for to in Order.Status.path_to(status):
        move_order(order_id=order.pk, to=to, actor=by, by_staff=True)
    return order


def test_log_in(window, ada):
    page = window(None)
    page.goto(ORDERS)
    page.get_by_label("Email").fill("ADA@example.com")
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(ORDERS)


def test_an_order_is_moved_to_delivered(device, ada, carl, mug):
    order = place(carl, (mug, 2))
    path = Order.Status.path_to("delivered")
    fields = {
        "shipped": {"carrier": "DHL", "tracking_number": "JD 0146"},
        "delivered": {"note": "Left with the neighbour."},
    }
    open_order(device, order)
    for status in path:
        submit_action(device, str(status.facts.action), **fields.get(status, {}))
        device.get_by_text(f"Order {order} is now").wait_for()
    order.refresh_from_db()
    assert (order.status, order.carrier, order.tracking_number) == ("delivered", "DHL", "JD 0146")
    events = order.events.values_list("status", "actor", "note")
    assert list(events) == [
        ("pending", carl.pk, ""),
        *((status, ada.pk, fields.get(status, {}).get("note", "")) for status in path),
    ]
    expect(device.get_by_role("link", name="Cancel order")).to_have_count(0)


def test_a_mixed_selection_ships_what_it_can(device, ada, carl, mug):
    ready = Order.Status.path_to("shipped")[-2]
    before = ("pending", ready, ready, "shipped", "cancelled")
    orders = [place(carl, (mug, 1), status=status, by=ada) for status in before]
    run_list_action(device, ORDERS, "Ship selected orders", *orders)
    device.get_by_role("button", name="Ship 2 orders").click()
    message = device.get_by_text("2 orders were shipped.")
    expect(message).to_contain_text("3 orders were not changed")
    for order in (orders[0], orders[3], orders[4]):
        expect(message).to_contain_text(str(order))
    statuses = Order.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["pending", "shipped", "shipped", "shipped", "cancelled"]


def test_a_failed_mail_is_sent_again_from_the_timeline(device, ada, carl, mug):
    order = place(carl, (mug, 1))
    order.messages.update(status="failed", error="550 No such user")
    open_order(device, order)
    submit_action(device, "Send again")
    device.get_by_text("The email is on its way again.").wait_for()
    assert order.messages.exclude(status="failed").count() == 1


def test_counts_agree_with_the_page_after_a_step(device, ada, carl, mug):
    order = place(carl, (mug, 1))
    open_order(device, order)
    badge = device.locator("[title='1 order to be confirmed']")
    expect(badge).to_have_count(1)
    submit_action(device, str(Order.Status.CONFIRMED.facts.action))
    device.get_by_text(f"Order {order} is now").wait_for()
    expect(badge).to_have_count(0)
    device.goto(f"{ORDERS}?status__exact=pending")
    device.get_by_role("link", name="1 order waits to be shipped").click()
    expect(device.get_by_role("link", name=str(order), exact=True)).to_be_visible()


def test_packing_slips_are_one_print_job_or_one_pdf(page, ada, carl, mug, lamp):
    orders = [place(carl, (item, 1)) for item in (mug, lamp, mug)]
    titles = sorted(f"Packing slip {order}" for order in (orders[0], orders[2]))
    run_list_action(page, ORDERS, "Print packing slips", orders[0], orders[2])
    toolbar = page.get_by_text("2 packing slips")
    expect(toolbar).to_be_visible()
    page.emulate_media(media="print")
    expect(toolbar).to_be_hidden()
    assert sorted(page.get_by_role("heading").all_text_contents()) == titles
    assert len(PdfReader(BytesIO(page.pdf())).pages) == 2
    page.emulate_media(media="screen")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download PDF").click()
    sheets = [sheet.extract_text() for sheet in PdfReader(download.value.path()).pages]
    assert len(sheets) == 2
    assert all(any(title in text for text in sheets) for title in titles)
    assert set(Order.objects.values_list("status", flat=True)) == {"pending"}
    events = orders[0].events.order_by("pk").values_list("actor", "note")
    assert list(events)[1:] == [
        (ada.pk, "Packing slip printed"),
        (ada.pk, "Packing slip downloaded as PDF"),
    ]
    assert orders[1].events.count() == 1
