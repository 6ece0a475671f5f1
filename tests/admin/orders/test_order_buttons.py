"""The buttons of an order's page, and the permissions of the steps that they lead to."""

from decimal import Decimal

import pytest
from support import world

from shop import exposure
from shop.admin.orders.move_views import BOOK_AS_REFUSED
from shop.models import Order, User
from shop.services.order_edit import OrderChanges, edit_order
from shop.services.order_moves import move_order
from shop.services.order_notes import print_invoices
from shop.services.order_payments import mark_paid

LIST = "/admin/shop/order/"
BEFORE_SHIPPED = Order.Status.path_to("shipped")[-2]
ALWAYS = ["note", "print/packing%20slip", "print/invoice"]
if exposure.staff_writable_fields(Order):
    ALWAYS.append("details")
#: Status -> the steps that an unpaid order allows beside its next statuses and ALWAYS.
STEPS = {
    "pending": ["paid", "edit"],
    "confirmed": ["paid", "edit"],
    "shipped": ["paid", "tracking"],
    "delivered": ["tracking", "return", "refund"],
    "cancelled": [],
}


def page(order, step="change"):
    return f"{LIST}{order.pk}/{step}/"


def buttons_of(browser, order):
    """Return step -> kind, in the order of the page."""
    buttons = browser.get(page(order)).context["buttons"]
    start = len(page(order, ""))
    return {button["url"][start - 1 : -1]: button["kind"] for button in buttons}


@pytest.fixture
def order_in(ada, carl, mug):
    def create(status):
        return world.move_along(world.create_order(carl, (mug, 2)), status, by=ada)

    return create


@pytest.mark.parametrize("status", STEPS)
def test_buttons_are_the_next_statuses_and_the_possible_steps(adas_browser, order_in, status):
    order = order_in(status)
    prints = {step for step in ALWAYS if status == "cancelled" and step.startswith("print/")}
    always = [step for step in ALWAYS if step not in prints]
    moves = [f"move/{to}" for to in Order.FLOW[status]]
    assert sorted(buttons_of(adas_browser, order)) == sorted([*moves, *STEPS[status], *always])
    labels = {button["label"] for button in adas_browser.get(page(order)).context["buttons"]}
    assert (BOOK_AS_REFUSED in labels) is (status == "shipped")


def test_a_cancelled_order_prints_the_invoice_that_it_has(adas_browser, ada, order_in):
    order = order_in("confirmed")
    print_invoices(order_ids=[order.pk], actor=ada, as_pdf=False)
    move_order(order_id=order.pk, to="cancelled", actor=ada, by_staff=True)
    assert "print/invoice" in buttons_of(adas_browser, order)


@pytest.mark.parametrize("status", STEPS)
def test_the_next_step_is_the_first_and_only_primary_button(adas_browser, order_in, status):
    buttons = buttons_of(adas_browser, order_in(status))
    path = Order.FLOW[status]
    primary = [step for step, kind in buttons.items() if kind == "primary"]
    assert primary == ([f"move/{path[0]}"] if path else [])
    assert list(buttons)[: len(primary)] == primary
    kinds = list(buttons.values())
    assert kinds == sorted(kinds, key=lambda kind: kind == "danger")


def test_buttons_that_cannot_be_undone_are_red_where_they_act(adas_browser, order_in):
    order = order_in("pending")
    red = [step for step, kind in buttons_of(adas_browser, order).items() if kind == "danger"]
    assert red == ["move/cancelled"]
    text = adas_browser.get(page(order, red[0])).content.decode()
    assert '<button type="submit" class="shop-button shop-button-danger">' in text


def test_a_cancelled_order_waits_for_its_refund(adas_browser, ada, order_in):
    order = order_in("confirmed")
    mark_paid(order_id=order.pk, actor=ada)
    assert list(buttons_of(adas_browser, order).values())[-2:] == ["danger", "danger"]
    move_order(order_id=order.pk, to="cancelled", actor=ada, by_staff=True)
    first = adas_browser.get(page(order)).context["buttons"][0]
    assert (first["url"], first["kind"]) == (page(order, "refund"), "danger")
    assert "25.00 EUR" in first["label"]


def test_a_delivered_order_that_was_not_paid_waits_for_its_payment(adas_browser, ada, carl, mug):
    order = world.create_order(carl, (mug, 2), payment_method="bank_transfer")
    world.move_along(order, "delivered", by=ada)
    assert next(iter(buttons_of(adas_browser, order).items())) == ("paid", "primary")


def test_the_refund_that_an_edit_leaves_is_named(adas_browser, ada, order_in, mug):
    order = order_in("pending")
    mark_paid(order_id=order.pk, actor=ada)
    edit_order(order_id=order.pk, changes=OrderChanges(quantities={mug.pk: 1}), actor=ada)
    order.refresh_from_db()
    assert order.refund_due == Decimal("12.50")
    buttons = adas_browser.get(page(order)).context["buttons"]
    labels = [str(button["label"]) for button in buttons if button["url"].endswith("/refund/")]
    assert len(labels) == 1
    assert "12.50 EUR" in labels[0]


#: Permission -> the steps of a shipped and of a delivered order that it opens.
RIGHTS = {
    "change_order": ["move/cancelled", "paid", "note", "print/invoice"],
    "fulfil_order": ["move/delivered", "tracking", "print/packing%20slip"],
    "edit_order": [],
    "refund_order": [],
}


@pytest.mark.parametrize("codename", [*RIGHTS, ""])
def test_staff_see_and_open_what_they_may(staff_client_with, order_in, codename):
    order = order_in("shipped")
    browser = staff_client_with("view_order", codename)
    permitted = RIGHTS.get(codename, [])
    if codename == "change_order" and "details" in ALWAYS:
        permitted = [*permitted, "details"]
    assert sorted(buttons_of(browser, order)) == sorted(permitted)
    for steps in RIGHTS.values():
        for step in steps:
            expected = 200 if step in permitted else 403
            assert browser.get(page(order, step)).status_code == expected, step


@pytest.mark.parametrize(
    ("step", "status", "codename"),
    [
        ("edit", "pending", "edit_order"),
        ("move/confirmed", "pending", "change_order"),
        ("move/shipped", BEFORE_SHIPPED, "fulfil_order"),
        ("return", "delivered", "refund_order"),
        ("refund", "delivered", "refund_order"),
    ],
)
def test_each_step_takes_its_own_permission(staff_client_with, order_in, step, status, codename):
    order = order_in(status)
    before = Order.objects.values().get()
    others = {*RIGHTS, "view_order"} - {codename}
    browser = staff_client_with(*others)
    assert step not in buttons_of(browser, order)
    assert browser.get(page(order, step)).status_code == 403
    assert browser.post(page(order, step), {}).status_code == 403
    assert Order.objects.values().get() == before
    User.objects.get(email="cleo@example.com").delete()
    browser = staff_client_with("view_order", codename)
    assert step in buttons_of(browser, order)
    assert browser.get(page(order, step)).status_code == 200


@pytest.mark.parametrize(
    ("step", "status"),
    [
        ("edit", "shipped"),
        ("tracking", "confirmed"),
        ("return", "shipped"),
        ("refund", "pending"),
        ("paid", "delivered"),
    ],
)
def test_a_step_that_is_not_possible_leads_back_to_the_order(adas_browser, order_in, step, status):
    order = order_in(status)
    before = Order.objects.values().get()
    response = adas_browser.get(page(order, step))
    assert (response.status_code, response.url) == (302, page(order))
    adas_browser.post(page(order, step), {})
    assert Order.objects.values().get() == before
