import io
import re

import pytest
from django.test import Client
from pypdf import PdfReader
from support import factories

from shop.models import Order, OrderEvent
from shop.services import orders as order_service
from shop.services.orders import place_order

LIST = "/admin/shop/order/"
KINDS = ["packing slip", "invoice"]


@pytest.fixture
def place(carl, mug, lamp):
    """`place(3)`: three orders of Carl's, of two mugs and a lamp each, by number."""

    def make(number, address="1 Fern Road\nKew"):
        for _ in range(number):
            factories.add_to_cart(carl, (mug, 2), (lamp, 1))
            place_order(user=carl, shipping_address=address, note="Ring twice")
        return list(Order.objects.order_by("order_number"))

    return make


def ask(browser, order, what, **posted):
    return browser.post(f"{LIST}{order.pk}/print/{what}/", posted)


def select(browser, orders, what, **more):
    chosen = {
        "action": f"print_{what.replace(' ', '_')}s",
        "_selected_action": [o.pk for o in orders],
    }
    return browser.post(LIST, chosen | more)


def pages(answer):
    """The PDF's pages as a reader's clipboard would have them."""
    assert answer["Content-Type"] == "application/pdf"
    return [
        page.extract_text() for page in PdfReader(io.BytesIO(answer.content), strict=True).pages
    ]


def printed():
    events = OrderEvent.objects.filter(kind="printed")
    return sorted(events.values_list("note", "order_id", "actor__email", "is_internal"))


def test_many_are_one_job(adas_browser, place):
    orders = place(3)
    page = select(adas_browser, orders, "packing slip").content.decode()
    assert re.findall("<h1>(.+)</h1>", page) == [f"Packing slip {order}" for order in orders]
    assert page.index("LAMP-1") < page.index("MUG-1")
    assert "25.00" not in page
    assert printed() == sorted(
        ("Packing slip printed", o.pk, "ada@example.com", True) for o in orders
    )


def test_an_invoice_has_its_prices(adas_browser, place):
    [order] = place(1)
    page = ask(adas_browser, order, "invoice").content.decode()
    assert re.findall('<td class="number">(.+?)</td>', page) == [
        "1",
        "49.90",
        "49.90",
        "2",
        "12.50",
        "25.00",
    ]
    assert "Total 74.90 EUR" in page
    assert "Cash on delivery, not yet paid" in page
    assert printed() == [("Invoice printed", order.pk, "ada@example.com", True)]


def test_a_packing_slip_as_pdf(adas_browser, settings, place):
    settings.SHOP_NAME, settings.SHOP_IMPRINT = "Fern & Ember", "Fern & Ember Ltd, Kew"
    [order] = place(1)
    answer = ask(adas_browser, order, "packing slip", pdf="1")
    assert answer["Content-Disposition"] == f'attachment; filename="packing-slip-{order}.pdf"'
    [page] = pages(answer)
    lines = page.splitlines()
    assert {"Fern & Ember", f"Packing slip {order}", "Carl Buyer", "1 Fern Road", "Kew"} <= set(
        lines
    )
    assert {"Customer's note: Ring twice", "Fern & Ember Ltd, Kew", "Total  3 pieces"} <= set(lines)
    assert page.index("LAMP-1") < page.index("MUG-1")
    assert "49.90" not in page
    assert printed() == [("Packing slip downloaded as PDF", order.pk, "ada@example.com", True)]


def test_an_invoice_as_pdf(adas_browser, place):
    [order] = place(1)
    Order.objects.update(payment_status="paid")
    [page] = pages(ask(adas_browser, order, "invoice", pdf="1"))
    assert [word for word in page.split() if "." in word] == [
        "49.90",
        "49.90",
        "12.50",
        "25.00",
        "74.90",
    ]
    assert "Total  74.90 EUR" in page
    assert "Cash on delivery, paid" in page
    assert "Ring twice" not in page


def test_a_selection_is_one_pdf_with_a_page_for_each(adas_browser, place):
    orders = place(3)
    answer = select(adas_browser, orders, "invoice", pdf="1")
    name = re.fullmatch(r'attachment; filename="(.+)"', answer["Content-Disposition"])[1]
    assert re.fullmatch(r"invoices-\d{4}-\d\d-\d\d\.pdf", name)
    assert [re.search("Invoice (.{9})", page)[1] for page in pages(answer)] == [
        o.order_number for o in orders
    ]
    assert len(printed()) == 3


