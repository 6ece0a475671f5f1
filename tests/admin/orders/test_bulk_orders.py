"""The page that asks before many orders are changed, and the message after it."""

import re
from decimal import Decimal

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from support import factories
from support.bulk_actions import LIST, ask, confirm

from shop.admin.orders.bulk_selection import VERSION_FIELD
from shop.admin.orders.bulk_steps import BULK_STEPS, OTHER_TEXTS
from shop.models import Order, OutboxMessage, Payment, StockMovement
from shop.services.orders import place_order

READY_TO_SHIP = Order.Status.path_to("shipped")[-2]
STATUSES = [READY_TO_SHIP, "shipped", "cancelled"]


@pytest.fixture
def orders(carl, mug):
    """Three orders: ready to ship, shipped, cancelled."""
    placed = []
    for status in STATUSES:
        factories.add_to_cart(carl, (mug, 2))
        placed.append(place_order(user=carl, shipping_address="1 Fern Road\nKew").order)
        Order.objects.filter(pk=placed[-1].pk).update(status=status)
    return placed


@pytest.fixture
def place(carl):
    """`place("pending", "shipped")`: an order of two cups in each status, 25.00 each."""
    cup = factories.create_product("Cup", price="12.50", stock=100, sku="CUP-1")

    def create(*statuses, **values):
        orders = []
        for status in statuses:
            factories.add_to_cart(carl, (cup, 2))
            orders.append(place_order(user=carl, shipping_address="1 Fern Road\nKew").order)
            Order.objects.filter(pk=orders[-1].pk).update(status=status, **values)
        OutboxMessage.objects.all().delete()
        mail.outbox.clear()
        return orders

    return create


def statuses():
    return list(Order.objects.order_by("pk").values_list("status", flat=True))


def numbers_in(text):
    return re.findall(
        r"\d[\d.,]*\d|\d", re.sub(r"<[^>]*>|\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", "", str(text))
    )


@pytest.mark.parametrize("step", BULK_STEPS, ids=lambda step: step.name)
def test_each_step_asks_first_and_says_what_it_did(
    adas_browser, place, step, django_capture_on_commit_callbacks
):
    path = Order.Status.path_to("delivered")
    to = step.name.removeprefix("move_to_")
    before = path[path.index(to) - 1] if to in path[1:] else "pending"
    orders = place(before, before, "cancelled")
    Order.objects.filter(pk=orders[2].pk).update(payment_status="voided")
    rows = factories.all_rows()

    page = ask(adas_browser, step.name, orders)
    assert factories.all_rows() == rows
    assert numbers_in(page.context["title"]) == ["2"]
    assert numbers_in(page.context["summary"][0]) == ["2", "50.00"]
    assert str(orders[2]) in page.context["others"]
    assert [row.order.pk for row in page.context["rows"]] == [orders[1].pk, orders[0].pk]
    assert page.context["button_kind"] == ("danger" if to == "cancelled" else "primary")
    assert ("notify" in page.context["form"].fields) is bool(step.email)
    assert bool(page.context["email"]) is bool(step.email)

    with django_capture_on_commit_callbacks(execute=True):
        done = confirm(adas_browser, page, notify="on")
    [message] = factories.page_messages(done)
    assert f'href="{LIST}{orders[2].pk}/change/"' in message
    assert (numbers_in(message)[0], numbers_in(message)[-1]) == ("2", "1")
    field = "status" if to in Order.Status.values else "payment_status"
    value = to if to in Order.Status.values else "paid"
    link = f"{LIST}?{field}__exact={value}"
    assert (message.count("href="), f'href="{link}"' in message) == (2, True)
    shown = adas_browser.get(link).context["cl"].result_list
    assert {order.pk for order in orders[:2]} <= {order.pk for order in shown}
    changed = Order.objects.exclude(pk=orders[2].pk)
    if to in Order.Status.values:
        assert set(changed.values_list("status", flat=True)) == {to}
    else:
        assert set(changed.values_list("payment_status", flat=True)) == {"paid"}
    assert len(mail.outbox) == (2 if step.email else 0)


def test_customers_are_mailed_only_if_it_is_ticked(
    adas_browser, place, django_capture_on_commit_callbacks
):
    page = ask(adas_browser, "move_to_cancelled", place("pending"))
    assert page.context["form"].fields["notify"].initial is True
    with django_capture_on_commit_callbacks(execute=True):
        confirm(adas_browser, page, note="Storm")
    assert (Order.objects.get().status, OutboxMessage.objects.count()) == ("cancelled", 0)


