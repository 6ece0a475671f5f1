"""Every door of the new fields of orders and users; see `tests/low_code/changes.py`."""

import csv
import io
import json
from datetime import date
from decimal import Decimal

import pytest
from pypdf import PdfReader
from support import factories, world
from support.api_operations import SCHEMAS

from shop.models import Order, User
from shop.services.personal_data import erase_personal_data, export_personal_data

ORDERS = "/admin/shop/order/"
GIFT = {"gift_message": "Happy birthday", "pickup_on": "2026-12-24"}
PERSON = {"email": "nora@example.com", "first_name": "Nora", "last_name": "New"}
ABOUT = {"company": "New & Sons", "birthday": "1990-05-17"}
REFUSED = {"picked_by": "Eve", "promised_on": "2026-12-24", "channel": "web"}


def create_order(buyer, product):
    """Return an order with a value in every new field."""
    values = {"gift_message": GIFT["gift_message"], "pickup_on": date(2026, 12, 24)}
    order = world.create_order(buyer, (product, 1), **values)
    order.picked_by, order.promised_on = "=Paula", date(2026, 12, 20)
    order.save()
    return order


@pytest.fixture
def order(carl, mug):
    return create_order(carl, mug)


def refused_fields(response):
    assert factories.problem_code(response) == (422, "invalid")
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


# API


def test_checkout_takes_the_new_fields_and_answers_them(carls_app, mug):
    factories.add_to_cart(carls_app.user, (mug, 1))
    response = carls_app.post("/orders/create/", {"shipping_address": "1 Elm Street", **GIFT})
    body = response.json()
    expected = {**GIFT, "promised_on": None, "channel": "app"}
    assert (response.status_code, {name: body[name] for name in expected}) == (201, expected)
    assert "picked_by" not in body
    assert carls_app.get(f"/orders/{body['id']}/").json() == body
    [listed] = carls_app.get("/orders/").json()["items"]
    assert {name: listed[name] for name in expected} == expected


def test_checkout_leaves_out_optional_fields(carls_app, mug):
    factories.add_to_cart(carls_app.user, (mug, 1))
    body = carls_app.post("/orders/create/", {"shipping_address": "1 Elm Street"}).json()
    assert (body["gift_message"], body["pickup_on"]) == ("", None)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("gift_message", "x" * 201, "too_long"),
        ("gift_message", None, "string_type"),
        ("pickup_on", "tomorrow", "date_from_datetime_parsing"),
        *((name, value, "extra_forbidden") for name, value in REFUSED.items()),
    ],
)
def test_checkout_refuses_other_values(carls_app, mug, unchanged, field, value, code):
    factories.add_to_cart(carls_app.user, (mug, 1))
    with unchanged():
        response = carls_app.post("/orders/create/", {"shipping_address": "1 Elm", field: value})
    assert refused_fields(response) == [(field, code)]


def test_a_checkout_with_the_defaults_is_the_same_request(carls_app, mug):
    """As of an app that a release with a new field meets between two attempts."""
    factories.add_to_cart(carls_app.user, (mug, 1))
    key, body = {"Idempotency-Key": "k"}, {"shipping_address": "1 Elm Street"}
    first = carls_app.post("/orders/create/", body, **key)
    defaults = {"gift_message": "", "pickup_on": None}
    second = carls_app.post("/orders/create/", body | defaults, **key)
    assert (second.status_code, second.json()) == (201, first.json())
    other = carls_app.post("/orders/create/", body | GIFT, **key)
    assert factories.problem_code(other) == (422, "idempotency-key-reused")


def test_the_document_has_the_new_fields():
    fields = {
        name: set(schema["properties"])
        for name, schema in SCHEMAS.items()
        if schema.get("properties")
    }
    assert GIFT.keys() <= fields["CheckoutIn"]
    assert not REFUSED.keys() & fields["CheckoutIn"]
    for answer in ("OrderOut", "OrderSummary"):
        assert {*GIFT, "promised_on", "channel"} <= fields[answer]
        assert "picked_by" not in fields[answer]
    assert {*ABOUT, "credit"} <= fields["UserOut"]
    for body in ("RegisterIn", "ProfileIn", "ProfilePatch"):
        assert ABOUT.keys() <= fields[body]
        assert "credit" not in fields[body]


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("gift_message=Happy birthday", True),
        ("gift_message=Other", False),
        ("pickup_on_from=2026-12-24&pickup_on_to=2026-12-24", True),
        ("pickup_on_to=2026-12-23", False),
        ("has_promised_on=true", True),
        ("channel=app&channel=web", True),
        ("channel=web", False),
    ],
)
def test_the_order_list_is_filtered_by_the_new_fields(carls_app, order, query, is_found):
    response = carls_app.get(f"/orders/?{query}")
    assert response.status_code == 200
    assert [row["id"] for row in response.json()["items"]] == [order.pk] * is_found


def test_the_order_list_is_not_filtered_by_a_staff_field(adas_app):
    assert refused_fields(adas_app.get("/orders/?picked_by=Paula")) == [
        ("picked_by", "extra_forbidden")
    ]


