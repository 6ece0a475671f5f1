"""The list of invoices, an invoice's page and their PDF."""

import io

import pytest
from django.urls import reverse
from pypdf import PdfReader
from support import factories, world

from shop.models import Invoice
from shop.services.invoices import issue_invoices
from shop.services.order_moves import move_order

LIST = reverse("admin:shop_invoice_changelist")


@pytest.fixture
def invoices(ada, carl, mug):
    """Three receipts, and the credit note of the last one, whose order was cancelled."""
    orders = [world.create_order(carl, (mug, 1)) for _ in range(3)]
    issue_invoices(order_ids=[order.pk for order in orders], actor=ada)
    move_order(order_id=orders[-1].pk, to="cancelled", actor=ada, by_staff=True)
    return list(Invoice.objects.order_by("sequence"))


def listed(browser, **query):
    return list(browser.get(LIST, query).context["cl"].result_list)


def page(invoice, path="change/"):
    return f"{LIST}{invoice.pk}/{path}"


def test_invoices_are_listed_by_number_and_found_by_theirs_or_the_orders(adas_browser, invoices):
    assert listed(adas_browser) == invoices[::-1]
    third = invoices[2]
    for number in (third.number, f" {third.year}-3"):
        assert listed(adas_browser, q=number) == [third]
    assert listed(adas_browser, q=third.order.order_number) == [invoices[3], third]
    assert listed(adas_browser, kind__exact="credit_note") == [invoices[3]]


def test_an_invoice_and_its_credit_note_link_to_each_other(adas_browser, invoices):
    *_others, third, note = invoices
    order_url = reverse("admin:shop_order_change", args=[third.order_id])
    for invoice, other in ((third, note), (note, third)):
        html = adas_browser.get(page(invoice)).content.decode()
        assert {url in html for url in (page(other), page(invoice, "pdf/"), order_url)} == {True}


def test_an_invoice_is_downloaded_again_and_nothing_changes(adas_browser, invoices):
    before = factories.all_rows()
    for invoice, name in ((invoices[0], "invoice"), (invoices[3], "credit-note")):
        response = adas_browser.get(page(invoice, "pdf/"))
        filename = f'attachment; filename="{name}-{invoice.number}.pdf"'
        assert response["Content-Disposition"] == filename
        [text] = [page.extract_text() for page in PdfReader(io.BytesIO(response.content)).pages]
        assert invoice.number in text
    selected = [invoice.pk for invoice in invoices]
    response = adas_browser.post(
        LIST, {"action": "download_selected", "_selected_action": selected}
    )
    pages = PdfReader(io.BytesIO(response.content)).pages
    assert [
        invoice.number in page.extract_text() for invoice, page in zip(invoices, pages, strict=True)
    ] == [True] * 4
    assert factories.all_rows() == before


@pytest.mark.parametrize(("codename", "status"), [("view_invoice", 200), ("change_order", 403)])
def test_who_views_invoices_downloads_them(staff_client_with, invoices, codename, status):
    browser = staff_client_with(codename)
    for url in (LIST, page(invoices[0]), page(invoices[0], "pdf/")):
        assert browser.get(url).status_code == status


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_runs_the_same_number_of_statements(adas_browser, invoices, statements, number):
    Invoice.objects.filter(corrects__isnull=False).delete()
    Invoice.objects.filter(pk__in=[invoice.pk for invoice in invoices[number:]]).delete()
    adas_browser.get(LIST)
    with statements(4):
        assert adas_browser.get(LIST).status_code == 200
