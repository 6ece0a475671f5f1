"""The pages of one step: moves by units, tracking, payments, refunds and returns."""

import re
from decimal import Decimal

import pytest
from support import factories, world

from shop.models import Carrier, Order, OutboxMessage, Payment, Product, StockMovement
from shop.services.order_edit import OrderChanges, edit_order
from shop.services.order_payments import mark_paid, refund_order
from shop.services.shipments import Shipment, edit_tracking
from shop.services.stock import find_drift


@pytest.fixture
def order(carl, mug):
    return world.create_order(carl, (mug, 2))


@pytest.fixture
def delivered(ada, order):
    return world.move_along(order, "delivered", by=ada)


def url(order, step="change"):
    return f"/admin/shop/order/{order.pk}/{step}/"


def units(mug, put_back, write_off):
    return {f"put_back_{mug.pk}": put_back, f"write_off_{mug.pk}": write_off}


def sent(kind):
    return OutboxMessage.objects.filter(kind=kind).count()


def movements():
    kinds = ["cancellation", "returned", "damaged"]
    rows = StockMovement.objects.filter(kind__in=kinds).order_by("pk")
    return list(rows.values_list("kind", "delta"))


def stock_of(mug):
    return Product.objects.get(pk=mug.pk).stock


def only_error(response):
    ((name, errors),) = response.context["form"].errors.as_data().items()
    return name, errors[0].code


# Units of cancelled and refused orders


@pytest.mark.parametrize(
    ("put_back", "write_off", "moved", "stock"),
    [
        ("2", "0", [("cancellation", 2)], 10),
        ("1", "1", [("cancellation", 2), ("damaged", -1)], 9),
        ("", "1", [("cancellation", 2), ("damaged", -1)], 9),
        ("0", "2", [("cancellation", 2), ("damaged", -2)], 8),
    ],
)
def test_units_are_put_back_or_written_off(
    adas_browser, order, mug, put_back, write_off, moved, stock
):
    adas_browser.post(url(order, "move/cancelled"), units(mug, put_back, write_off))
    assert (movements(), stock_of(mug), list(find_drift())) == (moved, stock, [])


@pytest.mark.parametrize(
    ("put_back", "write_off"), [("2", "1"), ("0", "0"), ("3", "0"), ("0", "1")]
)
def test_units_must_add_up(adas_browser, order, mug, put_back, write_off):
    response = adas_browser.post(url(order, "move/cancelled"), units(mug, put_back, write_off))
    assert only_error(response) == (f"put_back_{mug.pk}", "sum")
    order.refresh_from_db()
    assert (order.status, stock_of(mug), movements()) == ("pending", 8, [])


def test_negative_units_are_refused(adas_browser, order, mug):
    response = adas_browser.post(url(order, "move/cancelled"), units(mug, "3", "-1"))
    assert only_error(response) == (f"write_off_{mug.pk}", "min_value")


def test_the_message_of_a_cancellation(adas_browser, ada, order, mug):
    mark_paid(order_id=order.pk, actor=ada)
    page = url(order, "move/cancelled")
    assert "25.00 EUR" in adas_browser.get(page).context["hint"]
    response = adas_browser.post(page, units(mug, 1, 1), follow=True)
    (message,) = factories.page_messages(response)
    assert message.startswith(f"Order {order} was cancelled. 1 unit back in stock, 1 written off.")
    assert "25.00 EUR" in message


@pytest.mark.parametrize("is_ticked", [False, True])
@pytest.mark.parametrize("status", ["shipped", "delivered", "cancelled"])
def test_customers_are_mailed_if_staff_tick_it(adas_browser, ada, order, status, is_ticked):
    path = Order.Status.path_to(status)
    for to in path[:-1]:
        adas_browser.post(url(order, f"move/{to}"), {})
    page = url(order, f"move/{status}")
    assert adas_browser.get(page).context["form"]["notify"].value() is True
    adas_browser.post(page, {"notify": "on"} if is_ticked else {})
    order.refresh_from_db()
    assert (order.status, sent(f"order_{status}")) == (status, int(is_ticked))


def test_a_status_without_an_email_offers_none(adas_browser, order):
    assert "notify" not in adas_browser.get(url(order, "move/confirmed")).context["form"].fields


@pytest.mark.parametrize(
    ("method", "hint"), [("cash_on_delivery", "25.00 EUR in cash"), ("bank_transfer", "")]
)
def test_the_delivery_says_what_is_marked_as_paid(adas_browser, ada, carl, mug, method, hint):
    order = world.create_order(carl, (mug, 2), payment_method=method)
    world.move_along(order, "shipped", by=ada)
    shown = adas_browser.get(url(order, "move/delivered")).context["hint"]
    assert shown.startswith(hint)
    assert bool(shown) is bool(hint)


