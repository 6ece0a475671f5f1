from itertools import product

import pytest
from django.db.models import F
from support import factories

from shop.models import Order, OrderEvent, StockMovement
from shop.services.stock import find_drift

STATUSES = list(Order.Status.values)
TRANSITIONS = [(now, to) for now, to in product(STATUSES, STATUSES) if to in Order.FLOW[now]]
INVALID_TRANSITIONS = sorted({*product(STATUSES, STATUSES)} - {*TRANSITIONS})
BEFORE_DELIVERY = next(status for status in STATUSES if "delivered" in Order.FLOW[status])
STAFF_CANCEL = {
    "pending": True,
    "confirmed": True,
    "shipped": True,
    "delivered": False,
    "cancelled": False,
}
CUSTOMERS_CANCEL = STAFF_CANCEL | {"shipped": False}
PAID_ON_DELIVERY = {"cash_on_delivery": "paid", "bank_transfer": "pending", "card": "paid"}


@pytest.fixture
def order_in(carls_order):
    """`order_in("shipped")` sets the status of Carl's order and returns its path."""

    def set_values(status, **values):
        Order.objects.filter(pk=carls_order.pk).update(status=status, **values)
        return f"/orders/{carls_order.pk}"

    return set_values


def last_event():
    event = OrderEvent.objects.order_by("id").last()
    return event.status, event.note, event.actor.first_name


@pytest.mark.parametrize(("now", "to"), TRANSITIONS)
def test_staff_set_the_next_status(adas_app, carls_app, order_in, lamp, now, to):
    path = order_in(now)
    response = adas_app.post(f"{path}/status/", {"status": to, "note": "Done"})
    assert response.status_code == 200
    assert response.json() == adas_app.get(f"{path}/").json()
    assert (response.json()["status"], last_event()) == (to, (to, "Done", "Ada"))
    assert carls_app.get(f"{path}/").json()["history"][-1]["note"] == "Done"
    lamp.refresh_from_db()
    assert lamp.stock == (5 if to == "cancelled" else 3)


@pytest.mark.parametrize(("now", "to"), INVALID_TRANSITIONS)
def test_every_other_status_is_refused(adas_app, order_in, unchanged, now, to):
    path = order_in(now)
    with unchanged():
        response = adas_app.post(f"{path}/status/", {"status": to})
    assert factories.problem_code(response) == (409, "invalid-transition")
    assert response.json()["status"] == 409


@pytest.mark.parametrize(("now", "can"), CUSTOMERS_CANCEL.items())
def test_customers_cancel_in_the_statuses_that_allow_it(carls_app, order_in, unchanged, now, can):
    path = order_in(now)
    assert carls_app.get(f"{path}/").json()["can_cancel"] is can
    if can:
        response = carls_app.post(f"{path}/cancel/", {"reason": "Too slow"})
        assert (response.status_code, response.json()["status"]) == (200, "cancelled")
        assert response.json() == carls_app.get(f"{path}/").json()
        assert last_event() == ("cancelled", "Too slow", "Carl")
    else:
        with unchanged():
            response = carls_app.post(f"{path}/cancel/")
        assert factories.problem_code(response) == (409, "invalid-transition")


@pytest.mark.parametrize(("now", "can"), STAFF_CANCEL.items())
def test_staff_cancel_in_the_statuses_that_allow_it(adas_app, order_in, unchanged, now, can):
    path = order_in(now)
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
def test_the_reason_to_cancel_is_optional(carls_app, order_in, body):
    response = carls_app.post(f"{order_in('pending')}/cancel/", body)
    assert (response.status_code, response.json()["history"][-1]["note"]) == (200, "")


def test_cancelling_restocks_exactly_once(carls_app, order_in, lamp, unchanged):
    path = order_in("confirmed")
    carls_app.post(f"{path}/cancel/", {"reason": "x" * 1000})
    restock = StockMovement.objects.get(kind="cancellation")
    lamp.refresh_from_db()
    assert (lamp.stock, restock.delta, restock.reason, list(find_drift())) == (5, 2, "x" * 200, [])
    with unchanged():
        assert factories.problem_code(carls_app.post(f"{path}/cancel/")) == (
            409,
            "invalid-transition",
        )


@pytest.mark.parametrize("method", Order.PaymentMethod.values)
def test_cash_on_delivery_is_paid_when_delivered(adas_app, order_in, method):
    paid = {"paid_amount": F("total_amount"), "payment_status": "paid"} if method == "card" else {}
    path = order_in(BEFORE_DELIVERY, payment_method=method, **paid)
    body = adas_app.post(f"{path}/status/", {"status": "delivered"}).json()
    assert body["payment_status"] == PAID_ON_DELIVERY[method]


@pytest.mark.parametrize(
    ("paid", "after", "refund_due"),
    [(F("total_amount"), "refund_due", "99.80"), (0, "voided", "0.00"), (9, "refund_due", "9.00")],
)
@pytest.mark.parametrize("now", ["pending", "confirmed"])
def test_cancelling_a_paid_order_makes_a_refund_due(
    carls_app, order_in, now, paid, after, refund_due
):
    body = carls_app.post(f"{order_in(now, paid_amount=paid)}/cancel/").json()
    assert (body["payment_status"], body["amount_due"]) == (after, "0.00")
    assert body["refund_due"] == refund_due


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
def test_setting_the_status_of_an_unknown_order_is_not_found(adas_app, unchanged, status):
    with unchanged():
        response = adas_app.post("/orders/999/status/", {"status": status})
    assert factories.problem_code(response) == (404, "not-found")
