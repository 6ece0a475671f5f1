"""Foreign keys, many-to-many fields and `clean()` of orders and users, at every door."""

import csv
import io
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from low_code.doors.test_order_and_user_pages import edit_details, phone_order
from low_code.doors.test_orders_and_users import ORDERS, refused_fields
from support import factories, world

from shop.documents.order_documents import build_packing_slip
from shop.models import AuditEntry, Order, User
from shop.services.order_notes import record_printing
from shop.services.personal_data import erase_personal_data, export_personal_data

NORA = {"email": "nora@example.com", "first_name": "Nora", "last_name": "New"}


@pytest.fixture
def japan(create_country):
    return create_country("=Japan")


@pytest.fixture
def create_order(carl, mug, japan, tags):
    """`create_order()`: an order of Carl's with a pickup point and two labels."""

    def create():
        order = world.create_order(carl, (mug, 1), pickup_point=japan)
        order.labels.set(tags)
        return order

    return create


def keys(records):
    return [record.pk for record in records]


def test_checkout_takes_a_foreign_key(carls_app, mug, japan):
    factories.add_to_cart(carls_app.user, (mug, 1))
    body = {"shipping_address": "1 Elm Street", "pickup_point_id": japan.pk}
    answer = carls_app.post("/orders/create/", body).json()
    assert (answer["pickup_point_id"], answer["label_ids"]) == (japan.pk, [])


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"pickup_point_id": 999}, ("pickup_point_id", "invalid")),
        ({"pickup_point": 1}, ("pickup_point", "extra_forbidden")),
        ({"label_ids": []}, ("label_ids", "extra_forbidden")),
        ({"note": "unlucky"}, ("note", "unlucky")),
    ],
)
def test_checkout_refuses_unknown_records_and_broken_rules(
    carls_app, mug, unchanged, values, error
):
    factories.add_to_cart(carls_app.user, (mug, 1))
    with unchanged():
        response = carls_app.post("/orders/create/", {"shipping_address": "1 Elm", **values})
    assert refused_fields(response) == [error]


@pytest.mark.parametrize("number", [1, 3])
def test_lists_of_orders_read_relations_with_one_query_each(
    carls_app, adas_app, carl, tags, create_order, statements, number
):
    for _ in range(number):
        create_order()
    carl.interests.set(tags)
    with statements(4):
        items = carls_app.get("/orders/").json()["items"]
    assert [item["label_ids"] for item in items] == [keys(tags)] * number
    with statements(6):
        items = adas_app.get("/orders/").json()["items"]
    assert [item["customer"]["interest_ids"] for item in items] == [keys(tags)] * number


def test_registration_takes_relations(strangers_app, tags, japan):
    about = {"interest_ids": keys(tags), "home_id": japan.pk}
    body = {**NORA, "password": "correct-horse-8", **about}
    user = strangers_app.post("/auth/register/", body).json()["user"]
    assert {name: user[name] for name in about} == about


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"interest_ids": [99]}, ("interest_ids", "unknown")),
        ({"home_id": 99}, ("home_id", "invalid")),
        ({"first_name": "Unlucky"}, ("last_name", "unlucky")),
    ],
)
def test_accounts_refuse_unknown_records_and_broken_rules(carls_app, unchanged, values, error):
    body = {**NORA, "password": "correct-horse-8", **values}
    with unchanged():
        assert refused_fields(carls_app.post("/auth/register/", body)) == [error]
        assert refused_fields(carls_app.patch("/auth/profile/", values)) == [error]


def test_the_profile_changes_relations(carls_app, carl, tags, japan):
    carls_app.patch("/auth/profile/", {"interest_ids": keys(tags), "home_id": japan.pk})
    assert (keys(carl.interests.order_by("pk")), User.objects.get().home) == (keys(tags), japan)
    carls_app.patch("/auth/profile/", {"interest_ids": []})
    assert (keys(carl.interests.all()), User.objects.get().home) == ([], japan)


def test_a_phone_order_takes_relations(adas_browser, mug, japan, tags):
    about = {"home": japan.pk, "interests": keys(tags), "pickup_point": japan.pk}
    checked = adas_browser.post(f"{ORDERS}add/", phone_order(mug, **NORA, **about))
    details = dict(checked.context["details"])
    assert [details[name] for name in ("Home", "Interests", "Pickup point")] == [
        "=Japan",
        "gift, mug",
        "=Japan",
    ]
    placed = {"step": "place"}
    for name, text in checked.context["hidden"]:
        placed.setdefault(name, []).append(str(text))
    adas_browser.post(f"{ORDERS}add/", placed)
    order = Order.objects.get()
    assert (order.pickup_point, order.user.home) == (japan, japan)
    assert keys(order.user.interests.order_by("pk")) == keys(tags)


