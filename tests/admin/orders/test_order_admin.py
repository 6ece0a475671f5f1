import pytest
from django.core import mail
from django.test import Client
from support import factories

from shop.models import Order, OrderEvent
from shop.services.order_moves import move_order
from shop.services.orders import place_order
from shop.services.stock import find_drift

LIST = "/admin/shop/order/"


@pytest.fixture
def order(carl, mug):
    factories.add_to_cart(carl, (mug, 2))
    return place_order(user=carl, shipping_address="1 Street\nTown").order


def page(order, view="change/"):
    return f"{LIST}{order.pk}/{view}"


def status_of(order):
    order.refresh_from_db()
    return order.status


def search(browser, term):
    """Return the ids of the orders on the first page of results."""
    return [row.pk for row in browser.get(LIST, {"q": term}).context["cl"].result_list]


def test_search_finds_a_number_without_its_dash(adas_browser, order):
    assert search(adas_browser, order.order_number.replace("-", "").lower()) == [order.pk]
    assert search(adas_browser, "nobody") == []


@pytest.mark.parametrize("email", ["carl@example.com", "CARL@"])
def test_search_finds_a_customers_email(adas_browser, order, email):
    assert search(adas_browser, email) == [order.pk]


def test_buttons_that_cannot_be_undone_are_red_where_they_act(adas_browser, order):
    buttons = adas_browser.get(page(order)).context["buttons"]
    red = [button["url"] for button in buttons if button["kind"] == "danger"]
    assert red == [page(order, "move/cancelled/")]
    text = adas_browser.get(red[0]).content.decode()
    assert '<button type="submit" class="shop-button shop-button-danger">' in text


def test_an_order_is_moved_by_its_buttons(adas_browser, ada, order):
    path = Order.Status.path_to("delivered")
    for status in path:
        assert adas_browser.get(page(order, f"move/{status}/")).status_code == 200
        response = adas_browser.post(page(order, f"move/{status}/"), {"note": f"to {status}"})
        assert response.url == page(order)
    assert (status_of(order), order.payment_status) == ("delivered", "paid")
    events = OrderEvent.objects.values_list("status", "note", "actor")
    assert list(events)[1:] == [(status, f"to {status}", ada.pk) for status in path]


def test_cancelling_restocks_and_emails_the_customer(
    adas_browser, order, mug, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        adas_browser.post(
            page(order, "move/cancelled/"), {"note": "Changed their mind.", "notify": "on"}
        )
    mug.refresh_from_db()
    assert (status_of(order), mug.stock, list(find_drift())) == ("cancelled", 10, [])
    assert "Changed their mind." in mail.outbox[0].body


def test_get_changes_nothing(adas_browser, order):
    for view in ("move/confirmed/", "move/cancelled/", "paid/"):
        assert adas_browser.get(page(order, view)).status_code == 200
    assert (status_of(order), order.payment_status) == ("pending", "pending")
    assert OrderEvent.objects.count() == 1


def test_the_form_shows_an_error_if_the_order_was_moved_meanwhile(adas_browser, ada, order):
    move_order(order_id=order.pk, to="cancelled", actor=ada, by_staff=True)
    response = adas_browser.post(page(order, "move/confirmed/"), {})
    assert response.status_code == 200
    assert len(response.context["form"].non_field_errors()) == 1
    assert status_of(order) == "cancelled"


@pytest.mark.parametrize("status", sorted({*Order.Status} - {*Order.FLOW[Order.Status.PENDING]}))
def test_no_status_is_skipped(adas_browser, order, status):
    adas_browser.post(page(order, f"move/{status}/"), {})
    assert status_of(order) == "pending"


def test_an_order_is_marked_as_paid_once(adas_browser, order):
    adas_browser.post(page(order, "paid/"), {})
    second = adas_browser.post(page(order, "paid/"), {})
    assert len(second.context["form"].non_field_errors()) == 1
    assert (status_of(order), order.payment_status) == ("pending", "paid")
    assert list(OrderEvent.objects.values_list("kind", flat=True)) == ["status", "payment"]


@pytest.mark.parametrize("view", ["move/confirmed/", "move/cancelled/", "paid/"])
def test_without_permission_a_forged_post_changes_nothing(staff_client_with, order, view):
    viewer = staff_client_with("view_order")
    assert viewer.get(page(order)).context["buttons"] == []
    assert viewer.get(page(order, view)).status_code == 403
    assert viewer.post(page(order, view), {}).status_code == 403
    assert (status_of(order), order.payment_status) == ("pending", "pending")


@pytest.mark.parametrize("view", ["move/confirmed/", "paid/"])
def test_without_a_csrf_token_a_post_changes_nothing(ada, order, view):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)
    assert browser.post(page(order, view), {}).status_code == 403
    assert status_of(order) == "pending"


def test_a_customer_must_log_in_as_staff(carl, order):
    browser = Client()
    browser.force_login(carl)
    assert browser.post(page(order, "move/confirmed/"), {}).url.startswith("/admin/login/")
    assert status_of(order) == "pending"


def test_an_order_is_neither_edited_nor_deleted(adas_browser, order):
    values = {"status": "delivered", "total_amount": "0"}
    assert adas_browser.post(page(order), values).status_code == 403
    assert adas_browser.post(page(order, "delete/"), {"post": "yes"}).status_code == 403
    assert status_of(order) == "pending"


def test_the_message_of_a_move(adas_browser, order):
    response = adas_browser.post(page(order, "move/confirmed/"), {}, follow=True)
    assert factories.page_messages(response) == [f"Order {order} is now confirmed."]
