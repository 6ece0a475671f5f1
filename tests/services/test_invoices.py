"""Invoices and credit notes: what they add up to, and their numbers."""

import random
import zoneinfo
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from support import factories, world
from support.invariants import assert_invariants

from shop.models import Invoice, InvoiceCounter, Order, Product
from shop.services import invoices
from shop.services.errors import InvalidTransition, NothingToRefund
from shop.services.invoices import issue_invoices
from shop.services.order_edit import OrderChanges, edit_order
from shop.services.order_moves import move_order, move_orders
from shop.services.order_payments import mark_paid, refund_order
from shop.services.orders import place_order
from shop.services.returns import ReturnedUnits, return_items

YEAR = timezone.now().year


@pytest.fixture(autouse=True)
def tax(settings):
    settings.SHOP_TAX_RATE = Decimal("19.00")


@pytest.fixture
def book(db):
    """A product with a tax rate of its own, which 2 of are 21.40."""
    return factories.create_product("Book", price="10.70", sku="BOOK-1", tax_rate=Decimal("7.00"))


@pytest.fixture
def order(carl, mug, book):
    """Two mugs at 19 % (25.00) and two books at 7 % (21.40)."""
    factories.add_to_cart(carl, (mug, 2), (book, 2))
    return place_order(user=carl, shipping_address="1 Elm Street").order


@pytest.fixture
def delivered(order, ada):
    """The same order, invoiced, delivered and paid."""
    issue_invoices(order_ids=[order.pk], actor=ada)
    return world.move_along(order, "delivered", by=ada)


def amounts(order):
    """Return kind and amount of the order's documents, oldest first."""
    documents = Invoice.objects.filter(order=order).order_by("pk")
    return [(document.kind, document.amount) for document in documents]


def test_an_invoice_says_everything_and_stays_so(order, ada, carl, settings):
    settings.SHOP_NAME, settings.SHOP_IMPRINT = "Fern & Ember", "VAT DE1"
    mark_paid(order_id=order.pk, actor=ada)
    [invoice] = issue_invoices(order_ids=[order.pk], actor=ada)
    today = timezone.localdate().isoformat()
    assert (invoice.number, invoice.amount) == (f"{YEAR}-00001", Decimal("46.40"))
    lines = invoice.contents.pop("lines")
    assert [(line["sku"], line["quantity"], line["price"], line["tax_rate"]) for line in lines] == [
        (item.sku, 2, f"{item.price:.2f}", f"{item.tax_rate:.2f}")
        for item in order.items.order_by("pk")
    ]
    assert invoice.contents == {
        "sender": "Fern & Ember",
        "imprint": "VAT DE1",
        "name": "Carl Buyer",
        "address": "1 Elm Street",
        "order_number": order.order_number,
        "order_date": today,
        "date": today,
        "currency": "EUR",
        "payment_method": "cash_on_delivery",
        "paid_on": today,
        "amount_due": "0.00",
        "tax": [["7.00", "20.00", "1.40", "21.40"], ["19.00", "21.01", "3.99", "25.00"]],
    }
    settings.SHOP_NAME, settings.SHOP_IMPRINT = "Other", "Other"
    carl.last_name = "Other"
    carl.save()
    Product.objects.update(name="Other")
    before = factories.all_rows()
    issue_invoices(order_ids=[order.pk], actor=ada)
    assert factories.all_rows() == before


def test_a_returned_unit_is_credited_with_its_own_rate(delivered, ada, book):
    return_items(order_id=delivered.pk, returned={book.pk: ReturnedUnits(write_off=1)}, actor=ada)
    assert amounts(delivered) == [("invoice", Decimal("46.40")), ("credit_note", Decimal("10.70"))]
    note = Invoice.objects.get(kind="credit_note")
    assert note.corrects == Invoice.objects.get(kind="invoice")
    assert note.number == f"{YEAR}-00002"
    assert note.contents["tax"] == [["7.00", "10.00", "0.70", "10.70"]]
    assert [(line["sku"], line["quantity"]) for line in note.contents["lines"]] == [("BOOK-1", 1)]
    assert note.contents["reduction"] == "0.00"
    assert_invariants()


