"""The pages "Receive goods" and "Count stock"."""

import json

import pytest
from support import factories

from shop.admin.change_sets.admin import CHANGE_PERMISSIONS
from shop.admin.products import stock_forms
from shop.admin.products.permissions import STOCK_PERMISSION
from shop.models import ChangeSet, Product
from shop.models.products import MAX_STOCK
from shop.services.goods import Count, book_count, receive_goods
from shop.services.orders import place_order
from shop.services.stock import find_drift
from shop.services.stock_since import products_with_movement

LIST = "/admin/shop/product/"
RECEIVE, COUNT, LOOKUP = f"{LIST}receive/", f"{LIST}count/", f"{LIST}lookup/"
CODENAME = STOCK_PERMISSION.partition(".")[2]


def send(browser, url, rows, **values):
    return browser.post(url, {"rows": json.dumps(rows), "once": "key", **values}, follow=True)


def counted(product, units):
    product = products_with_movement().get(pk=product.pk)
    return [product.pk, units, product.stock, product.newest_movement]


def stocks():
    return dict(Product.objects.values_list("sku", "stock"))


def levels(response):
    return [message.level_tag for message in response.context["messages"]]


def error_codes(response):
    errors = response.context["form"].errors.as_data()
    return [error.code for field in errors.values() for error in field]


def shown_rows(response):
    return [(row["sku"], row["quantity"]) for row in response.context["state"]["rows"]]


@pytest.fixture
def shelf(mug, lamp):
    Product.objects.filter(pk=lamp.pk).update(barcode="4006381333931")
    return factories.create_product("Mug rack", sku="RACK-1", stock=0)


# Rights


@pytest.mark.parametrize("url", [RECEIVE, COUNT, LOOKUP])
def test_the_stock_room_takes_its_right(staff_client_with, mug, url):
    browser = staff_client_with("view_product")
    before = factories.all_rows()
    assert browser.get(url, {"code": "MUG-1"}).status_code == 403
    rows = {RECEIVE: [[mug.pk, 1]], COUNT: [counted(mug, 1)], LOOKUP: []}[url]
    assert send(browser, url, rows, confirmed="1").status_code == 403
    assert factories.all_rows() == before
    Product.objects.filter(pk=mug.pk).update(stock=10)


def test_who_has_the_right_receives_counts_and_undoes(staff_client_with, mug):
    browser = staff_client_with(CODENAME, "view_changeset")
    response = send(browser, RECEIVE, [[mug.pk, 2]])
    assert (response.redirect_chain[0][0], levels(response)) == (f"{RECEIVE}?done=key", ["success"])
    send(browser, COUNT, [counted(mug, 11)], once="other", confirmed="1")
    assert stocks() == {"MUG-1": 11}
    for change_set in ChangeSet.objects.all():
        assert CHANGE_PERMISSIONS[change_set.kind] == STOCK_PERMISSION
        browser.post(f"/admin/shop/changeset/{change_set.pk}/undo/")
    assert (stocks(), list(find_drift())) == ({"MUG-1": 10}, [])


def test_the_pages_are_found_by_who_may_see_them(staff_client_with, mug):
    titles = {"Receive goods", "Count stock"}
    for codenames, expected in ((["view_product"], set()), ([CODENAME], titles)):
        browser = staff_client_with(*codenames)
        html = browser.get("/admin/").content.decode()
        assert {title for title in titles if title in html} == expected
        for title in titles:
            results = browser.get("/admin/search/", {"s": title.lower()[:6]}).context
            found = {result.title for result in (results or {}).get("results", ())}
            assert found & titles == expected & {title}
        factories.User.objects.get(email="cleo@example.com").delete()


def test_the_camera_is_allowed_on_these_pages_only(adas_browser, mug):
    for url in (RECEIVE, COUNT):
        assert "camera=(self)" in adas_browser.get(url)["Permissions-Policy"]
    assert "camera=()" in adas_browser.get(LIST)["Permissions-Policy"]


# Receive goods


def test_a_delivery_is_received(adas_browser, ada, mug, lamp):
    values = {"supplier": "Kiln", "delivery_note": "4711"}
    response = send(adas_browser, RECEIVE, [[mug.pk, 12], [lamp.pk, 0]], **values)
    receipt = ChangeSet.objects.get()
    assert (receipt.kind, receipt.supplier, receipt.delivery_note) == ("receipt", "Kiln", "4711")
    assert receipt.actor == ada
    (message,) = factories.page_messages(response)
    assert f"/admin/shop/changeset/{receipt.pk}/change/" in message
    assert (stocks(), list(find_drift())) == ({"MUG-1": 22, "LAMP-1": 5}, [])
    assert response.context["state"]["done"] == "key"
    assert response.context["suppliers"] == ["Kiln"]