@pytest.mark.parametrize("status", ["confirmed", "shipped", "delivered", "cancelled"])
def test_an_order_that_changed_meanwhile_is_shown_again_first(adas_browser, order, status):
    before = ["pending", *Order.Status.path_to(status)][-2]
    Order.objects.update(status=before)
    page = url(order, f"move/{status}")
    seen = adas_browser.get(page).context["form"]["seen"].value()
    Order.objects.update(shipping_address="2 Elm Street")
    form = adas_browser.post(page, {"seen": seen}).context["form"]
    assert len(form.non_field_errors()) == 1
    order.refresh_from_db()
    assert order.status == before
    adas_browser.post(page, {"seen": form["seen"].value()})
    order.refresh_from_db()
    assert order.status == status


# Tracking


def test_tracking_is_added_and_linked(adas_browser, ada, order):
    url_template = "https://dhl.example/?n={number}"
    Carrier.objects.update_or_create(name="DHL", defaults={"tracking_url": url_template})
    world.move_along(order, "shipped", by=ada)
    page = url(order, "tracking")
    assert b'<option value="DHL">' in adas_browser.get(page).content
    values = {"carrier": "dhl", "tracking_number": "JD 1", "notify": "on"}
    assert adas_browser.post(page, values).url == url(order)
    order.refresh_from_db()
    assert (order.carrier, order.tracking_number) == ("DHL", "JD 1")
    assert order.tracking_url == "https://dhl.example/?n=JD%201"
    assert (order.events.last().kind, sent("order_tracking")) == ("tracking", 1)


def test_tracking_that_changed_meanwhile_is_told(adas_browser, ada, order):
    world.move_along(order, "shipped", by=ada)
    page = url(order, "tracking")
    seen = adas_browser.get(page).context["form"]["seen"].value()
    edit_tracking(order_id=order.pk, shipment=Shipment("UPS", "1Z 9"), actor=ada)
    body = {"carrier": "DHL", "tracking_number": "JD 1", "seen": seen}
    form = adas_browser.post(page, body).context["form"]
    assert "1Z 9" in form.non_field_errors()[0]
    order.refresh_from_db()
    assert order.tracking_number == "1Z 9"
    assert form["tracking_number"].value() == "JD 1"
    adas_browser.post(page, {**body, "seen": form["seen"].value()})
    order.refresh_from_db()
    assert order.tracking_number == "JD 1"


# Payments and refunds


def test_marking_as_paid_shows_what_is_due(adas_browser, ada, order):
    assert "25.00 EUR" in adas_browser.get(url(order, "paid")).context["hint"]


def test_a_payment_of_another_amount_than_was_shown_is_not_recorded(adas_browser, order, mug, ada):
    page = url(order, "paid")
    seen = adas_browser.get(page).context["form"]["seen"].value()
    edit_order(order_id=order.pk, changes=OrderChanges(quantities={mug.pk: 3}), actor=ada)
    again = adas_browser.post(page, {"seen": seen})
    assert len(again.context["form"].non_field_errors()) == 1
    assert "37.50 EUR" in again.context["hint"]
    order.refresh_from_db()
    assert (order.payment_status, order.paid_amount) == ("pending", 0)
    adas_browser.post(page, {"seen": again.context["form"]["seen"].value()})
    order.refresh_from_db()
    assert (order.payment_status, order.paid_amount) == ("paid", Decimal("37.50"))


def test_a_refund_that_is_due_is_proposed_and_recorded(adas_browser, ada, order, mug):
    mark_paid(order_id=order.pk, actor=ada)
    adas_browser.post(url(order, "move/cancelled"), units(mug, 2, 0))
    page = url(order, "refund")
    form = adas_browser.get(page).context["form"]
    assert form["amount"].value() == Decimal("25.00")
    body = {"amount": "25.00", "reason": "Cancelled", "notify": "on", "seen": form["seen"].value()}
    adas_browser.post(page, body)
    order.refresh_from_db()
    assert (order.payment_status, order.refunded_amount) == ("refunded", Decimal("25.00"))
    payment = order.payments.last()
    assert (payment.kind, payment.reason, payment.actor) == ("refund", "Cancelled", ada)
    assert sent("order_refunded") == 1


@pytest.mark.parametrize("amount", ["5", "5.00", "5,00", " 5,0 "])
def test_a_part_of_a_delivered_order_is_refunded(adas_browser, delivered, amount):
    page = url(delivered, "refund")
    assert adas_browser.get(page).context["form"]["amount"].value() is None
    adas_browser.post(page, {"amount": amount})
    delivered.refresh_from_db()
    assert (delivered.payment_status, delivered.refunded_amount) == ("paid", Decimal("5.00"))
    assert delivered.credited_amount == Decimal("5.00")


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("25.01", "nothing-to-refund"),
        ("0", "min_value"),
        ("-1", "min_value"),
        ("1.001", "max_decimal_places"),
        ("", "required"),
        ("NaN", "invalid"),
        ("1e1", "invalid"),
        ("1,234", "invalid"),
    ],
)
def test_a_wrong_amount_is_told(adas_browser, delivered, amount, code):
    response = adas_browser.post(url(delivered, "refund"), {"amount": amount})
    assert only_error(response) == ("amount", code)
    delivered.refresh_from_db()
    assert delivered.refunded_amount == 0


