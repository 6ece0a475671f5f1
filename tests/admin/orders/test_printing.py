import io
import re
from decimal import Decimal

import pytest
from django.test import Client
from pypdf import PdfReader
from support import factories, world

from shop import exposure
from shop.documents.order_documents import KINDS
from shop.models import Invoice, Order, OrderEvent
from shop.services import order_notes
from shop.services.order_moves import move_order
from shop.services.order_payments import mark_paid, refund_order
from shop.services.orders import place_order
from shop.services.returns import ReturnedUnits, return_items

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


def test_a_receipt_has_prices(adas_browser, place_orders):
    [order] = place_orders(1)
    page = print_order(adas_browser, order, "invoice").content.decode()
    numbers = re.findall('<td class="number">(.+?)</td>', page)
    assert numbers == ["2", "12.50", "25.00", "1", "49.90", "49.90"]
    assert "74.90 EUR" in page
    assert "Cash on delivery, 74.90 EUR due" in page
    title = f"Receipt {Invoice.objects.get()}"
    assert re.findall("<h1>(.+)</h1>", page) == [title]
    assert printed_events() == [(f"{title} printed", order.pk, "ada@example.com", True)]


def test_an_invoice_shows_the_tax_by_rate(adas_browser, settings, place_orders, mug, lamp):
    settings.SHOP_TAX_RATE = Decimal("19.00")
    lamp.tax_rate = Decimal("5.50")
    lamp.save()
    [order] = place_orders(1)
    page = print_order(adas_browser, order, "invoice").content.decode()
    assert re.findall("<h1>(.+)</h1>", page) == [f"Invoice {Invoice.objects.get()}"]
    items, tax = re.findall("<tbody>(.+?)</tbody>", page, re.DOTALL)
    rows = [re.findall("<td.*?>(.*?)</td>", row) for row in items.split("</tr>")[:-1]]
    assert rows == [
        ["MUG-1", "Mug", "2", "12.50", "19 %", "25.00"],
        ["LAMP-1", "Lamp", "1", "49.90", "5.5 %", "49.90"],
    ]
    rows = [re.findall("<td.*?>(.*?)</td>", row) for row in tax.split("</tr>")[:-1]]
    assert rows == [
        ["5.5 %", "47.30", "2.60", "49.90"],
        ["19 %", "21.01", "3.99", "25.00"],
        ["Total", "68.31", "6.59", "74.90"],
    ]


def test_credit_notes_are_printed_with_their_invoice(adas_browser, place_orders, ada, mug):
    orders = place_orders(2)
    for order in orders:
        world.move_along(order, "delivered", by=ada)
    print_selection(adas_browser, orders, "invoice")
    returned = {mug.pk: ReturnedUnits(put_back=1)}
    return_items(order_id=orders[0].pk, returned=returned, actor=ada)
    refund_order(order_id=orders[0].pk, actor=ada, amount=Decimal(20))
    page = print_selection(adas_browser, orders, "invoice").content.decode()
    first, second = Invoice.objects.filter(kind="invoice").order_by("order__order_number")
    return_note, reduction = Invoice.objects.filter(kind="credit_note").order_by("pk")
    assert re.findall("<h1>(.+)</h1>", page) == [
        f"Receipt {first}",
        f"Credit note {return_note}",
        f"Credit note {reduction}",
        f"Receipt {second}",
    ]
    assert [str(note.amount) for note in (return_note, reduction)] == ["12.50", "7.50"]
    assert page.count(f"<dt>Corrects</dt><dd>Receipt {first}</dd>") == 2
    question = adas_browser.get(f"{ORDERS_URL}{orders[0].pk}/print/invoice/")
    urls = [f"/admin/shop/invoice/{pk}/change/" for pk in (first.pk, return_note.pk, reduction.pk)]
    assert [url for _title, url in question.context["issued"]] == urls