def test_a_delivery_sent_twice_is_received_once(adas_browser, mug):
    for level in ("success", "info"):
        response = send(adas_browser, RECEIVE, [[mug.pk, 12]])
        assert (levels(response), stocks()) == ([level], {"MUG-1": 22})
    other = send(adas_browser, RECEIVE, [[mug.pk, 13]])
    assert (shown_rows(other), stocks()) == ([("MUG-1", 13)], {"MUG-1": 22})
    assert len(other.context["form"].non_field_errors()) == 1


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("[", "malformed"),
        ("{}", "malformed"),
        ("[[1]]", "malformed"),
        ('[[1, "5"]]', "malformed"),
        ("[[1, 1.5]]", "malformed"),
        ("[[1, true]]", "malformed"),
        ("[[-1, 1]]", "malformed"),
        (f"[[{2**63}, 1]]", "malformed"),
        (f"[[1, {2**63}]]", "malformed"),
        ("[[1, NaN]]", "malformed"),
        ("[[1, 1], [1, 2]]", "malformed"),
        ("\0", "malformed"),
        ("[[MUG, -1]]", "quantity"),
        (f"[[MUG, {MAX_STOCK + 1}]]", "quantity"),
        (f"[[MUG, {MAX_STOCK}]]", "stock_bounds"),
        ("[[MUG, 1], [987654, 1]]", "gone"),
        ("[[MUG, 0]]", "unchanged"),
        ("", "unchanged"),
    ],
)
def test_an_invalid_delivery_changes_nothing(adas_browser, mug, lamp, rows, code):
    before = factories.all_rows()
    rows = rows.replace("MUG", str(mug.pk))
    response = adas_browser.post(RECEIVE, {"rows": rows, "once": "key"})
    assert (response.status_code, error_codes(response)) == (200, [code])
    assert factories.all_rows() == before


def test_a_refusal_names_the_products_and_keeps_the_rows(adas_browser, mug, lamp):
    response = send(adas_browser, RECEIVE, [[lamp.pk, -1], [mug.pk, 3]])
    (error,) = response.context["form"].non_field_errors()
    assert "Lamp" in error
    assert shown_rows(response) == [("LAMP-1", -1), ("MUG-1", 3)]
    assert response.context["state"]["isPosted"] is True


def test_a_deleted_product_leaves_the_rows(adas_browser, mug, lamp):
    response = send(adas_browser, RECEIVE, [[987654, 1], [mug.pk, 3]])
    assert (error_codes(response), shown_rows(response)) == (["gone"], [("MUG-1", 3)])


def test_at_most_so_many_rows(adas_browser, mug, lamp, monkeypatch):
    monkeypatch.setattr(stock_forms, "MAX_ROWS", 1)
    response = send(adas_browser, RECEIVE, [[mug.pk, 1], [lamp.pk, 1]])
    assert error_codes(response) == ["too_many"]
    assert stocks() == {"MUG-1": 10, "LAMP-1": 5}


def test_a_delivery_note_that_came_before_is_asked_about(adas_browser, ada, mug):
    first = receive_goods(units={mug.pk: 1}, actor=ada, supplier="Kiln", delivery_note="4711")
    values = {"supplier": "kiln", "delivery_note": "4711"}
    response = send(adas_browser, RECEIVE, [[mug.pk, 2]], **values)
    assert response.context["receipts"] == [first]
    assert (shown_rows(response), stocks()) == ([("MUG-1", 2)], {"MUG-1": 11})
    again = send(adas_browser, RECEIVE, [[mug.pk, 2]], **values, confirmed="1")
    assert (levels(again), stocks()) == (["success"], {"MUG-1": 13})


@pytest.mark.parametrize(("action", "url"), [("receive", RECEIVE), ("count", COUNT)])
def test_the_selection_of_the_list_fills_the_table(adas_browser, mug, lamp, action, url):
    data = {"action": action, "_selected_action": [mug.pk, lamp.pk]}
    before = factories.all_rows()
    response = adas_browser.post(LIST, data)
    assert [row["sku"] for row in response.context["state"]["selected"]] == ["LAMP-1", "MUG-1"]
    assert response.context["url"] == url
    assert factories.all_rows() == before


@pytest.mark.parametrize("number", [1, 3])
def test_queries_of_the_pages_do_not_grow(adas_browser, mug, lamp, shelf, statements, number):
    products = list(Product.objects.order_by("pk")[:number])
    adas_browser.get(LIST)
    rows = [counted(product, product.stock + 1) for product in products]
    for url, sent, values, count in (
        (RECEIVE, [[p.pk, 1] for p in products], {}, RECEIVE_STATEMENTS),
        (RECEIVE, [[p.pk, -1] for p in products], {}, REFUSE_STATEMENTS),
        (COUNT, rows, {}, REVIEW_STATEMENTS),
    ):
        with statements(count):
            adas_browser.post(url, {"rows": json.dumps(sent), **values})