def test_the_second_press_changes_nothing_and_says_so(adas_browser, place):
    page = ask(adas_browser, "move_to_cancelled", place("pending", "pending", "delivered"))
    [first] = factories.page_messages(confirm(adas_browser, page))
    rows = factories.all_rows()
    [second] = factories.page_messages(confirm(adas_browser, page))
    assert factories.all_rows() == rows
    assert second != first
    assert second.endswith(first)


@pytest.mark.parametrize(
    "changes",
    [{"status": "confirmed"}, {"total_amount": "99.00", "updated_at": timezone.now()}],
)
def test_orders_that_have_changed_are_shown_again_first(adas_browser, place, changes):
    orders = place("pending", "pending")
    page = ask(adas_browser, "move_to_confirmed", orders)
    Order.objects.filter(pk=orders[0].pk).update(**changes)
    again = confirm(adas_browser, page)
    assert len(again.context["form"].non_field_errors()) == 1
    assert Order.objects.get(pk=orders[1].pk).status == "pending"
    confirm(adas_browser, again)
    assert set(Order.objects.values_list("status", flat=True)) == {"confirmed"}


def test_an_order_that_arrives_meanwhile_is_none_of_all_pages(adas_browser, place):
    orders = place("pending", "pending")
    across = {"select_across": "1", "status__exact": "pending"}
    page = ask(adas_browser, "move_to_confirmed", orders[:1], **across)
    assert numbers_in(page.context["title"]) == ["2"]
    place("pending")
    confirm(adas_browser, page)
    statuses = Order.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["confirmed", "confirmed", "pending"]


@pytest.mark.parametrize("version", ["", "x", "-", "9" * 30 + "-x", "²-x", "1-\0"])
def test_a_wrong_version_changes_nothing(adas_browser, place, version):
    page = ask(adas_browser, "move_to_confirmed", place("pending"), select_across="1")
    confirm(adas_browser, page, **{VERSION_FIELD: version})
    assert Order.objects.get().status == "pending"


def test_if_no_order_can_be_moved_the_list_says_so(adas_browser, place):
    orders = place("delivered", "cancelled")
    response = ask(adas_browser, "move_to_shipped", orders)
    assert (response.status_code, response.url) == (302, LIST)
    [message] = factories.page_messages(adas_browser.get(LIST))
    assert all(f'href="{LIST}{order.pk}/change/"' in message for order in orders)


def test_a_message_names_ten_orders(adas_browser, place):
    response = ask(adas_browser, "move_to_confirmed", place(*["delivered"] * 12))
    [message] = factories.page_messages(adas_browser.get(response.url))
    assert (message.count("(delivered)"), numbers_in(message)) == (10, ["2"])


def test_the_page_shows_cash_that_will_be_paid(adas_browser, place):
    place("shipped")
    place("shipped", payment_method="bank_transfer")
    place("shipped", payment_status="paid", paid_amount=Decimal("25.00"))
    page = ask(adas_browser, "move_to_delivered", Order.objects.all())
    assert [numbers_in(line) for line in page.context["summary"]] == [
        ["3", "75.00"],
        ["1", "25.00"],
    ]
    [message] = factories.page_messages(confirm(adas_browser, page))
    assert numbers_in(message) == ["3", "1", "25.00"]
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("status", ["confirmed", "shipped", "delivered"])
def test_orders_that_were_refunded_in_full_are_pointed_out(adas_browser, place, status):
    before = ["pending", *Order.Status.path_to(status)][-2]
    [order, _, _] = place(before, before, before, payment_method="card", payment_status="paid")
    money = {"paid_amount": 25, "refunded_amount": 25, "credited_amount": 25}
    Order.objects.filter(pk=order.pk).update(payment_status="refunded", **money)
    page = ask(adas_browser, f"move_to_{status}", Order.objects.all())
    lines = [numbers_in(line) for line in page.context["summary"]]
    assert lines == [["3", "50.00"], ["1"]]
    assert page.context["rows"][-1].total == "0.00 EUR"
    assert adas_browser.get(f"{LIST}{order.pk}/move/{status}/").context["hint"]


