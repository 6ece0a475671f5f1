"""Exporting from the lists: who may, what goes out, and that a page costs the same with one row and three."""

import re

import pytest
from django.core.cache import cache
from django.utils import timezone
from support import factories

from shop.admin import exports
from shop.models import Order, Product
from shop.services.orders import place_order

PRODUCTS, ORDERS = "/admin/shop/product/", "/admin/shop/order/"
OWN = {"layout": "own", "file_format": "csv"}


def rows(answer):
    """The SKUs or order numbers of a CSV, which are quoted cells without quotation marks."""
    assert answer.streaming
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return [[cell.strip('"') for cell in line.split(",")] for line in text.splitlines()[1:]]


def skus(answer):
    return [row[1] for row in rows(answer)]


@pytest.fixture
def order(carl, mug):
    factories.add_to_cart(carl, (mug, 2))
    return place_order(user=carl, shipping_address="1 Street").order


def test_the_lists_lead_to_the_page_with_their_filter(adas_browser, mug, order):
    for address in (PRODUCTS, ORDERS):
        page = adas_browser.get(address, {"q": "u", "p": "1"}).content.decode()
        assert re.findall(r'href="([^"]*export/[^"]*)"', page) == [f"{address}export/?q=u"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["MUG-1", "LAMP-1"]),
        ("?q=lamp", ["LAMP-1"]),
        ("?level=out", []),
        ("?is_active__exact=1", None),
    ],
)
def test_what_the_list_shows_goes_out(adas_browser, mug, lamp, query, found):
    asked = adas_browser.get(f"{PRODUCTS}export/{query}")
    expected = ["MUG-1", "LAMP-1"] if found is None else found
    count = f"{len(expected)} product{'' if len(expected) == 1 else 's'}"
    assert (asked.context["button"], asked.context["back"]) == (f"Export {count}", PRODUCTS + query)
    answer = adas_browser.post(f"{PRODUCTS}export/{query}", OWN)
    assert skus(answer) == expected
    assert answer["Content-Type"] == "text/csv; charset=utf-8"


def test_all_pages_go_out(adas_browser, mug):
    Product.objects.bulk_create(Product(name="Cup", sku=f"CUP-{n}", price=1) for n in range(30))
    answer = adas_browser.post(f"{PRODUCTS}export/?q=cup", OWN)
    assert skus(answer) == [f"CUP-{n}" for n in range(30)]


def test_the_file_is_named_for_the_day(adas_browser, mug, monkeypatch):
    day = timezone.datetime(2026, 11, 22).date()
    monkeypatch.setattr(exports.timezone, "localdate", lambda: day)
    for kind in ("csv", "xlsx"):
        answer = adas_browser.post(f"{PRODUCTS}export/", OWN | {"file_format": kind})
        assert answer["Content-Disposition"] == f'attachment; filename="products-2026-11-22.{kind}"'
        assert b"".join(answer.streaming_content)[:2] == (b"PK" if kind == "xlsx" else b"\xef\xbb")
    assert answer["Content-Type"] == exports.TYPES["xlsx"]


def test_pictures_go_out_with_their_address(adas_browser, mug):
    Product.objects.update(image="products/a b.webp")
    [row] = rows(adas_browser.post(f"{PRODUCTS}export/", OWN))
    assert row[4] == "http://testserver/media/products/a%20b.webp"


def test_what_is_ticked_goes_out_after_the_page_has_asked(adas_browser, mug, lamp):
    sent = {"action": "export_selected", "_selected_action": [lamp.pk], "select_across": "0"}
    asked = adas_browser.post(f"{PRODUCTS}?q=la", sent)
    assert asked.context["button"] == "Export 1 product"
    assert asked.context["back"] == f"{PRODUCTS}?q=la"
    hidden = {"action": "", "_selected_action": [], "select_across": ""}
    for name, value in asked.context["hidden"]:
        hidden[name] = [value] if name == "_selected_action" else value
    assert skus(adas_browser.post(f"{PRODUCTS}?q=la", hidden | OWN)) == ["LAMP-1"]
    across = hidden | OWN | {"select_across": "1"}
    assert skus(adas_browser.post(PRODUCTS, across)) == ["MUG-1", "LAMP-1"]


