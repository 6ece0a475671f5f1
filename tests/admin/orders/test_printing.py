import io
import re

import pytest
from django.test import Client
from pypdf import PdfReader
from support import factories

from shop import exposure
from shop.documents.order_documents import KINDS
from shop.models import Order, OrderEvent
from shop.services import orders as order_service
from shop.services.orders import place_order

ORDERS_URL = "/admin/shop/order/"


@pytest.fixture
def place_orders(carl, mug, lamp):
    """`place_orders(3)`: three orders of Carl's, each of two mugs and a lamp, by order number."""

    def make(count, address="1 Fern Road\nKew"):
        for _ in range(count):
            factories.add_to_cart(carl, (mug, 2), (lamp, 1))
            place_order(user=carl, shipping_address=address, note="Ring twice")
        return list(Order.objects.order_by("order_number"))

    return make


def print_order(browser, order, kind, **data):
    return browser.post(f"{ORDERS_URL}{order.pk}/print/{kind}/", data)


def print_selection(browser, orders, kind, **data):
    action = {
        "action": f"print_{kind.replace(' ', '_')}s",
        "_selected_action": [order.pk for order in orders],
    }
    return browser.post(ORDERS_URL, action | data)


def pdf_pages(response):
    """Return the lines of text of each page of the PDF."""
    assert response["Content-Type"] == "application/pdf"
    reader = PdfReader(io.BytesIO(response.content), strict=True)
    return [[line.strip() for line in page.extract_text().splitlines()] for page in reader.pages]


def printed_events():
    events = OrderEvent.objects.filter(kind="printed")
    return sorted(events.values_list("note", "order_id", "actor__email", "is_internal"))


def test_a_selection_is_one_print_job(adas_browser, place_orders):
    orders = place_orders(3)
    page = print_selection(adas_browser, orders, "packing slip").content.decode()
    assert re.findall("<h1>(.+)</h1>", page) == [f"Packing slip {order}" for order in orders]
    assert page.index("LAMP-1") < page.index("MUG-1")
    assert "25.00" not in page
    assert printed_events() == sorted(
        ("Packing slip printed", order.pk, "ada@example.com", True) for order in orders
    )


def test_an_invoice_has_prices(adas_browser, place_orders):
    [order] = place_orders(1)
    page = print_order(adas_browser, order, "invoice").content.decode()
    numbers = re.findall('<td class="number">(.+?)</td>', page)
    assert numbers == ["1", "49.90", "49.90", "2", "12.50", "25.00"]
    assert "74.90 EUR" in page
    assert "Cash on delivery, not yet paid" in page
    assert printed_events() == [("Invoice printed", order.pk, "ada@example.com", True)]


def test_a_packing_slip_as_pdf(adas_browser, settings, place_orders):
    settings.SHOP_NAME, settings.SHOP_IMPRINT = "Fern & Ember", "Fern & Ember Ltd, Kew"
    [order] = place_orders(1)
    response = print_order(adas_browser, order, "packing slip", pdf="1")
    assert response["Content-Disposition"] == f'attachment; filename="packing-slip-{order}.pdf"'
    [lines] = pdf_pages(response)
    assert {"Fern & Ember", f"Packing slip {order}", "Carl Buyer", "1 Fern Road", "Kew"} <= {*lines}
    assert {"Customer's note: Ring twice", "Fern & Ember Ltd, Kew", "3 units"} <= {*lines}
    assert lines.index("LAMP-1") < lines.index("MUG-1")
    assert "49.90" not in lines
    assert printed_events() == [
        ("Packing slip downloaded as PDF", order.pk, "ada@example.com", True)
    ]


def test_an_invoice_as_pdf(adas_browser, place_orders):
    [order] = place_orders(1)
    Order.objects.update(payment_status="paid")
    [lines] = pdf_pages(print_order(adas_browser, order, "invoice", pdf="1"))
    amounts = [line for line in lines if "." in line]
    assert amounts == ["49.90", "49.90", "12.50", "25.00", "74.90 EUR"]
    assert "Cash on delivery, paid" in lines
    assert not any("Ring twice" in line for line in lines)


def test_a_selection_is_one_pdf_with_a_page_per_order(adas_browser, place_orders):
    orders = place_orders(3)
    response = print_selection(adas_browser, orders, "invoice", pdf="1")
    name = re.fullmatch(r'attachment; filename="(.+)"', response["Content-Disposition"])[1]
    assert re.fullmatch(r"invoices-\d{4}-\d\d-\d\d\.pdf", name)
    assert [order.order_number for order in orders] == [
        lines[lines.index("Order") + 1] for lines in pdf_pages(response)
    ]
    assert len(printed_events()) == 3