def test_the_print_page_gives_its_selection_as_pdf(adas_browser, place):
    orders = place(3)
    page = select(adas_browser, orders[:2], "invoice").content.decode()
    hidden = re.findall(
        '<input type="hidden" name="(action|_selected_action)" value="(.+?)">', page
    )
    assert hidden == [
        ("action", "print_invoices"),
        *(("_selected_action", str(o.pk)) for o in orders[:2]),
    ]
    assert f'action="{LIST}"' in page


def test_every_european_name_comes_out_right(adas_browser, place):
    address = "Ängelholm, Łódź, Őr, Știrbei, Αθήνα, Київ, Жмеринка\n北京 😀 مكة 9"
    [order] = place(1, address)
    [page] = pages(ask(adas_browser, order, "packing slip", pdf="1"))
    text = " ".join(page.split())
    assert "Ängelholm, Łódź, Őr, Știrbei, Αθήνα, Київ, Жмеринка ?? ? ??? 9" in text


@pytest.mark.parametrize("what", KINDS)
def test_a_cancelled_order_says_so(adas_browser, place, what):
    [order] = place(1)
    Order.objects.update(status="cancelled")
    assert (
        f"<h1>{what.capitalize()} {order}, cancelled</h1>"
        in ask(adas_browser, order, what).content.decode()
    )
    [page] = pages(ask(adas_browser, order, what, pdf="1"))
    assert f"{order}, cancelled" in " ".join(page.split())


@pytest.mark.parametrize("posted", [{}, {"pdf": "1"}])
@pytest.mark.parametrize("what", KINDS)
def test_printing_leaves_an_event_and_nothing_else(adas_browser, place, what, posted):
    [order] = place(1)
    before = factories.all_rows()
    answer = adas_browser.get(f"{LIST}{order.pk}/print/{what}/")
    assert answer.context["second_button"] == ("pdf", "Download PDF")
    assert factories.all_rows() == before
    ask(adas_browser, order, what, **posted)
    select(adas_browser, [order], what, **posted)
    after = factories.all_rows()
    assert len(after.pop("OrderEvent")) == len(before.pop("OrderEvent")) + 2
    assert after == before


@pytest.mark.parametrize("posted", [{}, {"pdf": "1"}])
def test_without_the_right_nothing_is_printed(clerk_with, place, posted):
    [order] = place(1)
    viewer = clerk_with("view_order")
    before = factories.all_rows()
    assert viewer.get(f"{LIST}{order.pk}/print/invoice/").status_code == 403
    assert ask(viewer, order, "invoice", **posted).status_code == 403
    select(viewer, [order], "invoice", **posted)
    assert factories.all_rows() == before


def test_without_a_token_nothing_is_printed(ada, place):
    [order] = place(1)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)
    before = factories.all_rows()
    assert ask(browser, order, "invoice", pdf="1").status_code == 403
    assert select(browser, [order], "invoice", pdf="1").status_code == 403
    assert factories.all_rows() == before


@pytest.mark.parametrize("posted", [{}, {"pdf": "1"}])
def test_there_is_nothing_else_to_print(adas_browser, place, posted):
    [order] = place(1)
    before = factories.all_rows()
    assert ask(adas_browser, order, "secrets", **posted).status_code == 404
    assert factories.all_rows() == before


@pytest.mark.parametrize(("posted", "count"), [({}, 8), ({"pdf": "1"}, 7)])
@pytest.mark.parametrize("number", [1, 3])
def test_many_cost_as_many_statements_as_one(
    adas_browser, place, statements, number, posted, count
):
    orders = place(number)
    with statements(count):
        select(adas_browser, orders, "invoice", **posted)


@pytest.mark.parametrize("more", [{}, {"select_across": "1"}, {"pdf": "1"}])
def test_a_job_has_an_end(adas_browser, place, monkeypatch, more):
    monkeypatch.setattr(order_service, "MAX_PRINTED_ORDERS", 2)
    orders = place(3)
    before = factories.all_rows()
    answer = select(adas_browser, orders, "invoice", **more)
    assert answer.status_code == 302
    assert factories.all_rows() == before
    assert factories.page_messages(adas_browser.get(LIST)) == [
        "At most 2 orders fit into one print job. Select fewer, for example one day's."
    ]
    assert (
        select(adas_browser, orders[:2], "invoice", **more | {"select_across": "0"}).status_code
        == 200
    )
    assert len(printed()) == 2