def test_a_cancelled_order_without_invoice_gets_none(adas_browser, place_orders, ada):
    orders = place_orders(2)
    move_order(order_id=orders[0].pk, to="cancelled", actor=ada, by_staff=True)
    before = factories.all_rows()
    response = print_order(adas_browser, orders[0], "invoice")
    assert response.context["form"].non_field_errors()
    assert print_selection(adas_browser, orders[:1], "invoice").status_code == 302
    assert factories.all_rows() == before
    print_selection(adas_browser, orders, "invoice")
    assert [invoice.order for invoice in Invoice.objects.all()] == orders[1:]


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


def test_an_invoice_as_pdf(adas_browser, place_orders, ada):
    [order] = place_orders(1)
    mark_paid(order_id=order.pk, actor=ada)
    response = print_order(adas_browser, order, "invoice", pdf="1")
    invoice = Invoice.objects.get()
    assert response["Content-Disposition"] == f'attachment; filename="invoice-{invoice}.pdf"'
    [lines] = pdf_pages(response)
    amounts = [line for line in lines if "." in line]
    assert amounts == ["12.50", "25.00", "49.90", "49.90", "74.90 EUR"]
    assert "Cash on delivery, paid on" in " ".join(lines)
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
    assert sorted(hidden) == [
        *sorted(("_selected_action", str(o.pk)) for o in orders[:2]),
        ("action", "print_invoices"),
    ]
    assert f'action="{ORDERS_URL}"' in page


def test_names_and_addresses_of_other_scripts_are_in_the_pdf(adas_browser, place_orders):
    address = "Ängelholm, Łódź, Őr, Știrbei, Αθήνα, Київ, Жмеринка\n東京都港区1-1"
    [order] = place_orders(1, address)
    [lines] = pdf_pages(print_order(adas_browser, order, "packing slip", pdf="1"))
    assert "Ängelholm, Łódź, Őr, Știrbei, Αθήνα, Київ, Жмеринка" in " ".join(lines)
    assert "東京都港区1-1" in lines


def test_the_packing_slip_of_a_cancelled_order(adas_browser, place_orders):
    [order] = place_orders(1)
    Order.objects.update(status="cancelled")
    title = f"Packing slip {order}, cancelled"
    page = print_order(adas_browser, order, "packing slip").content.decode()
    assert f"<h1>{title}</h1>" in page
    [lines] = pdf_pages(print_order(adas_browser, order, "packing slip", pdf="1"))
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
    if kind == "invoice":  # the first one has issued it
        assert len(after.pop("Invoice")) == len(after.pop("InvoiceCounter")) == 1
        assert before.pop("Invoice") == before.pop("InvoiceCounter") == []
    assert len(after.pop("OrderEvent")) == len(before.pop("OrderEvent")) + 2
    assert after == before


@pytest.mark.parametrize("data", [{}, {"pdf": "1"}])
@pytest.mark.parametrize(
    ("kind", "others"), [("invoice", "fulfil_order"), ("packing slip", "change_order")]
)
def test_printing_needs_permission(staff_client_with, place_orders, data, kind, others):
    [order] = place_orders(1)
    viewer = staff_client_with("view_order", others)
    before = factories.all_rows()
    assert viewer.get(f"{ORDERS_URL}{order.pk}/print/{kind}/").status_code == 403
    assert print_order(viewer, order, kind, **data).status_code == 403
    print_selection(viewer, [order], kind, **data)
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


@pytest.mark.parametrize(
    ("kind", "data", "count"),
    [
        ("packing slip", {}, 8),
        ("packing slip", {"pdf": "1"}, 7),
        ("invoice", {}, 11),
        ("invoice", {"pdf": "1"}, 10),
    ],
)
@pytest.mark.parametrize("number", [1, 3])
def test_query_count_does_not_depend_on_the_orders(
    adas_browser, place_orders, statements, number, kind, data, count
):
    orders = place_orders(number)
    if kind == "packing slip":
        # One more for each many-to-many field that a new field of the order added.
        count += len(exposure.many_to_many_fields(Order))
    with statements(count):
        print_selection(adas_browser, orders, kind, **data)


@pytest.mark.parametrize("more", [{}, {"select_across": "1"}, {"pdf": "1"}])
def test_the_number_of_orders_is_limited(adas_browser, place_orders, monkeypatch, more):
    monkeypatch.setattr(order_notes, "MAX_PRINTED_ORDERS", 2)
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
