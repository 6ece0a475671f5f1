"""The reports of hand-made orders: what counts, on which day, and in how many statements."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from support import factories, world

from shop.models import Order, OrderItem, Payment, Product
from shop.services.days import DayRange
from shop.services.order_edit import OrderChanges, edit_order
from shop.services.order_moves import move_order
from shop.services.order_payments import mark_paid, refund_order
from shop.services.returns import ReturnedUnits, return_items
from shop.services.sales_reports import (
    DayRefunds,
    MethodSales,
    Report,
    refunds_by_day,
    sales_by_day,
    sales_by_payment_method,
    sales_by_product,
    stock_value,
)
from shop.services.tax_report import tax_by_rate

MARCH = DayRange(date(2026, 3, 1), date(2026, 3, 3))
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
REPORTS = (sales_by_day, sales_by_payment_method, sales_by_product, refunds_by_day, tax_by_rate)


def create_order(buyer, at, *lines, **values):
    """Create a delivered order of (product, quantity, tax rate) lines."""
    total = sum(product.price * quantity for product, quantity, _rate in lines)
    order = Order.objects.create(
        **{"user": buyer, "created_at": at, "status": "delivered", "total_amount": total} | values
    )
    for product, quantity, rate in lines:
        OrderItem.objects.create(
            order=order,
            product=product,
            sku=product.sku,
            name=product.name,
            price=product.price,
            quantity=quantity,
            tax_rate=rate and Decimal(rate),
        )
    return order


def credit(order, at, amount, kind="refund"):
    Payment.objects.create(
        order=order, kind=kind, amount=amount, credited_amount=Decimal(amount), created_at=at
    )


@pytest.fixture
def march(carl, mug, lamp):
    """Two orders that count, on the edges of the days, and others that do not."""
    tick = timedelta(microseconds=1)
    first = create_order(carl, NOON - DAY / 2, (mug, 2, "19"), (lamp, 1, "7"))
    last = create_order(carl, NOON + 2.5 * DAY - tick, (mug, 3, "19"), payment_method="card")
    create_order(carl, NOON, (lamp, 9, "7"), status="cancelled", credited_amount="449.10")
    create_order(carl, NOON, (lamp, 9, "7"), currency="USD")
    for at in (NOON - DAY / 2 - tick, NOON + 2.5 * DAY):
        create_order(carl, at, (lamp, 9, "7"))
    return first, last


def test_sales_by_day_have_a_row_for_each_day(march):
    credit(march[0], NOON + DAY, "10.00")
    report = sales_by_day(MARCH)
    assert [(row.day.day, *row[1:], row.revenue) for row in report.rows] == [
        (1, 1, Decimal("74.90"), 0, Decimal("74.90")),
        (2, 0, 0, Decimal("10.00"), Decimal("-10.00")),
        (3, 1, Decimal("37.50"), 0, Decimal("37.50")),
    ]
    assert report.totals == {
        "orders": 2,
        "sales": Decimal("112.40"),
        "credited": Decimal("10.00"),
        "revenue": Decimal("102.40"),
    }


def test_sales_by_payment_method_count_credits_of_older_orders(march, carl, mug):
    older = create_order(carl, NOON - 9 * DAY, (mug, 1, None), payment_method="bank_transfer")
    credit(older, NOON, "12.50")
    rows = sales_by_payment_method(MARCH).rows
    assert rows == [
        MethodSales("cash_on_delivery", 1, Decimal("74.90"), Decimal(0)),
        MethodSales("card", 1, Decimal("37.50"), Decimal(0)),
        MethodSales("bank_transfer", 0, Decimal(0), Decimal("12.50")),
    ]


def test_sales_by_product_and_their_totals_beyond_the_limit(march, mug, lamp):
    OrderItem.objects.filter(order=march[1]).update(returned_quantity=1)
    for limit, count in ((1, 1), (2, 2), (None, 2)):
        report = sales_by_product(MARCH, limit)
        assert [row[:6] for row in report.rows] == [
            (mug.pk, "Mug", "MUG-1", 2, 5, 1),
            (lamp.pk, "Lamp", "LAMP-1", 1, 1, 0),
        ][:count]
        assert (str(report.rows[0].sales), str(report.rows[0].kept)) == ("62.50", "50.00")
        assert (report.row_count, report.totals["units"], report.totals["returned"]) == (2, 6, 1)
        assert (report.totals["sales"], report.totals["kept"]) == (
            Decimal("112.40"),
            Decimal("99.90"),
        )


def test_tax_is_rounded_for_each_order_and_rate(carl):
    penny = factories.create_product("Penny", price="0.10")
    for _ in range(3):  # 0.016 of tax each
        create_order(carl, NOON, (penny, 1, "19"))
    report = tax_by_rate(MARCH)
    assert [tuple(map(str, row)) for row in report.rows] == [
        ("19.00", "3", "0.30", "0.00", "0.24", "0.06")
    ]


def test_tax_by_rate_has_untaxed_sales_first(march, carl, mug):
    create_order(carl, NOON, (mug, 1, None))
    rows = [tuple(map(str, row)) for row in tax_by_rate(MARCH).rows]
    assert rows == [
        ("None", "1", "12.50", "0.00", "12.50", "0.00"),
        ("7.00", "1", "49.90", "0.00", "46.64", "3.26"),
        ("19.00", "2", "62.50", "0.00", "52.52", "9.98"),
    ]


def test_what_is_credited_is_shared_out_over_the_rates(march):
    Order.objects.filter(pk=march[0].pk).update(credited_amount=Decimal("10.00"))
    seven, nineteen = tax_by_rate(MARCH).rows
    assert (seven.credited, nineteen.credited) == (Decimal("6.66"), Decimal("3.34"))
    for row in (seven, nineteen):
        assert row.sales - row.credited == row.net + row.tax


def test_tax_of_a_currency_without_cents_is_whole(settings, carl):
    settings.SHOP_CURRENCY = "JPY"
    tea = factories.create_product("Tea", price="105")
    create_order(carl, NOON, (tea, 1, "10"), currency="JPY")
    [row] = tax_by_rate(MARCH).rows
    assert (row.net, row.tax) == (95, 10)


def test_the_largest_amounts_are_exact(carl, mug):
    order = create_order(carl, NOON, (mug, 1, "99.99"))
    OrderItem.objects.filter(order=order).update(price=Decimal("99999999.99"), quantity=999)
    [row] = tax_by_rate(MARCH).rows
    assert row.net + row.tax == row.sales == Decimal("99899999990.01")
    assert str(row.tax) == "49947502370.12"


def test_refunds_count_on_the_day_on_which_they_are_given(ada, carl, mug):
    order = world.create_order(carl, (mug, 4), days_ago=3)
    mark_paid(order_id=order.pk, actor=ada)
    for status in ("confirmed", "shipped", "delivered"):
        move_order(order_id=order.pk, to=status, actor=ada, by_staff=True)
    return_items(order_id=order.pk, returned={mug.pk: ReturnedUnits(put_back=2)}, actor=ada)
    refund_order(order_id=order.pk, actor=ada)
    refund_order(order_id=order.pk, amount=Decimal("5.00"), actor=ada)
    today = datetime.now(UTC).date()
    assert refunds_by_day(DayRange(today - 2 * DAY, today)).rows == [
        DayRefunds(today, 2, Decimal("30.00"), Decimal("30.00"))
    ]
    assert refunds_by_day(DayRange(today - 3 * DAY, today - DAY)).rows == []


def test_money_of_a_cancelled_and_an_edited_order_lowers_no_revenue(ada, carl, mug):
    cancelled, edited = (world.create_order(carl, (mug, 2)) for _ in range(2))
    for order in (cancelled, edited):
        mark_paid(order_id=order.pk, actor=ada)
    move_order(order_id=cancelled.pk, to="cancelled", actor=ada, by_staff=True)
    edit_order(order_id=edited.pk, actor=ada, changes=OrderChanges(quantities={mug.pk: 1}))
    for order in (cancelled, edited):
        refund_order(order_id=order.pk, actor=ada)
    today = datetime.now(UTC).date()
    [row] = refunds_by_day(DayRange(today, today)).rows
    assert row == DayRefunds(today, 2, Decimal("37.50"), Decimal(0))
    [day] = sales_by_day(DayRange(today, today)).rows
    assert (day.orders, day.sales, day.credited) == (1, Decimal("12.50"), 0)


def test_stock_value_counts_products_that_are_not_for_sale(mug, lamp):
    Product.objects.filter(pk=lamp.pk).update(is_active=False)
    factories.create_product("Sold out", stock=0)
    for limit in (1, None):
        report = stock_value(limit)
        assert [(row.name, row.stock, str(row.value)) for row in report.rows] == [
            ("Lamp", 5, "249.50"),
            ("Mug", 10, "125.00"),
        ][:limit]
        assert (report.totals, report.row_count) == ({"stock": 15, "value": Decimal("374.50")}, 2)


def test_reports_of_an_empty_shop(db):
    for report in REPORTS:
        made = report(MARCH)
        assert [row for row in made.rows if getattr(row, "sales", 0)] == []
        assert not any(made.totals.values())
    assert stock_value(1) == Report([], {"stock": 0, "value": 0}, 0)


@pytest.mark.parametrize("report", [*REPORTS, lambda _days: stock_value(2)])
def test_a_report_is_one_statement(march, carl, mug, lamp, statements, report):
    with statements(1):
        report(MARCH)
    for number in range(3):
        order = create_order(carl, NOON, (mug, 1, "7"), (lamp, 1, str(number)))
        Order.objects.filter(pk=order.pk).update(credited_amount=1)
        credit(order, NOON, "1.00")
    with statements(1):
        report(MARCH)