def test_the_print_page_posts_its_selection_for_the_pdf(adas_browser, place_orders):
    orders = place_orders(3)
    page = print_selection(adas_browser, orders[:2], "invoice").content.decode()
    hidden = re.findall(
        '<input type="hidden" name="(action|_selected_action)" value="(.+?)">', page
    )
    assert hidden == [
        ("action", "print_invoices"),
        *(("_selected_action", str(o.pk)) for o in orders[:2]),
    ]
    assert f'action="{ORDERS_URL}"' in page


def test_names_and_addresses_of_other_scripts_are_in_the_pdf(adas_browser, place_orders):
    address = "Ängelholm, Łódź, Őr, Știrbei, Αθήνα, Київ, Жмеринка\n東京都港区1-1"
    [order] = place_orders(1, address)
    [lines] = pdf_pages(print_order(adas_browser, order, "packing slip", pdf="1"))
    assert "Ängelholm, Łódź, Őr, Știrbei, Αθήνα, Київ, Жмеринка" in " ".join(lines)
    assert "東京都港区1-1" in lines


@pytest.mark.parametrize("kind", KINDS)
def test_the_title_of_a_cancelled_order(adas_browser, place_orders, kind):
    [order] = place_orders(1)
    Order.objects.update(status="cancelled")
    title = f"{kind.capitalize()} {order}, cancelled"
    assert f"<h1>{title}</h1>" in print_order(adas_browser, order, kind).content.decode()
    [lines] = pdf_pages(print_order(adas_browser, order, kind, pdf="1"))
    assert title in " ".join(lines)


@pytest.mark.parametrize("data", [{}, {"pdf": "1"}])
@pytest.mark.parametrize("kind", KINDS)
def test_printing_adds_an_event_and_nothing_else(adas_browser, place_orders, kind, data):
    [order] = place_orders(1)
    before = factories.all_rows()
    response = adas_browser.get(f"{ORDERS_URL}{order.pk}/print/{kind}/")
    assert response.context["second_button"] == ("pdf", "Download PDF")
    assert factories.all_rows() == before
    print_order(adas_browser, order, kind, **data)
    print_selection(adas_browser, [order], kind, **data)
    after = factories.all_rows()
    assert len(after.pop("OrderEvent")) == len(before.pop("OrderEvent")) + 2
    assert after == before


@pytest.mark.parametrize("data", [{}, {"pdf": "1"}])
def test_printing_needs_permission(staff_client_with, place_orders, data):
    [order] = place_orders(1)
    viewer = staff_client_with("view_order")
    before = factories.all_rows()
    assert viewer.get(f"{ORDERS_URL}{order.pk}/print/invoice/").status_code == 403
    assert print_order(viewer, order, "invoice", **data).status_code == 403
    print_selection(viewer, [order], "invoice", **data)
    assert factories.all_rows() == before


def test_printing_needs_a_csrf_token(ada, place_orders):
    [order] = place_orders(1)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)
    before = factories.all_rows()
    assert print_order(browser, order, "invoice", pdf="1").status_code == 403
    assert print_selection(browser, [order], "invoice", pdf="1").status_code == 403
    assert factories.all_rows() == before


@pytest.mark.parametrize("data", [{}, {"pdf": "1"}])
def test_other_documents_are_not_found(adas_browser, place_orders, data):
    [order] = place_orders(1)
    before = factories.all_rows()
    assert print_order(adas_browser, order, "secrets", **data).status_code == 404
    assert factories.all_rows() == before


@pytest.mark.parametrize(("data", "count"), [({}, 8), ({"pdf": "1"}, 7)])
@pytest.mark.parametrize("number", [1, 3])
def test_query_count_does_not_depend_on_the_orders(
    adas_browser, place_orders, statements, number, data, count
):
    orders = place_orders(number)
    # One more for each many-to-many field that a new field of the order added.
    with statements(count + len(exposure.many_to_many_fields(Order))):
        print_selection(adas_browser, orders, "invoice", **data)


@pytest.mark.parametrize("more", [{}, {"select_across": "1"}, {"pdf": "1"}])
def test_the_number_of_orders_is_limited(adas_browser, place_orders, monkeypatch, more):
    monkeypatch.setattr(order_service, "MAX_PRINTED_ORDERS", 2)
    orders = place_orders(3)
    before = factories.all_rows()
    response = print_selection(adas_browser, orders, "invoice", **more)
    assert response.status_code == 302
    assert factories.all_rows() == before
    assert factories.page_messages(adas_browser.get(ORDERS_URL)) == [
        "At most 2 orders can be printed together. Select fewer, such as one day's."
    ]
    assert (
        print_selection(
            adas_browser, orders[:2], "invoice", **more | {"select_across": "0"}
        ).status_code
        == 200
    )
    assert len(printed_events()) == 2
