import re
from decimal import Decimal

import pytest
from support import factories

from shop import exposure
from shop.admin.orders.page import FURTHER_FIELDS
from shop.models import Carrier, Order, OutboxMessage
from shop.services.invoices import issue_invoices
from shop.services.order_moves import move_order
from shop.services.order_notes import add_note, record_printing
from shop.services.order_payments import mark_paid, refund_order
from shop.services.orders import place_order
from shop.services.returns import ReturnedUnits, return_items
from shop.services.shipments import Shipment


@pytest.fixture
def order(carl, mug, lamp):
    factories.add_to_cart(carl, (mug, 2), (lamp, 1))
    return place_order(user=carl, shipping_address="1 Street\nTown").order


def open_page(browser, order):
    return browser.get(f"/admin/shop/order/{order.pk}/change/")


def timeline(browser, order):
    """Return title and amounts of each entry, the oldest first."""
    entries = open_page(browser, order).context["timeline"]
    return [(entry.title, *entry.amounts) for entry in reversed(entries)]


def deliver(order, by):
    for status in Order.Status.path_to("delivered"):
        move_order(order_id=order.pk, to=status, actor=by, by_staff=True, notify=False)


def test_totals_leave_out_what_is_zero(adas_browser, ada, order, mug):
    def totals():
        return [
            (label, text) for label, text, _ in open_page(adas_browser, order).context["totals"]
        ]

    assert totals() == [("Total", "74.90 EUR"), ("Still due", "74.90 EUR")]
    deliver(order, ada)
    assert totals() == [("Total", "74.90 EUR"), ("Paid", "74.90 EUR")]
    return_items(order_id=order.pk, returned={mug.pk: ReturnedUnits(1)}, actor=ada)
    refund_order(order_id=order.pk, actor=ada, amount=Decimal("2.50"))
    assert totals() == [
        ("Total", "74.90 EUR"),
        ("Credited", "-12.50 EUR"),
        ("Paid", "74.90 EUR"),
        ("Refunded", "-2.50 EUR"),
        ("Refund due", "10.00 EUR"),
    ]
    assert open_page(adas_browser, order).context["has_returns"]


def test_the_timeline_shows_payments_at_their_events(adas_browser, ada, order, mug):
    deliver(order, ada)
    return_items(order_id=order.pk, returned={mug.pk: ReturnedUnits(1)}, actor=ada)
    refund_order(order_id=order.pk, actor=ada, reason="Broken")
    OutboxMessage.objects.all().delete()
    assert timeline(adas_browser, order) == [
        ("Order placed",),
        *((str(status.label),) for status in Order.Status.path_to("delivered")[:-1]),
        ("Delivered", "74.90 EUR paid"),
        ("Items returned",),
        ("Refunded", "12.50 EUR"),
    ]
    newest = open_page(adas_browser, order).context["timeline"][0]
    assert (newest.by, newest.note, newest.details) == (str(ada), "Broken", "")


def test_a_payment_without_an_event_is_an_entry_of_its_own(adas_browser, ada, order):
    mark_paid(order_id=order.pk, actor=ada)
    OutboxMessage.objects.all().delete()
    assert timeline(adas_browser, order)[-1] == ("Payment", "74.90 EUR")
    order.events.filter(kind="payment").delete()
    order.events.update(created_at=order.created_at - (order.updated_at - order.created_at))
    order.payments.update(created_at="2030-01-01T00:00Z")
    assert timeline(adas_browser, order) == [("Order placed",), ("Payment", "74.90 EUR")]


def test_the_timeline_marks_what_only_staff_see(adas_browser, ada, order):
    add_note(order_id=order.pk, actor=ada, note="Rings at noon", is_internal=True)
    add_note(order_id=order.pk, actor=ada, note="For all", is_internal=False)
    record_printing(order_ids=[order.pk], actor=ada, what="Packing slip printed")
    entries = open_page(adas_browser, order).context["timeline"]
    notes = {
        entry.note or entry.title: bool(entry.label) for entry in entries if entry.by == "Ada A"
    }
    notes |= {entry.note or entry.title: bool(entry.label) for entry in entries[:3]}
    assert notes == {"Packing slip printed": True, "For all": False, "Rings at noon": True}


def test_issued_invoices_are_in_the_timeline(adas_browser, staff_client_with, ada, order):
    [invoice] = issue_invoices(order_ids=[order.pk], actor=ada)
    [entry] = [e for e in open_page(adas_browser, order).context["timeline"] if e.url]
    assert (entry.amounts, entry.by) == (("74.90 EUR",), str(ada))
    assert invoice.number in entry.title
    assert adas_browser.get(entry.url).status_code == 200
    entries = open_page(staff_client_with("view_order"), order).context["timeline"]
    assert [(e.url, invoice.number in e.title) for e in entries] == [("", True), ("", False)]