def test_registration_takes_the_new_fields(strangers_app):
    body = {**PERSON, "password": "correct-horse-8", **ABOUT}
    user = strangers_app.post("/auth/register/", body).json()["user"]
    assert {name: user[name] for name in ABOUT} == ABOUT
    assert user["credit"] == "0.00"
    nora = User.objects.get()
    assert (nora.company, nora.birthday) == ("New & Sons", date(1990, 5, 17))


def test_the_profile_has_the_new_fields(carls_app, carl):
    assert carls_app.patch("/auth/profile/", ABOUT).json()["company"] == "New & Sons"
    carls_app.patch("/auth/profile/", {"birthday": None})
    carl.refresh_from_db()
    assert (carl.company, carl.birthday, carl.first_name) == ("New & Sons", None, "Carl")


def test_an_older_app_that_replaces_the_profile_keeps_the_new_fields(carls_app, carl):
    carls_app.patch("/auth/profile/", {**ABOUT, "phone": "123"})
    response = carls_app.put("/auth/profile/", {"first_name": "Karl", "last_name": "Buyer"})
    assert (response.status_code, response.json()["first_name"]) == (200, "Karl")
    carl.refresh_from_db()
    assert (carl.company, carl.birthday, carl.phone) == ("New & Sons", date(1990, 5, 17), "")


@pytest.mark.parametrize("call", ["post /auth/register/", "put /auth/profile/"])
def test_customers_never_write_what_is_read_only(carls_app, unchanged, call):
    method, path = call.split()
    body = {"first_name": "C", "last_name": "B", "credit": "5.00"}
    if method == "post":
        body |= {"email": "new@example.com", "password": "correct-horse-8"}
    with unchanged():
        response = carls_app.call(method, path, body)
    assert refused_fields(response) == [("credit", "extra_forbidden")]


def test_staff_see_the_new_fields_of_an_orders_customer(adas_app, carl, order):
    User.objects.filter(pk=carl.pk).update(company="Buyer Ltd")
    assert adas_app.get(f"/orders/{order.pk}/").json()["customer"]["company"] == "Buyer Ltd"


# Files and documents


def test_the_export_of_orders_has_the_new_fields(adas_browser, carl, order):
    User.objects.filter(pk=carl.pk).update(company="+Buyer")
    response = adas_browser.post(f"{ORDERS}export/", {"rows": "item", "file_format": "csv"})
    [row] = csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig")))
    expected = {
        "gift message": "Happy birthday",
        "pickup on": "2026-12-24",
        "promised on": "2026-12-20",
        "picked by": "'=Paula",
        "channel": "App",
        "customer company": "'+Buyer",
        "customer birthday": "",
        "customer credit": "0.00",
    }
    assert {name: row.get(name) for name in expected} == expected


def test_the_packing_slip_has_the_gift_message(adas_browser, order):
    url = f"{ORDERS}{order.pk}/print/packing slip/"
    page = adas_browser.post(url).content.decode()
    assert "Gift message: Happy birthday" in page
    assert "2026" not in page[page.index("<table>") :]  # pickup_on isn't in ON_PACKING_SLIP
    pdf = PdfReader(io.BytesIO(adas_browser.post(url, {"pdf": "1"}).content))
    assert "Gift message: Happy birthday" in pdf.pages[0].extract_text()
    invoice = adas_browser.post(f"{ORDERS}{order.pk}/print/invoice/").content.decode()
    assert "Happy birthday" not in invoice


def test_an_empty_field_is_not_on_the_packing_slip(adas_browser, carl, mug):
    order = world.create_order(carl, (mug, 1))
    page = adas_browser.post(f"{ORDERS}{order.pk}/print/packing slip/").content.decode()
    assert 'class="note"' not in page


# Personal data


@pytest.fixture
def finished_order(ada, order):
    return world.move_along(order, "delivered", by=ada)


def test_the_personal_data_export_has_the_new_fields(ada, carl, finished_order):
    User.objects.filter(pk=carl.pk).update(company="Buyer Ltd", birthday=date(1990, 5, 17))
    data = json.loads(export_personal_data(user_id=carl.pk, actor=ada))
    [person], [order] = data["person"], data["orders"]
    assert (person["company"], person["birthday"], person["credit"]) == (
        "Buyer Ltd",
        "1990-05-17",
        "0.00",
    )
    assert {name: order[name] for name in GIFT} == GIFT
    assert (order["picked_by"], order["channel"]) == ("=Paula", "app")


def test_an_erasure_clears_the_new_fields(ada, carl, finished_order):
    User.objects.filter(pk=carl.pk).update(
        company="Buyer Ltd", birthday=date(1990, 5, 17), credit=Decimal(3)
    )
    Order.objects.filter(pk=finished_order.pk).update(channel="web")
    erase_personal_data(user_id=carl.pk, actor=ada)
    order = Order.objects.get(pk=finished_order.pk)
    assert (order.gift_message, order.pickup_on, order.picked_by) == ("", None, "")
    assert (order.promised_on, order.channel) == (None, "app")
    carl.refresh_from_db()
    assert (carl.company, carl.birthday, carl.credit) == ("", None, Decimal(0))