@pytest.mark.parametrize(
    ("values", "field"),
    [({"note": "unlucky"}, "note"), ({**NORA, "first_name": "Unlucky"}, "last_name")],
)
def test_a_phone_order_obeys_the_rules(adas_browser, carl, mug, unchanged, values, field):
    customer = {} if "email" in values else {"customer": carl.pk}
    with unchanged():
        response = adas_browser.post(f"{ORDERS}add/", phone_order(mug, **customer, **values))
    assert list(response.context["form"].errors) == [field]


def test_labels_are_edited_and_the_rule_is_obeyed(adas_browser, carl, mug, tags, unchanged):
    order = world.create_order(carl, (mug, 1))
    assert edit_details(adas_browser, order, labels=keys(tags))().status_code == 302
    assert keys(order.labels.order_by("pk")) == keys(tags)
    assert AuditEntry.objects.get(model_name="order").changes == "labels: empty → gift, mug"
    page = adas_browser.get(f"{ORDERS}{order.pk}/change/").content.decode()
    assert "gift, mug" in page or "mug, gift" in page  # as the database has them
    send = edit_details(adas_browser, order, picked_by="Nobody")
    with unchanged():
        errors = send().context["form"].errors.as_data()
    # The form has no field for the customer.
    assert [(name, error.code) for name, found in errors.items() for error in found] == [
        ("__all__", "nobody")
    ]


def test_the_users_page_edits_relations_and_obeys_the_rule(adas_browser, carl, tags, japan):
    url = f"/admin/shop/user/{carl.pk}/change/"
    data = {"email": carl.email, "first_name": "Carl", "last_name": "Buyer", "role": "customer"}
    data |= {"is_active": "on", "credit": "0", "interests": keys(tags), "home": japan.pk}
    assert adas_browser.post(url, data).status_code == 302
    carl.refresh_from_db()
    assert (carl.home, keys(carl.interests.order_by("pk"))) == (japan, keys(tags))
    response = adas_browser.post(url, data | {"first_name": "Unlucky"})
    assert list(response.context["adminform"].form.errors) == ["last_name"]


def test_the_export_of_orders_names_related_records(adas_browser, carl, tags, japan, create_order):
    create_order()
    carl.interests.set(tags)
    User.objects.filter(pk=carl.pk).update(home=japan)
    response = adas_browser.post(f"{ORDERS}export/", {"rows": "item", "file_format": "csv"})
    [row] = csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig")))
    headers = ("pickup point", "labels", "customer home", "customer interests")
    assert [row[name] for name in headers] == ["'=Japan", "gift; mug", "'=Japan", "gift; mug"]


@pytest.mark.parametrize("number", [1, 3])
def test_packing_slips_name_related_records(ada, create_order, statements, number):
    orders = [create_order() for _ in range(number)]
    with statements(4):
        printed = record_printing(order_ids=keys(orders), actor=ada, what="Printed")
        slips = [build_packing_slip(details.order, details.items) for details in printed]
    assert {slip.note for slip in slips} == {"Pickup point: =Japan\nLabels: gift, mug"}


def test_personal_data_names_and_empties_relations(ada, carl, tags, japan, create_order):
    order = world.move_along(create_order(), "delivered", by=ada)
    carl.interests.set(tags)
    User.objects.filter(pk=carl.pk).update(home=japan)
    data = json.loads(export_personal_data(user_id=carl.pk, actor=ada))
    [person], [exported] = data["person"], data["orders"]
    assert (person["home"], person["interests"]) == ("=Japan", ["gift", "mug"])
    assert (exported["pickup_point"], exported["labels"]) == ("=Japan", ["gift", "mug"])
    erase_personal_data(user_id=carl.pk, actor=ada)
    carl.refresh_from_db()
    order.refresh_from_db()
    assert (carl.home, order.pickup_point) == (None, None)
    assert (keys(carl.interests.all()), keys(order.labels.all())) == ([], [])


@pytest.mark.parametrize("path", ["order/add/", "user/add/", "user/{}/change/"])
def test_forms_find_related_records_by_typing(
    adas_browser, carl, create_country, create_tag, django_assert_num_queries, path
):
    url = "/admin/shop/" + path.format(carl.pk)
    adas_browser.get(url)
    with CaptureQueriesContext(connection) as few:
        adas_browser.get(url)
    for number in range(3):
        create_country(f"Far away {number}")
        create_tag(f"Hobby {number}")
    with django_assert_num_queries(len(few)):
        page = adas_browser.get(url).content.decode()
    assert "Far away" not in page
    assert "Hobby" not in page