def test_a_credit_note_is_in_the_timeline_once(adas_browser, ada, order, mug):
    issue_invoices(order_ids=[order.pk], actor=ada)
    deliver(order, ada)
    return_items(order_id=order.pk, returned={mug.pk: ReturnedUnits(1)}, actor=ada)
    note = order.invoices.get(kind="credit_note")
    entries = open_page(adas_browser, order).context["timeline"]
    shown = [entry for entry in entries if note.number in entry.title + entry.note]
    assert [bool(entry.url) for entry in shown] == [True]


@pytest.mark.parametrize("status", ["pending", "sent", "failed"])
def test_a_mail_shows_its_state_and_can_be_sent_again(
    adas_browser, staff_client_with, order, status
):
    OutboxMessage.objects.update(status=status, error="550 No such user")
    [mail] = [e for e in open_page(adas_browser, order).context["timeline"] if e.error]
    state = OutboxMessage.Status(status)
    assert f"shop-{OutboxMessage.ROLES[state]}" in mail.label
    assert bool(mail.send_again_url) is (status != "pending")
    if mail.send_again_url:
        assert adas_browser.get(mail.send_again_url).status_code == 200
    viewer = staff_client_with("view_order", "view_outboxmessage")
    entries = open_page(viewer, order).context["timeline"]
    assert [entry.send_again_url for entry in entries] == ["", ""]


def test_mails_need_the_permission_to_view_them(staff_client_with, order):
    entries = open_page(staff_client_with("view_order"), order).context["timeline"]
    assert [entry.title for entry in entries] == ["Order placed"]


@pytest.mark.usefixtures("carriers")
def test_the_tracking_number_is_a_link(adas_browser, ada, order):
    Carrier.objects.filter(name="DHL").update(tracking_url="https://dhl.example/{number}")
    for status in Order.Status.path_to("shipped"):
        shipment = Shipment("dhl", "JD 1")
        move_order(order_id=order.pk, to=status, actor=ada, by_staff=True, shipment=shipment)
    text = open_page(adas_browser, order).content.decode()
    assert re.search(r'href="https://dhl\.example/JD%201"[^>]*>JD 1</a>', text)


def test_the_value_of_a_customer_needs_its_permission(
    adas_browser, staff_client_with, carl, ada, mug, order
):
    factories.add_to_cart(carl, (mug, 1))
    second = place_order(user=carl, shipping_address="1 Street").order
    deliver(second, ada)
    refund_order(order_id=second.pk, actor=ada, amount=Decimal("2.50"))
    context = open_page(adas_browser, second).context
    assert (context["customer_orders"], context["lifetime_value"]) == (2, "84.90 EUR")
    assert not context["is_first_order"]
    page = open_page(staff_client_with("view_order", "view_user"), order)
    assert (page.context["customer_orders"], page.context["is_first_order"]) == (2, True)
    assert "lifetime_value" not in page.context
    assert "84.90" not in page.content.decode()


def test_names_link_only_to_pages_that_may_be_viewed(adas_browser, staff_client_with, order, mug):
    links = {f"/admin/shop/user/{order.user_id}/change/", f"/admin/shop/product/{mug.pk}/change/"}

    def linked(browser):
        return {link for link in links if link in open_page(browser, order).content.decode()}

    assert linked(adas_browser) == links
    assert linked(staff_client_with("view_order")) == set()


def test_each_field_is_in_a_block_or_among_the_further_details(adas_browser, order):
    response = open_page(adas_browser, order)
    shown = [name for _, opts in response.context["adminform"].fieldsets for name in opts["fields"]]
    assert shown == FURTHER_FIELDS
    assert set(FURTHER_FIELDS) < set(exposure.names_of(exposure.all_fields(Order)))
    assert 'id="submit-row"' not in response.content.decode()


@pytest.mark.parametrize("number", [1, 3])
def test_the_page_runs_ten_queries(adas_browser, ada, order, mug, statements, number):
    deliver(order, ada)
    for _ in range(number):
        add_note(order_id=order.pk, actor=ada, note="Rang", is_internal=True)
        refund_order(order_id=order.pk, actor=ada, amount=Decimal("1.00"), notify=True)
    open_page(adas_browser, order)  # Django keeps the content type from then on
    # One more for each many-to-many field that a new field of the order added.
    with statements(10 + len(exposure.many_to_many_fields(Order))):
        open_page(adas_browser, order)
