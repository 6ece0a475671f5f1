"""Prices changed and deliveries received, many products at once."""

from decimal import Decimal

import pytest
from support import factories

from shop.admin.products import actions
from shop.models import AuditEntry, Product, StockMovement
from shop.services.stock import find_drift

LIST = "/admin/shop/product/"


def run(browser, action, chosen, **values):
    sent = {"action": action, "_selected_action": [product.pk for product in chosen], **values}
    return browser.post(LIST, sent, follow=True)


def hidden(answer):
    return dict(answer.context["hidden"])


def rows(answer):
    return [(product.name, now, new) for product, now, new in answer.context["rows"]]


def prices():
    return list(Product.objects.order_by("pk").values_list("price", flat=True))


def test_prices_change_as_they_were_shown(adas_browser, mug, lamp):
    asked = run(adas_browser, "change_prices", [mug, lamp])
    assert prices() == [Decimal("12.50"), Decimal("49.90")]
    assert asked.context["button"] == "Show new prices"
    change = {"by": "percent", "value": "5"}
    shown = run(adas_browser, "change_prices", [mug, lamp], **change)
    assert rows(shown) == [("Lamp", "49.90 EUR", "52.40 EUR"), ("Mug", "12.50 EUR", "13.13 EUR")]
    assert prices() == [Decimal("12.50"), Decimal("49.90")]
    done = run(adas_browser, "change_prices", [mug, lamp], **change, seal=hidden(shown)["seal"])
    assert factories.page_messages(done) == ["2 prices changed."]
    assert prices() == [Decimal("13.13"), Decimal("52.40")]
    assert set(AuditEntry.objects.values_list("record_label", "changes")) == {
        ("Mug", "price: 12.50 → 13.13"),
        ("Lamp", "price: 49.90 → 52.40"),
    }


def test_pressing_twice_changes_prices_once(adas_browser, mug):
    change = {"by": "amount", "value": "-0.50"}
    seal = hidden(run(adas_browser, "change_prices", [mug], **change))["seal"]
    run(adas_browser, "change_prices", [mug], **change, seal=seal)
    again = run(adas_browser, "change_prices", [mug], **change, seal=seal)
    assert prices() == [Decimal("12.00")]
    assert rows(again) == [("Mug", "12.00 EUR", "11.50 EUR")]


@pytest.mark.parametrize("other", [{"value": "6"}, {"by": "amount"}])
def test_another_change_than_the_one_shown_is_shown_first(adas_browser, mug, other):
    change = {"by": "percent", "value": "5"}
    seal = hidden(run(adas_browser, "change_prices", [mug], **change))["seal"]
    run(adas_browser, "change_prices", [mug], **change | other, seal=seal)
    assert prices() == [Decimal("12.50")]


def test_a_price_that_moved_after_it_was_shown_is_shown_anew(adas_browser, mug):
    change = {"by": "percent", "value": "10"}
    seal = hidden(run(adas_browser, "change_prices", [mug], **change))["seal"]
    Product.objects.update(price="20.00")
    answer = run(adas_browser, "change_prices", [mug], **change, seal=seal)
    assert rows(answer) == [("Mug", "20.00 EUR", "22.00 EUR")]
    assert prices() == [Decimal("20.00")]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"by": "amount", "value": "-20"}, "Mug would cost -7.50 EUR."),
        ({"by": "percent", "value": "99999999"}, "Lamp would cost 49,900,000.00 EUR."),
        ({"by": "percent", "value": "0"}, "Enter by how much the prices change."),
        (
            {"by": "percent", "value": "1.005"},
            "Ensure that there are no more than 2 decimal places.",
        ),
        (
            {"by": "guess", "value": "1"},
            "Select a valid choice. guess is not one of the available choices.",
        ),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_for_all(adas_browser, mug, lamp, values, said):
    Product.objects.filter(pk=lamp.pk).update(price="99999999")
    form = run(adas_browser, "change_prices", [mug, lamp], **values).context["form"]
    assert any(
        said in message or "Lamp" in said for found in form.errors.values() for message in found
    )
    assert prices() == [Decimal("12.50"), Decimal("99999999.00")]


def receive(browser, chosen, units, **values):
    counts = {str(product.pk): count for product, count in zip(chosen, units, strict=True)}
    return run(browser, "receive", chosen, reason="Note 17", **counts, **values)


def stocks():
    return list(Product.objects.order_by("pk").values_list("stock", flat=True))