def test_the_page_shows_the_money_to_refund_in_each_currency(adas_browser, place):
    place("pending", payment_status="paid", paid_amount=Decimal("25.00"))
    place("pending", payment_status="paid", paid_amount=Decimal("25.00"), currency="JPY")
    place("shipped", currency="JPY")
    page = ask(adas_browser, "move_to_cancelled", Order.objects.all())
    assert [numbers_in(line) for line in page.context["summary"]] == [
        ["3", "25.00", "50"],
        ["2", "25.00", "25"],
        ["1"],
    ]
    confirm(adas_browser, page)
    assert list(Order.objects.order_by("pk").values_list("payment_status", flat=True)) == [
        *["refund_due"] * 2,
        "voided",
    ]


def test_cancelling_asks_for_a_reason_and_returns_the_stock(adas_browser, orders, mug):
    page = ask(adas_browser, "move_to_cancelled", orders[:2])
    assert statuses() == STATUSES
    confirm(adas_browser, page, note="Storm")
    assert statuses() == ["cancelled"] * 3
    movements = StockMovement.objects.filter(kind="cancellation")
    assert set(movements.values_list("reason", "delta")) == {("Storm", 2)}


PERMISSIONS = {step.name: step.permission for step in BULK_STEPS} | {
    "print_packing_slips": "fulfil_order",
    "print_invoices": "change_order",
}


@pytest.mark.parametrize(("action", "permission"), PERMISSIONS.items())
def test_each_action_takes_its_own_permission(staff_client_with, orders, action, permission):
    others = {"change_order", "fulfil_order", "edit_order", "refund_order"} - {permission}
    browser = staff_client_with("view_order", *others)
    form = browser.get(LIST).context["action_form"]
    assert action not in dict(form.fields["action"].choices)
    rows = factories.all_rows()
    assert "rows" not in (ask(browser, action, orders, once="k").context or {})
    assert {**factories.all_rows(), "Session": None} == {**rows, "Session": None}


@pytest.mark.parametrize("permission", ["change_order", "fulfil_order"])
def test_staff_see_the_actions_that_they_may_run(staff_client_with, orders, permission):
    browser = staff_client_with("view_order", permission)
    choices = dict(browser.get(LIST).context["action_form"].fields["action"].choices)
    expected = {action for action, needed in PERMISSIONS.items() if needed == permission}
    assert choices.keys() & PERMISSIONS.keys() == expected


@pytest.mark.parametrize("step", BULK_STEPS, ids=lambda step: step.name)
def test_the_number_of_statements_does_not_depend_on_the_number_of_orders(
    adas_browser, place, step
):
    counts = []
    adas_browser.get(LIST)  # counts what the sidebar shows
    for number in (1, 5):
        Order.objects.all().update(status="delivered", payment_status="paid")
        to = step.name.removeprefix("move_to_")
        path = Order.Status.path_to(to if to in Order.Status else "confirmed")
        orders = place(*["pending", *path][-2:-1] * number, "cancelled")
        Order.objects.filter(status="cancelled").update(payment_status="voided")
        with CaptureQueriesContext(connection) as asked:
            page = ask(adas_browser, step.name, orders)
        with CaptureQueriesContext(connection) as done:
            confirm(adas_browser, page, follow=False)
        counts.append((len(asked), len(done)))
    assert counts[0] == counts[1]


def test_a_long_selection_is_summed_up(adas_browser, orders, carl):
    rows = [Order(user=carl, shipping_address="1 Road", total_amount=2) for _ in range(60)]
    Order.objects.bulk_create(rows)
    page = ask(adas_browser, "move_to_confirmed", rows[:1], select_across="1")
    assert numbers_in(page.context["summary"][0]) == ["60", "120.00"]
    assert len(page.context["rows"]) == 50
    assert numbers_in(page.context["unlisted"]) == ["10"]
    confirm(adas_browser, page)
    assert Order.objects.filter(status="confirmed").count() == 60 + STATUSES.count("confirmed")


def test_a_status_without_texts_of_its_own_has_a_step(adas_browser, place, monkeypatch):
    [step] = [step for step in BULK_STEPS if step.name == "move_to_confirmed"]
    monkeypatch.setitem(vars(step), "texts", OTHER_TEXTS)
    orders = place("pending", "cancelled")
    page = ask(adas_browser, step.name, orders)
    assert page.context["title"] == f"{step.label} (1)"
    [message] = factories.page_messages(confirm(adas_browser, page))
    assert numbers_in(message) == ["1", "1"]
    response = ask(adas_browser, step.name, orders)
    assert len(factories.page_messages(adas_browser.get(response.url))) == 1
