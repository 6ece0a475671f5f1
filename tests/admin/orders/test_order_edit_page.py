"""The page that edits an order: what it saves, refuses, and merges with another's change."""

from decimal import Decimal

import pytest
from support import factories, world
from support.html_forms import form_fields

from shop.models import Order, OrderEvent, OutboxMessage, Product
from shop.services.order_edit import OrderChanges, edit_order
from shop.services.order_payments import mark_paid
from shop.services.products import set_active
from shop.services.stock import find_drift

ADDRESS = "1 Fern Lane\nKew\nLondon TW9 3AB"


@pytest.fixture
def order(carl, mug):
    return world.create_order(carl, (mug, 2))


def url(order):
    return f"/admin/shop/order/{order.pk}/edit/"


def opened(browser, order, **values):
    """Return what a browser sends for the opened page with these values."""
    body = form_fields(browser.get(url(order)), "")
    return {**body, **values}


def with_added(body, *lines):
    for number, (product, quantity) in enumerate(lines):
        body = {**body, f"lines-{number}-product": product.pk, f"lines-{number}-quantity": quantity}
    return body


def quantities(order):
    return dict(order.items.values_list("sku", "quantity"))


def error_codes(form):
    return {
        (name, error.code) for name, errors in form.errors.as_data().items() for error in errors
    }


def test_an_address_is_corrected(adas_browser, ada, order):
    body = opened(adas_browser, order, shipping_address="2 Elm Street\r\nLeeds", reason="Typo")
    response = adas_browser.post(url(order), body)
    order.refresh_from_db()
    assert response.url == f"/admin/shop/order/{order.pk}/change/"
    assert order.shipping_address == "2 Elm Street\nLeeds"
    event = order.events.last()
    assert (event.kind, event.actor, event.note) == ("edited", ada, "Typo")
    assert not OutboxMessage.objects.filter(kind="order_edited").exists()


def test_quantities_change_and_products_are_removed_and_added(adas_browser, order, mug, lamp):
    bowl = factories.create_product("Bowl", price="9.00", sku="BOWL-1")
    body = with_added(opened(adas_browser, order), (lamp, 1), (bowl, ""))
    adas_browser.post(url(order), {**body, f"quantity_{mug.pk}": 0, "notify": "on"})
    order.refresh_from_db()
    assert quantities(order) == {"LAMP-1": 1, "BOWL-1": 1}
    assert order.total_amount == Decimal("58.90")
    message = OutboxMessage.objects.get(kind="order_edited")
    assert message.order == order
    assert list(find_drift()) == []


def test_a_product_that_is_added_again_has_the_sum(adas_browser, order, mug):
    adas_browser.post(url(order), with_added(opened(adas_browser, order), (mug, 3)))
    assert quantities(order) == {"MUG-1": 5}


@pytest.mark.parametrize(
    ("is_paid", "quantity", "owed"),
    [(False, 3, "37.50 EUR still due"), (True, 3, "12.50 EUR still due"), (True, 1, "to refund")],
)
def test_the_message_says_what_is_owed(adas_browser, ada, order, mug, is_paid, quantity, owed):
    if is_paid:
        mark_paid(order_id=order.pk, actor=ada)
    body = opened(adas_browser, order) | {f"quantity_{mug.pk}": quantity}
    (message,) = factories.page_messages(adas_browser.post(url(order), body, follow=True))
    assert owed in message


def test_saving_without_a_change_writes_nothing(adas_browser, order):
    before = Order.objects.values().get()
    adas_browser.post(url(order), opened(adas_browser, order))
    assert Order.objects.values().get() == before
    assert OrderEvent.objects.count() == 1


def test_two_presses_make_one_change(adas_browser, order, mug, lamp):
    body = with_added(opened(adas_browser, order), (lamp, 1)) | {f"quantity_{mug.pk}": 1}
    first = adas_browser.post(url(order), body)
    again = adas_browser.post(url(order), body)
    assert (first.status_code, again.status_code) == (302, 302)
    assert quantities(order) == {"MUG-1": 1, "LAMP-1": 1}
    assert order.events.filter(kind="edited").count() == 1


def test_a_shortage_is_told_at_its_rows(adas_browser, order, mug, lamp):
    body = with_added(opened(adas_browser, order), (lamp, 6)) | {f"quantity_{mug.pk}": 13}
    response = adas_browser.post(url(order), body)
    form = response.context["form"]
    assert (f"quantity_{mug.pk}", "insufficient-stock") in error_codes(form)
    assert error_codes(form.lines[0]) == {("__all__", "insufficient-stock")}
    assert quantities(order) == {"MUG-1": 2}
    assert form[f"quantity_{mug.pk}"].value() == "13"
    assert Product.objects.get(pk=mug.pk).stock == 8


def test_an_added_product_that_was_archived_is_told_at_its_row(adas_browser, ada, order, lamp):
    body = with_added(opened(adas_browser, order), (lamp, 1))
    set_active(product_ids=[lamp.pk], is_active=False, actor=ada)
    form = adas_browser.post(url(order), body).context["form"]
    assert error_codes(form.lines[0]) == {("__all__", "product-unavailable")}


@pytest.mark.parametrize("quantity", ["-1", "1000", "", "two"])
def test_a_wrong_quantity_is_told_at_its_row(adas_browser, order, mug, quantity):
    body = opened(adas_browser, order) | {f"quantity_{mug.pk}": quantity}
    form = adas_browser.post(url(order), body).context["form"]
    assert list(form.errors) == [f"quantity_{mug.pk}"]
    assert quantities(order) == {"MUG-1": 2}