@pytest.mark.parametrize(
    ("layout", "header"),
    [("own", '"name","SKU"'), ("shopify", '"Title","URL handle"'), ("woocommerce", '"ID","Type"')],
)
def test_the_layout_is_chosen(adas_browser, mug, layout, header):
    answer = adas_browser.post(f"{PRODUCTS}export/", {"layout": layout, "file_format": "csv"})
    assert next(iter(answer.streaming_content)).decode("utf-8-sig").startswith(header)


@pytest.mark.parametrize("wrong", [{"layout": "amazon"}, {"file_format": "pdf"}, {"layout": ""}])
def test_an_unknown_kind_of_file_is_asked_again(adas_browser, mug, wrong):
    answer = adas_browser.post(f"{PRODUCTS}export/", OWN | wrong)
    assert list(answer.context["form"].errors) == list(wrong)


def test_a_workbook_that_cannot_hold_all_rows_is_not_begun(
    adas_browser, carl, mug, lamp, monkeypatch
):
    factories.add_to_cart(carl, (mug, 1), (lamp, 1))
    place_order(user=carl, shipping_address="1 Street")
    monkeypatch.setattr(exports, "MAX_XLSX_ROWS", 1)
    answer = adas_browser.post(f"{ORDERS}export/", {"file_format": "xlsx"})
    said = "A spreadsheet holds 1 rows. Take CSV, or choose fewer."
    assert answer.context["form"].errors == {"file_format": [said]}
    assert len(rows(adas_browser.post(f"{ORDERS}export/", {"file_format": "csv"}))) == 2


def test_orders_go_out_by_link_and_by_tick(adas_browser, order):
    assert [
        row[0] for row in rows(adas_browser.post(f"{ORDERS}export/", {"file_format": "csv"}))
    ] == [order.order_number]
    assert (
        rows(adas_browser.post(f"{ORDERS}export/?status__exact=shipped", {"file_format": "csv"}))
        == []
    )
    sent = {"action": "export_selected", "_selected_action": [order.pk], "file_format": "csv"}
    assert [row[0] for row in rows(adas_browser.post(ORDERS, sent))] == [order.order_number]


def test_a_filter_that_makes_no_sense_leads_back_to_the_list(adas_browser, mug):
    answer = adas_browser.get(f"{PRODUCTS}export/?nonsense=1")
    assert (answer.status_code, answer["Location"]) == (302, f"{PRODUCTS}?e=1")


@pytest.mark.parametrize(
    ("address", "right", "may"),
    [
        (PRODUCTS, "view_product", True),
        (PRODUCTS, "view_order", False),
        (ORDERS, "view_order", False),
        (ORDERS, "change_order", True),
    ],
)
def test_only_with_the_right(clerk_with, mug, order, address, right, may):
    browser = clerk_with(right)
    answer = browser.post(f"{address}export/", OWN)
    assert answer.status_code == (200 if may else 403)
    assert browser.get(f"{address}export/").status_code == answer.status_code
    listed = browser.get(address)
    assert ("export/" in listed.content.decode()) is may
    chosen = (Product if address == PRODUCTS else Order).objects.get().pk
    sent = {"action": "export_selected", "_selected_action": [chosen], **OWN}
    assert browser.post(address, sent).streaming is may


def test_customers_and_strangers_get_nothing(client, carl, mug):
    for browser in (client, factories.staff_client(carl)):
        assert browser.post(f"{PRODUCTS}export/", OWN).status_code == 302


def test_it_changes_nothing(adas_browser, order):
    before = factories.all_rows()
    list(adas_browser.post(f"{PRODUCTS}export/", OWN).streaming_content)
    list(adas_browser.post(f"{ORDERS}export/", {"file_format": "xlsx"}).streaming_content)
    assert factories.all_rows() == before


@pytest.mark.parametrize("number", [1, 3])
def test_the_cost_does_not_grow(adas_browser, carl, statements, number):
    for n in range(number):
        item = factories.create_product(f"Mug {n}", sku=f"M-{n}")
        factories.add_to_cart(carl, (item, 1))
        place_order(user=carl, shipping_address="1 Street")
    cache.clear()
    with statements(5):  # session, person, what the search finds, how many, the sidebar's counts
        adas_browser.get(f"{PRODUCTS}export/?q=mug")
    with statements(3):  # session, person, the rows
        assert len(rows(adas_browser.post(f"{PRODUCTS}export/", OWN))) == number
    with statements(3):
        assert len(rows(adas_browser.post(f"{ORDERS}export/", {"file_format": "csv"}))) == number
