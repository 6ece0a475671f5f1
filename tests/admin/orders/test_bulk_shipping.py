"""The page that ships many orders, with carrier and tracking number of each."""

import pytest
from django.core import mail
from support import factories, world
from support.bulk_actions import LIST, ask, confirm

from shop.admin.orders import bulk_steps
from shop.models import Order, OutboxMessage

READY = Order.Status.path_to("shipped")[-2]


@pytest.fixture
def orders(carl, mug, lamp):
    """Three orders that are ready to be shipped, newest first, as the page lists them."""
    placed = [world.create_order(carl, (mug, 1), (lamp, 1)) for _ in range(3)]
    Order.objects.update(status=READY)
    OutboxMessage.objects.all().delete()
    mail.outbox.clear()
    return placed[::-1]


def parcels():
    """Return carrier and tracking number of all orders, newest first."""
    return list(Order.objects.values_list("carrier", "tracking_number"))


def entries(orders, *pairs):
    """Return the form's values for pairs of carrier and number, in the orders' order."""
    return {
        f"{name}-{order.pk}": value
        for order, pair in zip(orders, pairs, strict=False)
        for name, value in zip(("carrier", "tracking"), pair, strict=True)
    }


@pytest.mark.usefixtures("carriers")
def test_each_order_gets_its_number_and_the_carrier_for_all(
    adas_browser, orders, django_capture_on_commit_callbacks
):
    page = ask(adas_browser, "move_to_shipped", orders)
    values = entries(orders, ("", "A 1"), (" evri ", "B 2"), ("Bike", ""))
    with django_capture_on_commit_callbacks(execute=True):
        confirm(adas_browser, page, carrier="dhl", notify="on", **values)
    assert parcels() == [("DHL", "A 1"), ("Evri", "B 2"), ("Bike", "")]
    links = Order.objects.values_list("tracking_url", flat=True)
    assert [link[-5:] for link in links] == ["A%201", "B%202", ""]
    assert len(mail.outbox) == 3
    assert "A 1" in mail.outbox[2].body


def test_a_number_that_is_too_long_is_refused_in_its_row_and_nothing_is_lost(adas_browser, orders):
    page = ask(adas_browser, "move_to_shipped", orders)
    values = entries(orders, ("", "A1"), ("", "B" * 61), ("c" * 61, "C1"))
    again = confirm(adas_browser, page, carrier="DHL", **values)
    form = again.context["form"]
    assert sorted(form.errors) == [f"carrier-{orders[2].pk}", f"tracking-{orders[1].pk}"]
    assert {name: form[name].value() for name in values} == values
    assert form["carrier"].value() == "DHL"
    assert form["notify"].value() is False
    assert set(Order.objects.values_list("status", flat=True)) == {READY}
    assert again.content.decode().count('class="shop-error"') == 2


def test_what_was_typed_is_kept_if_an_order_has_changed(adas_browser, orders):
    page = ask(adas_browser, "move_to_shipped", orders)
    Order.objects.filter(pk=orders[0].pk).update(status="cancelled")
    values = entries(orders, ("", "A1"), ("", "B1"), ("", "C1"))
    again = confirm(adas_browser, page, **values)
    assert [row.fields[1].value() for row in again.context["rows"]] == ["B1", "C1"]
    confirm(adas_browser, again, **entries(orders[1:], ("", "B1"), ("", "C1")))
    assert parcels() == [("", ""), ("", "B1"), ("", "C1")]


@pytest.mark.usefixtures("carriers")
def test_the_email_is_shown_as_it_will_read(adas_browser, orders):
    page = ask(adas_browser, "move_to_shipped", orders)
    assert str(orders[0]) in page.context["email"]
    placeholder = page.context["email"]
    values = entries(orders, ("", "A1"), ("", "B" * 61))
    email = confirm(adas_browser, page, carrier="dhl", **values).context["email"]
    assert ("A1" in email, "DHL" in email, "A1" in placeholder) == (True, True, False)


def test_the_page_lists_no_more_orders_than_it_can_show(adas_browser, orders, monkeypatch):
    [ship] = [step for step in bulk_steps.BULK_STEPS if step.max_orders]
    assert ship.max_orders == 200
    monkeypatch.setitem(vars(ship), "max_orders", 2)
    response = ask(adas_browser, "move_to_shipped", orders)
    assert response.status_code == 302
    [message] = factories.page_messages(adas_browser.get(LIST))
    assert [number for number in ("2", "3") if number in message] == ["2", "3"]
    assert ask(adas_browser, "move_to_shipped", orders[:2]).status_code == 200


def test_an_order_that_is_not_paid_is_pointed_out(adas_browser, orders):
    Order.objects.filter(pk=orders[0].pk).update(payment_method="bank_transfer")
    summary = ask(adas_browser, "move_to_shipped", orders).context["summary"]
    assert len(summary) == 2
    assert "62.40" in summary[1]


def test_a_packer_may_ship(staff_client_with, orders):
    browser = staff_client_with("view_order", "fulfil_order")
    confirm(browser, ask(browser, "move_to_shipped", orders), **entries(orders, ("DPD", "7")))
    assert parcels()[0] == ("DPD", "7")