def test_an_order_keeps_an_item(adas_browser, order, mug):
    body = opened(adas_browser, order) | {f"quantity_{mug.pk}": 0}
    form = adas_browser.post(url(order), body).context["form"]
    assert len(form.non_field_errors()) == 1
    assert quantities(order) == {"MUG-1": 2}


def test_an_order_that_was_shipped_meanwhile_stays(adas_browser, ada, order):
    body = opened(adas_browser, order, shipping_address="Elsewhere")
    world.move_along(order, "shipped", by=ada)
    form = adas_browser.post(url(order), body).context["form"]
    assert len(form.non_field_errors()) == 1
    order.refresh_from_db()
    assert order.shipping_address == ADDRESS


class TestAConcurrentChange:
    """What someone else changed while the page was open is told and kept."""

    @pytest.fixture
    def change(self, ada, order):
        def change(**changes):
            edit_order(order_id=order.pk, changes=OrderChanges(**changes), actor=ada)
            order.refresh_from_db()
            return Order.objects.values().get(pk=order.pk)

        return change

    def send(self, browser, order, body):
        """Send it; return the form of the page, and what its browser would send next."""
        response = browser.post(url(order), body)
        assert response.status_code == 200
        return response.context["form"], form_fields(response, "")

    def test_of_another_field_is_taken_over(self, adas_browser, order, mug, lamp, change):
        body = opened(adas_browser, order, shipping_address="2 Elm Street")
        after = change(quantities={mug.pk: 1, lamp.pk: 1}, note="Ring twice")
        form, body = self.send(adas_browser, order, body)
        assert Order.objects.values().get() == after
        assert list(form.errors) == ["__all__"]
        assert body["shipping_address"] == ["2 Elm Street"]
        assert (body["note"], body[f"quantity_{mug.pk}"]) == (["Ring twice"], ["1"])
        adas_browser.post(url(order), body)
        order.refresh_from_db()
        assert (order.shipping_address, order.note) == ("2 Elm Street", "Ring twice")
        assert quantities(order) == {"MUG-1": 1, "LAMP-1": 1}

    def test_of_the_same_field_is_shown_and_replaced_only_on_purpose(
        self, adas_browser, order, mug, change
    ):
        body = opened(adas_browser, order) | {f"quantity_{mug.pk}": 4, "shipping_address": "Mine"}
        change(shipping_address="Theirs", quantities={mug.pk: 3})
        form, body = self.send(adas_browser, order, body)
        assert {("shipping_address", "changed"), (f"quantity_{mug.pk}", "changed")} <= error_codes(
            form
        )
        assert "Theirs" in form.errors["shipping_address"][0]
        order.refresh_from_db()
        assert (order.shipping_address, quantities(order)) == ("Theirs", {"MUG-1": 3})
        assert (body["shipping_address"], body[f"quantity_{mug.pk}"]) == (["Mine"], ["4"])
        adas_browser.post(url(order), body)
        order.refresh_from_db()
        assert (order.shipping_address, quantities(order)) == ("Mine", {"MUG-1": 4})

    def test_that_removed_a_product_is_told(self, adas_browser, order, lamp, change):
        change(quantities={lamp.pk: 1})
        body = opened(adas_browser, order) | {f"quantity_{lamp.pk}": 2}
        change(quantities={lamp.pk: 0})
        form, body = self.send(adas_browser, order, body)
        assert "Lamp" in form.non_field_errors()[0]
        adas_browser.post(url(order), body)
        assert quantities(order) == {"MUG-1": 2}

    def test_is_told_after_another_error_too(self, adas_browser, order, mug, change):
        body = opened(adas_browser, order) | {f"quantity_{mug.pk}": "two"}
        change(note="Ring twice")
        form, body = self.send(adas_browser, order, body)
        assert list(form.errors) == [f"quantity_{mug.pk}"]
        form, body = self.send(adas_browser, order, {**body, f"quantity_{mug.pk}": "3"})
        assert len(form.non_field_errors()) == 1
        assert (body["note"], body[f"quantity_{mug.pk}"]) == (["Ring twice"], ["3"])

    def test_of_the_same_field_to_the_same_value_is_no_error(self, adas_browser, order, change):
        body = opened(adas_browser, order, shipping_address="Both")
        change(shipping_address="Both")
        form, _ = self.send(adas_browser, order, body)
        assert list(form.errors) == ["__all__"]


def test_products_are_added_only_by_staff_who_may_see_them(staff_client_with, order):
    browser = staff_client_with("view_order", "edit_order")
    search = "/admin/shop/order/search/product/?term=mug"
    assert browser.get(url(order)).context["form"].lines is None
    assert browser.get(search).status_code == 403
    assert browser.post(url(order), opened(browser, order, note="Hi")).status_code == 302


def test_staff_who_may_edit_and_see_products_search_them(staff_client_with, mug):
    browser = staff_client_with("view_order", "edit_order", "view_product")
    results = browser.get("/admin/shop/order/search/product/?term=mug").json()["results"]
    assert [result["id"] for result in results] == [str(mug.pk)]
    assert browser.get("/admin/shop/order/search/customer/?term=carl").status_code == 403


@pytest.mark.parametrize("items", [1, 3])
def test_the_page_runs_the_same_queries_for_more_items(adas_browser, carl, statements, items):
    bought = [(factories.create_product(f"P{n}"), 1) for n in range(items)]
    order = world.create_order(carl, *bought)
    with statements(7):
        adas_browser.get(url(order))
