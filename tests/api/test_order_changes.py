"""What staff do with an order by the API after it was placed. Carl ordered 2 mugs and a lamp."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.db.models import F
from support import factories
from support.invariants import assert_invariants

from shop.models import Order, OrderEvent, OutboxMessage, Product, User
from shop.services.orders import place_order


@pytest.fixture
def carls_order(carl, mug, lamp):
    factories.add_to_cart(carl, (mug, 2), (lamp, 1))
    return place_order(user=carl, shipping_address="1 Fern Road").order


@pytest.fixture
def path(carls_order):
    return f"/orders/{carls_order.pk}/"


@pytest.fixture
def delivered(adas_app, path):
    for status in ("confirmed", "shipped", "delivered"):
        assert adas_app.post(f"{path}status/", {"status": status}).status_code == 200
    return path


@pytest.fixture
def packers_app(db):
    """An app of a staff user who may only fulfil orders."""
    user = User.objects.create_user(
        "pat@example.com", factories.PASSWORD, first_name="Pat", last_name="Packer", role="admin"
    )
    user.user_permissions.add(
        *Permission.objects.filter(codename__in=["view_order", "fulfil_order"])
    )
    return factories.api_client(user)


def stocks():
    return dict(Product.objects.values_list("name", "stock"))


def quantities(body):
    return {item["name"]: item["quantity"] for item in body["items"]}


def last_entry(body):
    return body["history"][-1]


def test_editing_address_and_items(adas_app, carls_app, path, mug, lamp):
    vase = factories.create_product("Vase", price="5.00", stock=9)
    Product.objects.filter(pk=mug.pk).update(price=Decimal("99.00"))
    lines = [
        {"product_id": mug.pk, "quantity": 3},
        {"product_id": vase.pk, "quantity": 2},
    ]
    before = stocks()
    response = adas_app.patch(path, {"shipping_address": "2 Elm Street", "items": lines})
    body = response.json()
    assert response.status_code == 200
    assert quantities(body) == {"Mug": 3, "Vase": 2}
    assert (body["total_amount"], body["amount_due"]) == ("47.50", "47.50")
    assert body["shipping_address"] == "2 Elm Street"
    after = {name: before[name] - stock for name, stock in stocks().items()}
    assert after == {"Mug": 1, "Lamp": -1, "Vase": 2}
    assert last_entry(body)["kind"] == "edited"
    assert carls_app.get(path).json()["history"] == body["history"]
    assert_invariants()


def test_an_edit_of_a_paid_order_makes_money_due(adas_app, path, mug):
    adas_app.post(f"{path}payments/")
    more = adas_app.patch(path, {"items": [{"product_id": mug.pk, "quantity": 9}]}).json()
    paid = Decimal(more["paid_amount"])
    assert (more["payment_status"], more["amount_due"]) == (
        "pending",
        str(Decimal("112.50") - paid),
    )
    less = adas_app.patch(path, {"items": [{"product_id": mug.pk, "quantity": 1}]}).json()
    assert (less["payment_status"], less["refund_due"]) == (
        "refund_due",
        str(paid - Decimal("12.50")),
    )
    assert_invariants()


@pytest.mark.parametrize(
    ("items", "refusal"),
    [
        (lambda mug, old: [], (422, "invalid")),
        (lambda mug, old: [{"product_id": mug, "quantity": 0}], (422, "invalid")),
        (lambda mug, old: [{"product_id": mug, "quantity": 1}] * 2, (422, "invalid")),
        (lambda mug, old: [{"product_id": mug, "quantity": 500}], (409, "insufficient-stock")),
        (lambda mug, old: [{"product_id": old, "quantity": 1}], (409, "product-unavailable")),
        (lambda mug, old: [{"product_id": 10**9, "quantity": 1}], (409, "product-unavailable")),
    ],
)
def test_items_that_cannot_be_ordered(adas_app, path, mug, unchanged, items, refusal):
    old = factories.create_product("Old", price="1.00", is_active=False, stock=5)
    with unchanged():
        response = adas_app.patch(path, {"items": items(mug.pk, old.pk)})
    assert factories.problem_code(response) == refusal


def test_an_edit_that_names_what_is_short(adas_app, path, mug):
    response = adas_app.patch(path, {"items": [{"product_id": mug.pk, "quantity": 500}]})
    short = {"product_id": mug.pk, "requested": 498, "available": mug.stock - 2}
    assert response.json()["items"] == [short]


@pytest.mark.parametrize("status", ["shipped", "delivered", "cancelled"])
def test_a_shipped_order_is_not_edited(adas_app, path, unchanged, status):
    Order.objects.update(status=status)
    with unchanged():
        response = adas_app.patch(path, {"shipping_address": "2 Elm Street"})
    assert factories.problem_code(response) == (409, "invalid-transition")


def test_an_edit_of_an_order_that_was_changed_meanwhile(adas_app, path, unchanged):
    etag = adas_app.get(path)["ETag"]
    changed = adas_app.patch(path, {"note": "Ring twice"}, **{"If-Match": etag})
    assert changed.status_code == 200
    with unchanged():
        refused = adas_app.patch(path, {"note": "Ring once"}, **{"If-Match": etag})
    assert factories.problem_code(refused) == (412, "precondition-failed")
    again = adas_app.patch(path, {"note": "Ring once"}, **{"If-Match": changed["ETag"]})
    assert again.json()["note"] == "Ring once"


def test_an_edit_with_another_total_is_refused(adas_app, path, mug, unchanged):
    body = {"items": [{"product_id": mug.pk, "quantity": 1}], "expected_total": "12.49"}
    with unchanged():
        response = adas_app.patch(path, body)
    assert factories.problem_code(response) == (409, "total-changed")
    assert response.json()["total_amount"] == "12.50"


def test_an_edit_without_a_difference_writes_nothing(adas_app, path, unchanged):
    order = adas_app.get(path).json()
    lines = [{key: item[key] for key in ("product_id", "quantity")} for item in order["items"]]
    with unchanged():
        body = {"items": lines, "shipping_address": order["shipping_address"], "notify": True}
        assert adas_app.patch(path, body).json() == order


@pytest.mark.usefixtures("carriers")
def test_shipping_with_a_tracking_number(packers_app, adas_app, carls_app, path):
    adas_app.post(f"{path}status/", {"status": "confirmed"})
    assert carls_app.get(path).json()["shipment"] is None
    body = {"status": "shipped", "carrier": "dhl", "tracking_number": "JD 1/2"}
    shipment = packers_app.post(f"{path}status/", body).json()["shipment"]
    assert shipment.pop("shipped_at")
    assert shipment == {
        "carrier": "DHL",
        "tracking_number": "JD 1/2",
        "tracking_url": "https://www.dhl.com/en/express/tracking.html?AWB=JD%201%2F2",
    }
    shown = carls_app.get("/orders/").json()["items"][0]["shipment"]
    assert shown["tracking_number"] == "JD 1/2"


def test_correcting_a_tracking_number(adas_app, carls_app, delivered):
    sent = OutboxMessage.objects.count()
    body = {"carrier": "Bicycle", "tracking_number": "7", "notify": True}
    shipment = adas_app.post(f"{delivered}tracking/", body).json()["shipment"]
    assert (shipment["carrier"], shipment["tracking_url"]) == ("Bicycle", None)
    assert OutboxMessage.objects.count() == sent + 1
    assert last_entry(carls_app.get(delivered).json())["kind"] == "tracking"


def test_an_order_that_was_not_shipped_has_no_tracking(adas_app, path, unchanged):
    with unchanged():
        response = adas_app.post(f"{path}tracking/", {"tracking_number": "7"})
    assert factories.problem_code(response) == (409, "invalid-transition")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "confirmed", "carrier": "DHL"}, "carrier"),
        ({"status": "cancelled", "tracking_number": "1"}, "tracking_number"),
        ({"status": "confirmed", "written_off": []}, "written_off"),
    ],
)
def test_fields_of_another_status_are_refused(adas_app, path, unchanged, body, field):
    with unchanged():
        response = adas_app.post(f"{path}status/", body)
    assert factories.problem_code(response) == (422, "invalid")
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_cancelling_writes_off_some_units(adas_app, path, mug, lamp):
    before = stocks()
    lost = [{"product_id": mug.pk, "quantity": 1}]
    body = {"status": "cancelled", "written_off": lost}
    assert adas_app.post(f"{path}status/", body).status_code == 200
    after = {name: stock - before[name] for name, stock in stocks().items()}
    assert after == {"Mug": 1, "Lamp": 1}
    assert_invariants()


def test_more_units_than_ordered_are_not_written_off(adas_app, path, mug, unchanged):
    body = {"status": "cancelled", "written_off": [{"product_id": mug.pk, "quantity": 9}]}
    with unchanged():
        assert factories.problem_code(adas_app.post(f"{path}status/", body)) == (422, "invalid")


@pytest.mark.parametrize(
    ("status", "is_allowed"),
    [("confirmed", False), ("shipped", True), ("delivered", True), ("cancelled", False)],
)
def test_a_packer_ships_and_delivers_only(packers_app, path, unchanged, status, is_allowed):
    previous = {"shipped": "confirmed", "delivered": "shipped"}
    Order.objects.update(status=previous.get(status, "pending"))
    if is_allowed:
        response = packers_app.post(f"{path}status/", {"status": status})
        assert (response.status_code, response.json()["status"]) == (200, status)
        return
    with unchanged():
        response = packers_app.post(f"{path}status/", {"status": status})
    assert factories.problem_code(response) == (403, "forbidden")


def test_customers_are_mailed_unless_told_otherwise(adas_app, path):
    adas_app.post(f"{path}status/", {"status": "confirmed"})
    sent = OutboxMessage.objects.count()
    adas_app.post(f"{path}status/", {"status": "shipped", "notify": False})
    assert OutboxMessage.objects.count() == sent
    adas_app.post(f"{path}status/", {"status": "delivered"})
    assert OutboxMessage.objects.count() == sent + 1


def test_part_refunds(adas_app, carls_app, delivered):
    total = Decimal(adas_app.get(delivered).json()["total_amount"])
    body = adas_app.post(f"{delivered}refunds/", {"amount": "10.00", "reason": "A chip"}).json()
    assert (body["payment_status"], body["refunded_amount"]) == ("paid", "10.00")
    assert (body["credited_amount"], body["amount_due"], body["refund_due"]) == (
        "10.00",
        "0.00",
        "0.00",
    )
    rest = adas_app.post(f"{delivered}refunds/", {"amount": str(total - 10)}).json()
    assert (rest["payment_status"], rest["refunded_amount"]) == ("refunded", str(total))
    entry = carls_app.get(delivered).json()["history"][-2]
    assert (entry["kind"], entry["note"]) == ("refunded", "A chip")


@pytest.mark.parametrize("amount", [None, "0.01", "1000.00"])
def test_more_than_was_paid_is_not_refunded(adas_app, path, unchanged, amount):
    with unchanged():
        response = adas_app.post(f"{path}refunds/", {"amount": amount})
    assert factories.problem_code(response) == (409, "nothing-to-refund")
    assert response.json()["refundable"] == "0.00"


@pytest.mark.parametrize("amount", ["0", "-1.00", "0.001", "NaN", 10**20])
def test_amounts_that_are_none(adas_app, delivered, unchanged, amount):
    with unchanged():
        response = adas_app.post(f"{delivered}refunds/", {"amount": amount})
    assert factories.problem_code(response) == (422, "invalid")


def test_returning_units(adas_app, carls_app, delivered, mug, lamp):
    before = stocks()
    items = [
        {"product_id": mug.pk, "put_back": 1, "write_off": 1},
        {"product_id": lamp.pk, "put_back": 1},
    ]
    body = adas_app.post(f"{delivered}returns/", {"items": items, "note": "Too small"}).json()
    assert {item["name"]: item["returned_quantity"] for item in body["items"]} == {
        "Mug": 2,
        "Lamp": 1,
    }
    assert body["status"] == "delivered"
    credited = Decimal("25.00") + Decimal("49.90")
    assert (body["payment_status"], body["refund_due"]) == ("refund_due", str(credited))
    assert {name: stock - before[name] for name, stock in stocks().items()} == {"Mug": 1, "Lamp": 1}
    refunded = adas_app.post(f"{delivered}refunds/").json()
    assert (refunded["refunded_amount"], refunded["refund_due"]) == (str(credited), "0.00")
    assert last_entry(carls_app.get(delivered).json())["kind"] == "refunded"
    assert_invariants()


@pytest.mark.parametrize(
    "items",
    [
        lambda mug: [],
        lambda mug: [{"product_id": mug}],
        lambda mug: [{"product_id": mug, "put_back": 2, "write_off": 1}],
        lambda mug: [{"product_id": mug, "put_back": -1, "write_off": 2}],
        lambda mug: [{"product_id": mug, "put_back": 1}] * 2,
        lambda mug: [{"product_id": 10**9, "put_back": 1}],
    ],
)
def test_units_that_the_customer_has_not(adas_app, delivered, mug, unchanged, items):
    with unchanged():
        response = adas_app.post(f"{delivered}returns/", {"items": items(mug.pk)})
    assert factories.problem_code(response) == (422, "invalid")


def test_units_come_back_once(adas_app, delivered, mug, unchanged):
    items = {"items": [{"product_id": mug.pk, "put_back": 2}]}
    assert adas_app.post(f"{delivered}returns/", items).status_code == 200
    with unchanged():
        response = adas_app.post(f"{delivered}returns/", items)
    assert factories.problem_code(response) == (422, "invalid")


@pytest.mark.parametrize("status", ["pending", "shipped", "cancelled"])
def test_only_delivered_orders_are_returned(adas_app, path, mug, unchanged, status):
    Order.objects.update(status=status)
    with unchanged():
        response = adas_app.post(
            f"{path}returns/", {"items": [{"product_id": mug.pk, "put_back": 1}]}
        )
    assert factories.problem_code(response) == (409, "invalid-transition")


def test_payments_are_recorded_once(adas_app, path, unchanged):
    body = adas_app.post(f"{path}payments/", {"note": "By transfer"}).json()
    assert (body["payment_status"], body["paid_amount"]) == ("paid", body["total_amount"])
    assert OrderEvent.objects.filter(kind="payment", note="By transfer").count() == 1
    with unchanged():
        again = adas_app.post(f"{path}payments/")
    assert factories.problem_code(again) == (409, "invalid-transition")


@pytest.mark.parametrize("call", ["tracking", "payments", "refunds", "returns"])
def test_customers_change_nothing(carls_app, delivered, unchanged, call):
    Order.objects.update(paid_amount=F("total_amount"))
    with unchanged():
        assert carls_app.patch(delivered, {"note": "x"}).status_code == 403
        assert carls_app.post(f"{delivered}{call}/").status_code == 403