def test_a_price_reduction_is_split_over_the_rates(delivered, ada):
    refund_order(order_id=delivered.pk, actor=ada, amount=Decimal("4.64"))
    note = Invoice.objects.get(kind="credit_note")
    assert (note.contents["lines"], note.contents["reduction"]) == ([], "4.64")
    assert [(rate, gross) for rate, _net, _tax, gross in note.contents["tax"]] == [
        ("7.00", "2.14"),
        ("19.00", "2.50"),
    ]
    assert_invariants()


def test_paying_back_what_was_credited_before_issues_nothing(delivered, ada, mug):
    return_items(order_id=delivered.pk, returned={mug.pk: ReturnedUnits(1)}, actor=ada)
    refund_order(order_id=delivered.pk, actor=ada)
    assert len(amounts(delivered)) == 2
    assert_invariants()


def test_everything_comes_back_after_a_price_reduction(delivered, ada, mug, book):
    refund_order(order_id=delivered.pk, actor=ada, amount=Decimal("10.01"))
    for product in (mug, book, mug, book):
        return_items(order_id=delivered.pk, returned={product.pk: ReturnedUnits(1)}, actor=ada)
        assert_invariants()
    last = Invoice.objects.order_by("pk").last()
    assert sum(amount for kind, amount in amounts(delivered) if kind == "credit_note") == Decimal(
        "46.40"
    )
    assert Decimal(last.contents["reduction"]) < 0


@pytest.mark.parametrize("seed", range(5))
def test_any_refunds_and_returns_add_up(carl, ada, seed):
    chance = random.Random(seed)  # noqa: S311 - not a secret
    rates = [Decimal("5.50"), Decimal("7.00"), Decimal("19.00"), Decimal("19.00")]
    products = [
        factories.create_product(
            f"Thing {number}", price=f"{chance.uniform(0.01, 30):.2f}", tax_rate=rate, stock=9
        )
        for number, rate in enumerate(rates)
    ]
    factories.add_to_cart(carl, *((product, chance.randint(1, 5)) for product in products))
    order = place_order(user=carl, shipping_address="1 Elm Street").order
    issue_invoices(order_ids=[order.pk], actor=ada)
    world.move_along(order, "delivered", by=ada)
    for _ in range(12):
        order.refresh_from_db()
        rest = order.paid_amount - order.refunded_amount
        with suppress(ValidationError, NothingToRefund):
            if chance.random() < 0.5:
                amount = Decimal(f"{chance.uniform(0.01, float(rest) / 2 + 0.01):.2f}")
                refund_order(order_id=order.pk, actor=ada, amount=amount)
            else:
                units = {chance.choice(products).pk: ReturnedUnits(chance.randint(1, 2))}
                return_items(order_id=order.pk, returned=units, actor=ada)
        assert_invariants()
    assert Invoice.objects.filter(kind="credit_note").count() > 2


def test_what_was_credited_before_the_first_invoice_is_a_credit_note(order, ada, mug):
    world.move_along(order, "delivered", by=ada)
    return_items(order_id=order.pk, returned={mug.pk: ReturnedUnits(1)}, actor=ada)
    refund_order(order_id=order.pk, actor=ada, amount=Decimal("15.00"))
    assert amounts(order) == []
    printed = issue_invoices(order_ids=[order.pk], actor=ada)
    assert [document.kind for document in printed] == ["invoice", "credit_note"]
    assert amounts(order) == [("invoice", Decimal("46.40")), ("credit_note", Decimal("15.00"))]
    assert_invariants()