def test_a_delivery_is_received_line_by_line(adas_browser, ada, mug, lamp):
    asked = run(adas_browser, "receive", [mug, lamp])
    assert [bound.label for bound in asked.context["form"]][1:] == ["Lamp · LAMP-1", "Mug · MUG-1"]
    done = receive(adas_browser, [mug, lamp], [12, ""], once=hidden(asked)["once"])
    assert factories.page_messages(done) == ["12 units received."]
    movement = StockMovement.objects.first()
    assert (movement.product, movement.kind, movement.delta, movement.reason, movement.actor) == (
        mug,
        "received",
        12,
        "Note 17",
        ada,
    )
    assert (stocks(), list(find_drift())) == ([22, 5], [])
    assert AuditEntry.objects.values_list("record_label", "changes").get() == (
        "Mug",
        "stock: 10 → 22",
    )


def test_pressing_twice_receives_once(adas_browser, mug):
    key = hidden(run(adas_browser, "receive", [mug]))["once"]
    receive(adas_browser, [mug], [12], once=key)
    again = receive(adas_browser, [mug], [12], once=key)
    assert factories.page_messages(again) == [
        "You already submitted this form. Nothing was changed. First result: 12 units received."
    ]
    assert stocks() == [22]


def test_the_same_page_sent_with_other_numbers_is_asked_again(adas_browser, mug):
    key = hidden(run(adas_browser, "receive", [mug]))["once"]
    receive(adas_browser, [mug], [12], once=key)
    other = receive(adas_browser, [mug], [13], once=key)
    assert other.context["form"].non_field_errors() == [
        "You already submitted this form with other values. Check them and submit it again."
    ]
    assert stocks() == [22]
    receive(adas_browser, [mug], [13], once=hidden(other)["once"])
    assert stocks() == [35]


@pytest.mark.parametrize(
    "units", [["-1", ""], ["", ""], ["0", "0"], ["x", "1"], ["1000000000", "1"], ["1.5", "1"]]
)
def test_a_delivery_that_makes_no_sense_changes_nothing(adas_browser, mug, lamp, units):
    assert receive(adas_browser, [mug, lamp], units).context["form"].errors
    assert (stocks(), StockMovement.objects.count()) == ([10, 5], 2)


@pytest.mark.parametrize("action", ["change_prices", "receive"])
def test_more_than_a_page_can_hold_is_refused(adas_browser, mug, lamp, monkeypatch, action):
    monkeypatch.setitem(actions.AT_MOST, action, 1)
    answer = run(adas_browser, action, [mug, lamp], by="percent", value="5", reason="")
    assert factories.page_messages(answer) == ["Choose at most 1 products at a time; you chose 2."]


@pytest.mark.parametrize("action", ["change_prices", "receive"])
def test_without_the_right_nothing_happens(clerk_with, mug, action):
    before = factories.all_rows()
    run(
        clerk_with("view_product"),
        action,
        [mug],
        **{"by": "percent", "value": "5", str(mug.pk): "5"},
    )
    assert factories.all_rows()["Product"] == before["Product"]
    assert factories.all_rows()["StockMovement"] == before["StockMovement"]


def test_products_without_a_picture_are_found(adas_browser, mug, lamp):
    Product.objects.filter(pk=lamp.pk).update(image="lamp.webp")
    for wanted, name in (("no", "Mug"), ("yes", "Lamp")):
        found = adas_browser.get(LIST, {"picture": wanted}).context["cl"].result_list
        assert [product.name for product in found] == [name]


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ({"is_active": False}, "Archived: customers do not see it."),
        ({"stock": 0}, "Out of stock: customers see it and cannot buy it."),
        ({"low_stock_threshold": 10}, "Few are left: think of ordering more."),
        ({"price": 0}, "It costs nothing: customers get it for free."),
        ({"image": ""}, "It has no picture yet"),
    ],
)
def test_the_page_hints_at_what_is_odd(adas_browser, mug, values, hint):
    Product.objects.update(image="mug.webp")
    address = f"{LIST}{mug.pk}/change/"
    assert adas_browser.get(address).context["hints"] == []
    Product.objects.update(**values)
    [said] = adas_browser.get(address).context["hints"]
    assert said.startswith(hint)


def test_an_adjustment_sent_twice_counts_once(adas_browser, mug):
    address = f"{LIST}{mug.pk}/stock/"
    key = hidden(adas_browser.get(address))["once"]
    for _ in range(2):
        adas_browser.post(address, {"delta": "3", "kind": "received", "once": key})
    assert stocks() == [13]