RECEIVE_STATEMENTS, REFUSE_STATEMENTS, REVIEW_STATEMENTS = 13, 5, 5

# Count stock


def test_differences_are_reviewed_and_then_booked(adas_browser, mug, lamp, shelf):
    rows = [counted(mug, 8), counted(lamp, 5), counted(shelf, 3)]
    before = factories.all_rows()
    review = send(adas_browser, COUNT, rows, note="Shelf A")
    assert factories.all_rows() == before
    shown = [
        (row["product"].sku, row["count"].expected, row["count"].counted, row["delta"])
        for row in review.context["differences"]
    ]
    assert shown == [("MUG-1", 10, 8, "-2"), ("RACK-1", 0, 3, "+3")]
    assert review.context["same"] == 1

    hidden = dict(review.context["hidden"])
    form = review.context["form"]
    booked = adas_browser.post(
        COUNT, {**hidden, "rows": form["rows"].value(), "note": form["note"].value()}, follow=True
    )
    assert (levels(booked), booked.context["state"]["done"]) == (["success"], "key")
    assert stocks() == {"MUG-1": 8, "LAMP-1": 5, "RACK-1": 3}
    change_set = ChangeSet.objects.get()
    assert (change_set.kind, change_set.name, change_set.rows_total) == ("count", "Shelf A", 2)
    assert list(find_drift()) == []


def test_nothing_is_booked_if_all_is_as_expected(adas_browser, mug, lamp):
    for confirmed in ({}, {"confirmed": "1"}):
        response = send(adas_browser, COUNT, [counted(mug, 10), counted(lamp, 5)], **confirmed)
        assert ChangeSet.objects.count() == 0
        if not confirmed:
            assert (levels(response), response.context["state"]["done"]) == (["success"], "key")


def test_a_count_sent_twice_is_booked_once(adas_browser, mug):
    rows = [counted(mug, 8)]
    for level in ("success", "info"):
        assert levels(send(adas_browser, COUNT, rows, confirmed="1")) == [level]
    assert stocks() == {"MUG-1": 8}


def test_what_was_sold_meanwhile_is_named_and_stays_sold(adas_browser, ada, carl, mug, lamp):
    rows = [counted(mug, 9), counted(lamp, 4)]
    factories.add_to_cart(carl, (mug, 2), (lamp, 1))
    place_order(user=carl, shipping_address="1 Street")
    receive_goods(units={lamp.pk: 3}, actor=ada)
    review = send(adas_browser, COUNT, rows)
    named = [
        (row["product"].sku, row["has_moved"], row["only_sold"], row["sold"], row["after"])
        for row in review.context["differences"]
    ]
    assert named == [("MUG-1", True, True, 2, 7), ("LAMP-1", True, False, 1, 6)]
    send(adas_browser, COUNT, rows, confirmed="1")
    assert stocks() == {"MUG-1": 7, "LAMP-1": 6}


def test_what_someone_else_has_counted_must_be_counted_again(adas_browser, ada, mug, lamp):
    rows = [counted(mug, 9), counted(lamp, 4)]
    book_count(counts={mug.pk: Count(*rows[0][1:])}, actor=ada)
    response = send(adas_browser, COUNT, rows, confirmed="1")
    assert error_codes(response) == ["counted_twice"]
    assert stocks() == {"MUG-1": 9, "LAMP-1": 5}
    assert shown_rows(response) == [("MUG-1", None), ("LAMP-1", 4)]
    first, second = response.context["state"]["rows"]
    assert (first["stock"], first["seen"]) == (9, counted(mug, 0)[3])
    assert [second["stock"], second["seen"]] == rows[1][2:]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("[[MUG, 1]]", "malformed"),
        ("[[MUG, 1, 1, null]]", "malformed"),
        ("[[MUG, -1, 10, 0]]", "quantity"),
        ("[[MUG, 0, 11, 99999999]]", "stock_bounds"),
        (f"[[MUG, {MAX_STOCK}, 9, 99999999]]", "stock_bounds"),
        ("[[987654, 1, 1, 0]]", "gone"),
    ],
)
def test_an_invalid_count_changes_nothing(adas_browser, mug, rows, code):
    before = factories.all_rows()
    data = {"rows": rows.replace("MUG", str(mug.pk)), "once": "key", "confirmed": "1"}
    response = adas_browser.post(COUNT, data)
    assert (response.status_code, error_codes(response)) == (200, [code])
    assert factories.all_rows() == before


def test_the_count_of_one_product_labels_no_hidden_field(adas_browser, mug):
    html = adas_browser.get(f"{LIST}{mug.pk}/count/").content.decode()
    assert 'name="expected"' in html
    assert 'for="id_expected"' not in html