def test_two_presses_refund_once(adas_browser, delivered):
    page = url(delivered, "refund")
    seen = adas_browser.get(page).context["form"]["seen"].value()
    body = {"amount": "25.00", "once": "key-1", "seen": seen}
    statuses = [adas_browser.post(page, body).status_code for _ in range(2)]
    delivered.refresh_from_db()
    assert (statuses, delivered.refunded_amount) == ([302, 302], Decimal("25.00"))
    assert delivered.payments.filter(kind=Payment.Kind.REFUND).count() == 1


def test_two_clerks_do_not_refund_twice(adas_browser, ada, delivered):
    page = url(delivered, "refund")
    seen = adas_browser.get(page).context["form"]["seen"].value()
    refund_order(order_id=delivered.pk, actor=ada, amount=Decimal(5))
    form = adas_browser.post(page, {"amount": "5", "seen": seen}).context["form"]
    assert len(form.non_field_errors()) == 1
    delivered.refresh_from_db()
    assert delivered.refunded_amount == Decimal("5.00")


@pytest.mark.parametrize(
    ("returned", "amounts"),
    [(0, ["25.00 EUR"]), (1, ["12.50 EUR", "25.00 EUR"]), (2, ["25.00 EUR"])],
)
def test_a_refund_says_from_where_on_it_lowers_the_price(
    adas_browser, delivered, mug, returned, amounts
):
    adas_browser.post(url(delivered, "return"), units(mug, returned, 0))
    help_text = adas_browser.get(url(delivered, "refund")).context["form"]["amount"].help_text
    assert re.findall(r"[0-9.]+ EUR", help_text) == amounts
    assert ("price" in help_text) is (returned < 2)


# Returns


@pytest.mark.parametrize(
    ("put_back", "write_off", "moved", "due"),
    [
        ("1", "", [("returned", 1)], "12.50"),
        ("1", "1", [("returned", 2), ("damaged", -1)], "25.00"),
        ("", "1", [("returned", 1), ("damaged", -1)], "12.50"),
    ],
)
def test_units_are_returned(adas_browser, delivered, mug, put_back, write_off, moved, due):
    body = {**units(mug, put_back, write_off), "note": "Chipped", "notify": "on"}
    response = adas_browser.post(url(delivered, "return"), body, follow=True)
    (message,) = factories.page_messages(response)
    assert f"{due} EUR" in message
    delivered.refresh_from_db()
    assert (delivered.refund_due, delivered.payment_status) == (Decimal(due), "refund_due")
    assert (movements(), list(find_drift())) == (moved, [])
    assert (delivered.events.last().note, sent("order_returned")) == ("Chipped", 1)


@pytest.mark.parametrize(
    ("put_back", "write_off", "error"),
    [("2", "1", ("put_back", "max_value")), ("0", "0", ("__all__", "required"))],
)
def test_a_return_is_bounded(adas_browser, delivered, mug, put_back, write_off, error):
    response = adas_browser.post(url(delivered, "return"), units(mug, put_back, write_off))
    name, code = only_error(response)
    assert (name.removesuffix(f"_{mug.pk}"), code) == error
    assert movements() == []


def test_two_presses_return_once(adas_browser, delivered, mug):
    body = {**units(mug, 2, 0), "once": "key-1"}
    statuses = [adas_browser.post(url(delivered, "return"), body).status_code for _ in range(2)]
    assert (statuses, movements(), stock_of(mug)) == ([302, 302], [("returned", 2)], 10)


def test_a_return_that_someone_else_took_meanwhile_is_told(adas_browser, delivered, mug):
    page = url(delivered, "return")
    body = {**units(mug, 1, 0), "seen": adas_browser.get(page).context["form"]["seen"].value()}
    adas_browser.post(page, {**body, "once": "key-1"})
    form = adas_browser.post(page, {**body, "once": "key-2"}).context["form"]
    assert len(form.non_field_errors()) == 1
    assert movements() == [("returned", 1)]
    adas_browser.post(page, {**body, "seen": form["seen"].value()})
    assert movements() == [("returned", 1)] * 2


def test_a_step_shows_what_it_acts_on(adas_browser, delivered):
    context = adas_browser.get(url(delivered, "refund")).context
    assert [str(item) for item in context["items"]] == ["2 × Mug"]
    assert context["amounts"] == {
        "total": "25.00 EUR",
        "paid": "25.00 EUR",
        "refunded": "",
        "due": "",
        "refund_due": "",
    }


def test_a_note_is_added_for_staff_or_for_the_customer(adas_browser, order, ada):
    adas_browser.post(url(order, "note"), {"note": "Called back"})
    adas_browser.post(url(order, "note"), {"note": "On Monday", "is_public": "on"})
    notes = order.events.filter(kind="note").values_list("note", "is_internal", "actor")
    assert list(notes) == [("Called back", True, ada.pk), ("On Monday", False, ada.pk)]
