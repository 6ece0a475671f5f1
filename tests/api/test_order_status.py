from itertools import product as pairs

import pytest
from support import factories

from shop.models import Order, OrderEvent, StockMovement
from shop.services.stock import find_drift

STATUSES = list(Order.Status)
CANCELLABLE_BY_CUSTOMER = [now for now in STATUSES if now.facts.customer_can_cancel]
PAID_ON_DELIVERY = {"cash_on_delivery": "paid", "bank_transfer": "pending", "card": "paid"}


@pytest.fixture
def order_in(carls_order):
    """`order_in("shipped")`: Carl's order, brought there."""

    def brought(status, **values):
        Order.objects.filter(pk=carls_order.pk).update(status=status, **values)
        return f"/orders/{carls_order.pk}"

    return brought


def last_event():
    event = OrderEvent.objects.order_by("id").last()
    return event.status, event.note, event.actor.first_name


@pytest.mark.parametrize(
    ("now", "to"), [(now, to) for now, to in pairs(STATUSES, STATUSES) if to in Order.FLOW[now]]
)
def test_staff_take_the_next_step(adas_app, carls_app, order_in, lamp, now, to):
    path = order_in(now)
    response = adas_app.post(f"{path}/status/", {"status": to, "note": "Done"})
    assert response.status_code == 200
    assert response.json() == adas_app.get(f"{path}/").json()
    assert (response.json()["status"], last_event()) == (to, (to, "Done", "Ada"))
    assert carls_app.get(f"{path}/").json()["history"][-1]["note"] == "Done"
    lamp.refresh_from_db()
    assert lamp.stock == (5 if to == "cancelled" else 3)


@pytest.mark.parametrize(
    ("now", "to"), [(now, to) for now, to in pairs(STATUSES, STATUSES) if to not in Order.FLOW[now]]
)
def test_every_other_step_is_refused(adas_app, order_in, unchanged, now, to):
    path = order_in(now)
    with unchanged():
        response = adas_app.post(f"{path}/status/", {"status": to})
    assert factories.problem_code(response) == (409, "invalid-transition")
    assert response.json()["status"] == 409


@pytest.mark.parametrize("now", STATUSES)
def test_customers_may_cancel_until_it_is_shipped(carls_app, order_in, unchanged, now):
    path = order_in(now)
    assert carls_app.get(f"{path}/").json()["can_cancel"] is now.facts.customer_can_cancel
    if now.facts.customer_can_cancel:
        response = carls_app.post(f"{path}/cancel/", {"reason": "Too slow"})
        assert (response.status_code, response.json()["status"]) == (200, "cancelled")
        assert response.json() == carls_app.get(f"{path}/").json()
        assert last_event() == ("cancelled", "Too slow", "Carl")
    else:
        with unchanged():
            response = carls_app.post(f"{path}/cancel/")
        assert factories.problem_code(response) == (409, "invalid-transition")


@pytest.mark.parametrize("now", STATUSES)
def test_staff_may_cancel_until_it_is_delivered(adas_app, order_in, unchanged, now):
    path = order_in(now)
    can = "cancelled" in now.facts.next
    assert adas_app.get(f"{path}/").json()["can_cancel"] is can
    if can:
        assert adas_app.post(f"{path}/cancel/").json()["status"] == "cancelled"
    else:
        with unchanged():
            assert factories.problem_code(adas_app.post(f"{path}/cancel/")) == (
                409,
                "invalid-transition",
            )


@pytest.mark.parametrize("body", [None, {}, {"reason": ""}, "null"])
def test_a_reason_to_cancel_may_be_left_out(carls_app, order_in, body):
    response = carls_app.post(f"{order_in('pending')}/cancel/", body)
    assert (response.status_code, response.json()["history"][-1]["note"]) == (200, "")


def test_cancelling_gives_the_stock_back_exactly_once(carls_app, order_in, lamp, unchanged):
    path = order_in("confirmed")
    carls_app.post(f"{path}/cancel/", {"reason": "x" * 1000})
    back = StockMovement.objects.get(kind="cancellation")
    lamp.refresh_from_db()
    assert (lamp.stock, back.delta, back.reason, list(find_drift())) == (5, 2, "x" * 200, [])
    with unchanged():
        assert factories.problem_code(carls_app.post(f"{path}/cancel/")) == (
            409,
            "invalid-transition",
        )


@pytest.mark.parametrize("method", Order.PaymentMethod.values)
def test_cash_is_paid_on_delivery(adas_app, order_in, method):
    before = "paid" if method == "card" else "pending"
    path = order_in("shipped", payment_method=method, payment_status=before)
    body = adas_app.post(f"{path}/status/", {"status": "delivered"}).json()
    assert body["payment_status"] == PAID_ON_DELIVERY[method]


@pytest.mark.parametrize(
    ("before", "after"), [("paid", "refunded"), ("pending", "pending"), ("refunded", "refunded")]
)
@pytest.mark.parametrize("now", CANCELLABLE_BY_CUSTOMER)
def test_cancelling_refunds_what_was_paid(carls_app, order_in, now, before, after):
    path = order_in(now, payment_status=before)
    assert carls_app.post(f"{path}/cancel/").json()["payment_status"] == after


@pytest.mark.parametrize("status", ["lost", "", None, 1, "PENDING"])
def test_an_unknown_status_is_refused(adas_app, order_in, unchanged, status):
    path = order_in("pending")
    with unchanged():
        response = adas_app.post(f"{path}/status/", {"status": status})
    assert factories.problem_code(response) == (422, "invalid")
    assert [error["field"] for error in response.json()["errors"]] == ["status"]


def test_customers_cannot_set_a_status(carls_app, order_in, unchanged):
    path = order_in("pending")
    with unchanged():
        response = carls_app.post(f"{path}/status/", {"status": "cancelled"})
    assert factories.problem_code(response) == (403, "forbidden")


@pytest.mark.parametrize("status", ["confirmed", "cancelled"])
def test_an_unknown_order_has_no_status(adas_app, unchanged, status):
    with unchanged():
        response = adas_app.post("/orders/999/status/", {"status": status})
    assert factories.problem_code(response) == (404, "not-found")
