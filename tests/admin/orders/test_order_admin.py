import pytest
from django.core import mail
from django.test import Client
from support import factories

from shop.models import Order, OrderEvent
from shop.services.orders import move_order, place_order
from shop.services.stock import find_drift


@pytest.fixture
def order(carl, mug):
    factories.add_to_cart(carl, (mug, 2))
    return place_order(user=carl, shipping_address="1 Street\nTown").order


def page(order, step=""):
    return f"/admin/shop/order/{order.pk}/{step or 'change/'}"


def status_of(order):
    order.refresh_from_db()
    return order.status


def test_the_list_is_searched_by_a_number_without_its_dash(adas_browser, order):
    found = adas_browser.get(
        "/admin/shop/order/", {"q": order.order_number.replace("-", "").lower()}
    )
    assert [row.pk for row in found.context["cl"].result_list] == [order.pk]
    assert (
        list(adas_browser.get("/admin/shop/order/", {"q": "nobody"}).context["cl"].result_list)
        == []
    )


@pytest.mark.parametrize("email", ["carl@example.com", "CARL@"])
def test_the_list_is_searched_by_email(adas_browser, order, email):
    found = adas_browser.get("/admin/shop/order/", {"q": email})
    assert [row.pk for row in found.context["cl"].result_list] == [order.pk]


@pytest.mark.parametrize("status", Order.Status.values)
def test_the_page_offers_what_the_flow_allows(adas_browser, order, status):
    Order.objects.update(status=status, payment_status="paid")
    buttons = adas_browser.get(page(order)).context["buttons"]
    addresses = [button["address"] for button in buttons if "/move/" in button["address"]]
    assert sorted(addresses) == sorted(page(order, f"move/{to}/") for to in Order.FLOW[status])
    labels = {button["label"] for button in buttons}
    assert ("Refused on delivery" in labels) is (status == "shipped")
    assert {"Add note", "Packing slip", "Invoice"} <= labels


def test_an_order_goes_its_way_by_its_buttons(adas_browser, ada, order):
    for step in ("confirmed", "shipped", "delivered"):
        assert adas_browser.get(page(order, f"move/{step}/")).status_code == 200
        answer = adas_browser.post(page(order, f"move/{step}/"), {"note": f"to {step}"})
        assert answer.url == page(order)
    assert (status_of(order), order.payment_status) == ("delivered", "paid")
    events = OrderEvent.objects.values_list("status", "note", "actor")
    assert list(events)[1:] == [
        (step, f"to {step}", ada.pk) for step in ("confirmed", "shipped", "delivered")
    ]


def test_cancelling_gives_the_stock_back(
    adas_browser, order, mug, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        adas_browser.post(page(order, "move/cancelled/"), {"note": "Changed their mind."})
    mug.refresh_from_db()
    assert (status_of(order), mug.stock, list(find_drift())) == ("cancelled", 10, [])
    assert "Changed their mind." in mail.outbox[0].body


def test_looking_at_a_step_changes_nothing(adas_browser, order):
    for step in ("move/confirmed/", "move/cancelled/", "paid/"):
        assert adas_browser.get(page(order, step)).status_code == 200
    assert (status_of(order), order.payment_status) == ("pending", "pending")
    assert OrderEvent.objects.count() == 1


def test_a_step_is_refused_in_words_when_the_order_has_moved_on(adas_browser, ada, order):
    move_order(order_id=order.pk, to="cancelled", actor=ada, by_staff=True)
    answer = adas_browser.post(page(order, "move/confirmed/"), {})
    assert answer.status_code == 200
    assert len(answer.context["form"].non_field_errors()) == 1
    assert status_of(order) == "cancelled"


@pytest.mark.parametrize("step", ["pending", "delivered", "shipped"])
def test_no_step_is_skipped(adas_browser, order, step):
    adas_browser.post(page(order, f"move/{step}/"), {})
    assert status_of(order) == "pending"


def test_a_payment_is_noted_once(adas_browser, order):
    adas_browser.post(page(order, "paid/"), {})
    again = adas_browser.post(page(order, "paid/"), {})
    assert "not waiting for a payment" in again.context["form"].non_field_errors()[0]
    assert (status_of(order), order.payment_status) == ("pending", "paid")
    assert list(OrderEvent.objects.values_list("kind", flat=True)) == ["status", "payment"]


@pytest.mark.parametrize("step", ["move/confirmed/", "move/cancelled/", "paid/"])
def test_without_the_right_a_forged_post_changes_nothing(clerk_with, order, step):
    viewer = clerk_with("view_order")
    assert viewer.get(page(order)).context["buttons"] == []
    assert viewer.get(page(order, step)).status_code == 403
    assert viewer.post(page(order, step), {}).status_code == 403
    assert (status_of(order), order.payment_status) == ("pending", "pending")


@pytest.mark.parametrize("step", ["move/confirmed/", "paid/"])
def test_without_a_token_a_post_changes_nothing(ada, order, step):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)
    assert browser.post(page(order, step), {}).status_code == 403
    assert status_of(order) == "pending"


def test_a_customer_is_not_let_in(carl, order):
    browser = Client()
    browser.force_login(carl)
    assert browser.post(page(order, "move/confirmed/"), {}).url.startswith("/admin/login/")
    assert status_of(order) == "pending"


def test_nothing_of_an_order_is_typed_over(adas_browser, order):
    assert (
        adas_browser.post(page(order), {"status": "delivered", "total_amount": "0"}).status_code
        == 403
    )
    assert (
        adas_browser.post(f"/admin/shop/order/{order.pk}/delete/", {"post": "yes"}).status_code
        == 403
    )
    assert status_of(order) == "pending"


def test_what_was_done_is_said(adas_browser, order):
    answer = adas_browser.post(page(order, "move/confirmed/"), {}, follow=True)
    assert factories.page_messages(answer) == [f"Order {order} is confirmed now."]


@pytest.mark.parametrize("orders", [1, 3])
def test_the_list_costs_the_same_however_long(adas_browser, carl, mug, statements, orders):
    for _ in range(orders):
        factories.add_to_cart(carl, (mug, 1))
        place_order(user=carl, shipping_address="1 Street")
    with statements(5):
        adas_browser.get("/admin/shop/order/")
