"""Export from the admin's lists: permissions, filters, files, failures and query counts."""

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
ITEMS = {"rows": "item", "file_format": "csv"}


def csv_rows(response):
    """Return the data rows of a CSV response."""
    assert response.streaming
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return [[cell.strip('"') for cell in line.split(",")] for line in text.splitlines()[1:]]


def skus(response):
    return [row[1] for row in csv_rows(response)]


@pytest.fixture
def order(carl, mug):
    factories.add_to_cart(carl, (mug, 2))
    return place_order(user=carl, shipping_address="1 Street").order


def test_list_links_to_the_export_with_its_filters(adas_browser, mug, order):
    for url in (PRODUCTS, ORDERS):
        page = adas_browser.get(url, {"q": "u", "p": "1"}).content.decode()
        assert re.findall(r'href="([^"]*export/[^"]*)"', page) == [f"{url}export/?q=u"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["MUG-1", "LAMP-1"]),
        ("?q=lamp", ["LAMP-1"]),
        ("?level=out", []),
        ("?is_active__exact=1", ["MUG-1", "LAMP-1"]),
    ],
)
def test_filtered_list_is_exported(adas_browser, mug, lamp, query, expected):
    form_page = adas_browser.get(f"{PRODUCTS}export/{query}")
    count = f"{len(expected)} product{'' if len(expected) == 1 else 's'}"
    assert (form_page.context["button"], form_page.context["back"]) == (
        f"Export {count}",
        PRODUCTS + query,
    )
    response = adas_browser.post(f"{PRODUCTS}export/{query}", OWN)
    assert skus(response) == expected
    assert response["Content-Type"] == "text/csv; charset=utf-8"


def test_all_pages_are_exported(adas_browser, mug):
    Product.objects.bulk_create(Product(name="Cup", sku=f"CUP-{n}", price=1) for n in range(30))
    response = adas_browser.post(f"{PRODUCTS}export/?q=cup", OWN)
    assert skus(response) == [f"CUP-{n}" for n in range(30)]


def test_file_name_has_the_date(adas_browser, mug, monkeypatch):
    day = timezone.datetime(2026, 11, 22).date()
    monkeypatch.setattr(exports.timezone, "localdate", lambda: day)
    for kind in ("csv", "xlsx"):
        response = adas_browser.post(f"{PRODUCTS}export/", OWN | {"file_format": kind})
        assert (
            response["Content-Disposition"] == f'attachment; filename="products-2026-11-22.{kind}"'
        )
        assert b"".join(response.streaming_content)[:2] == (
            b"PK" if kind == "xlsx" else b"\xef\xbb"
        )
    assert response["Content-Type"] == exports.CONTENT_TYPES["xlsx"]


def test_pictures_are_exported_as_urls(adas_browser, mug):
    Product.objects.update(image="products/a b.webp")
    [row] = csv_rows(adas_browser.post(f"{PRODUCTS}export/", OWN))
    assert row[5] == "http://testserver/media/products/a%20b.webp"


def test_selected_products_are_exported_after_the_form(adas_browser, mug, lamp):
    sent = {"action": "export_selected", "_selected_action": [lamp.pk], "select_across": "0"}
    form_page = adas_browser.post(f"{PRODUCTS}?q=la", sent)
    assert form_page.context["button"] == "Export 1 product"
    assert form_page.context["back"] == f"{PRODUCTS}?q=la"
    hidden = {"action": "", "_selected_action": [], "select_across": ""}
    for name, value in form_page.context["hidden"]:
        hidden[name] = [value] if name == "_selected_action" else value
    assert skus(adas_browser.post(f"{PRODUCTS}?q=la", hidden | OWN)) == ["LAMP-1"]
    across = hidden | OWN | {"select_across": "1"}
    assert skus(adas_browser.post(PRODUCTS, across)) == ["MUG-1", "LAMP-1"]


@pytest.mark.parametrize(
    ("layout", "header"),
    [("own", '"name","SKU"'), ("shopify", '"Title","URL handle"'), ("woocommerce", '"ID","Type"')],
)
def test_layout_option(adas_browser, mug, layout, header):
    response = adas_browser.post(f"{PRODUCTS}export/", {"layout": layout, "file_format": "csv"})
    assert b"".join(response.streaming_content).decode("utf-8-sig").startswith(header)


@pytest.mark.parametrize("wrong", [{"layout": "amazon"}, {"file_format": "pdf"}, {"layout": ""}])
def test_invalid_option_shows_the_form_again(adas_browser, mug, wrong):
    response = adas_browser.post(f"{PRODUCTS}export/", OWN | wrong)
    assert list(response.context["form"].errors) == list(wrong)