def test_a_cancelled_order_is_credited(order, ada):
    issue_invoices(order_ids=[order.pk], actor=ada)
    move_order(order_id=order.pk, to="cancelled", actor=ada, by_staff=True)
    note = Invoice.objects.get(kind="credit_note")
    invoice = Invoice.objects.get(kind="invoice")
    assert note.contents["tax"] == invoice.contents["tax"]
    assert note.contents["lines"] == invoice.contents["lines"]
    assert issue_invoices(order_ids=[order.pk], actor=ada) == [invoice, note]


def test_a_cancelled_order_without_an_invoice_gets_none(order, ada):
    move_order(order_id=order.pk, to="cancelled", actor=ada, by_staff=True)
    assert issue_invoices(order_ids=[order.pk], actor=ada) == []
    assert not InvoiceCounter.objects.exists()


@pytest.mark.parametrize(
    ("changes", "total"),
    [
        (lambda mug, book: OrderChanges(shipping_address="2 Oak Street"), "46.40"),
        (lambda mug, book: OrderChanges(quantities={mug.pk: 5, book.pk: 0}), "62.50"),
        (lambda mug, book: OrderChanges(quantities={mug.pk: 1}), "33.90"),
    ],
)
def test_a_changed_order_gets_a_new_invoice(order, ada, mug, book, changes, total):
    issue_invoices(order_ids=[order.pk], actor=ada)
    edit_order(order_id=order.pk, changes=changes(mug, book), actor=ada)
    assert amounts(order) == [
        ("invoice", Decimal("46.40")),
        ("invoice", Decimal(total)),
        ("credit_note", Decimal("46.40")),
    ]
    assert_invariants()
    [valid] = issue_invoices(order_ids=[order.pk], actor=ada)
    assert valid.number == f"{YEAR}-00003"


def test_other_changes_keep_the_invoice(order, ada):
    issue_invoices(order_ids=[order.pk], actor=ada)
    edit_order(order_id=order.pk, changes=OrderChanges(note="Ring twice"), actor=ada)
    world.move_along(order, "delivered", by=ada)
    assert len(amounts(order)) == 1


def test_without_a_tax_rate_nothing_is_split(settings, carl, ada, mug):
    settings.SHOP_TAX_RATE = None
    factories.add_to_cart(carl, (mug, 2))
    order = place_order(user=carl, shipping_address="1 Elm Street").order
    [receipt] = issue_invoices(order_ids=[order.pk], actor=ada)
    assert receipt.contents["tax"] == [[None, "25.00", "0.00", "25.00"]]


def test_a_number_belongs_to_the_year_in_the_shops_time_zone(order, ada, monkeypatch):
    new_year = datetime(2027, 12, 31, 23, 30, tzinfo=UTC)
    monkeypatch.setattr(invoices.timezone, "now", lambda: new_year)
    with timezone.override(zoneinfo.ZoneInfo("Europe/Berlin")):
        [invoice] = issue_invoices(order_ids=[order.pk], actor=ada)
    assert (invoice.number, invoice.contents["date"]) == ("2028-00001", "2028-01-01")


def test_a_refused_change_takes_no_number(delivered, ada, refused):
    with refused(InvalidTransition):
        move_order(order_id=delivered.pk, to="cancelled", actor=ada, by_staff=True)


@pytest.mark.parametrize("number", [1, 3])
def test_many_are_issued_and_corrected_by_as_few_statements(carl, ada, mug, statements, number):
    for _ in range(number):
        factories.add_to_cart(carl, (mug, 1))
        place_order(user=carl, shipping_address="1 Elm Street")
    pks = list(Order.objects.values_list("pk", flat=True))
    with statements(5):
        issued = issue_invoices(order_ids=pks, actor=ada)
    assert {document.sequence for document in issued} == set(range(1, number + 1))
    with statements(3):
        issue_invoices(order_ids=pks, actor=ada)
    move_orders(order_ids=pks, to="cancelled", actor=ada)
    assert InvoiceCounter.objects.get().last == 2 * number