def test_xlsx_with_too_many_rows_is_refused(adas_browser, carl, mug, lamp, monkeypatch):
    factories.add_to_cart(carl, (mug, 1), (lamp, 1))
    place_order(user=carl, shipping_address="1 Street")
    monkeypatch.setattr(exports, "MAX_XLSX_ROWS", 1)
    response = adas_browser.post(f"{ORDERS}export/", ITEMS | {"file_format": "xlsx"})
    assert list(response.context["form"].errors) == ["file_format"]
    assert len(csv_rows(adas_browser.post(f"{ORDERS}export/", ITEMS))) == 2


def test_orders_are_exported_by_filter_and_by_selection(adas_browser, order):
    assert [row[0] for row in csv_rows(adas_browser.post(f"{ORDERS}export/", ITEMS))] == [
        order.order_number
    ]
    assert csv_rows(adas_browser.post(f"{ORDERS}export/?status__exact=shipped", ITEMS)) == []
    sent = {"action": "export_selected", "_selected_action": [order.pk], **ITEMS}
    assert [row[0] for row in csv_rows(adas_browser.post(ORDERS, sent))] == [order.order_number]


def test_invalid_filter_redirects_to_the_list(adas_browser, mug):
    response = adas_browser.get(f"{PRODUCTS}export/?nonsense=1")
    assert (response.status_code, response["Location"]) == (302, f"{PRODUCTS}?e=1")


@pytest.mark.parametrize(
    ("url", "permission", "allowed"),
    [
        (PRODUCTS, "view_product", True),
        (PRODUCTS, "view_order", False),
        (ORDERS, "view_order", False),
        (ORDERS, "change_order", False),
        (ORDERS, "export_order", True),
    ],
)
def test_export_needs_the_permission(staff_client_with, mug, order, url, permission, allowed):
    viewed = ("view_order",) if url == ORDERS else ()
    browser, status = staff_client_with(permission, *viewed), 200 if allowed else 403
    response = browser.post(f"{url}export/", OWN | ITEMS)
    assert response.status_code == status
    b"".join(response)  # closes the file
    assert browser.get(f"{url}export/").status_code == status
    assert ("export/" in browser.get(url).content.decode()) is allowed
    chosen = (Product if url == PRODUCTS else Order).objects.get().pk
    sent = {"action": "export_selected", "_selected_action": [chosen], **OWN, **ITEMS}
    response = browser.post(url, sent)
    assert response.streaming is allowed
    b"".join(response)


def test_customers_and_anonymous_users_are_refused(client, carl, mug):
    for browser in (client, factories.staff_client(carl)):
        assert browser.post(f"{PRODUCTS}export/", OWN).status_code == 302


def test_export_changes_nothing(adas_browser, order):
    before = factories.all_rows()
    list(adas_browser.post(f"{PRODUCTS}export/", OWN).streaming_content)
    list(adas_browser.post(f"{ORDERS}export/", ITEMS | {"file_format": "xlsx"}).streaming_content)
    assert factories.all_rows() == before


@pytest.mark.parametrize("number", [1, 3])
def test_query_count_does_not_grow(adas_browser, carl, statements, number):
    for n in range(number):
        item = factories.create_product(f"Mug {n}", sku=f"M-{n}")
        factories.add_to_cart(carl, (item, 1))
        place_order(user=carl, shipping_address="1 Street")
    cache.clear()
    with statements(5):  # session, person, what the search finds, how many, the sidebar's counts
        adas_browser.get(f"{PRODUCTS}export/?q=mug")
    with statements(3):  # session, person, the rows
        assert len(csv_rows(adas_browser.post(f"{PRODUCTS}export/", OWN))) == number
    with statements(4):  # and the tax rates
        assert len(csv_rows(adas_browser.post(f"{ORDERS}export/", ITEMS))) == number


def test_a_download_tells_its_page_that_it_has_come(adas_browser, mug):
    form = adas_browser.get(f"{PRODUCTS}export/")
    assert exports.DOWNLOAD_COOKIE not in form.cookies
    response = adas_browser.post(f"{PRODUCTS}export/", OWN)
    assert len(csv_rows(response)) == 1
    cookie = response.cookies[exports.DOWNLOAD_COOKIE]
    assert cookie.value == f"products-{timezone.localdate()}.csv"
    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == ("/admin/", "Strict", "")
