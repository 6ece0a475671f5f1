"""Revenue is net of what was credited, and days are days of the shop's time zone."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from support import world

from shop.models import Order, Payment, StockMovement
from shop.services import days, reports
from shop.services.order_edit import OrderChanges, edit_order
from shop.services.order_moves import move_order
from shop.services.order_payments import mark_paid, refund_order
from shop.services.returns import ReturnedUnits, return_items

TICK = timedelta(microseconds=1)


def create_order(buyer, at, amount="100.00", status="delivered"):
    return Order.objects.create(
        user=buyer, created_at=at, status=status, total_amount=Decimal(amount)
    )


def credit(order, at, amount):
    Payment.objects.create(
        order=order, kind="refund", amount=amount, credited_amount=Decimal(amount), created_at=at
    )


def test_a_credit_lowers_the_revenue_of_its_own_day(carl):
    ordered, refunded = (datetime(2026, 3, day, 12, tzinfo=UTC) for day in (10, 12))
    order = create_order(carl, ordered)
    credit(order, refunded, "30.00")
    cancelled = create_order(carl, ordered, status="cancelled")
    credit(cancelled, refunded, "100.00")
    amounts = {row.day.day: row.revenue for row in reports.daily_sales(4, date(2026, 3, 13))}
    assert amounts == {10: 100, 11: 0, 12: -30, 13: 0}
    since = datetime(2026, 3, 12, tzinfo=UTC)
    comparison = reports.compare_sales(since, since + timedelta(days=2))
    assert (comparison.current.revenue, comparison.previous.revenue) == (-30, 100)
    assert str(comparison.current.revenue) == "-30.00"


@pytest.fixture
def delivered(ada, carl, mug):
    """A paid order of four mugs at 12.50, which is delivered."""
    order = world.create_order(carl, (mug, 4))
    mark_paid(order_id=order.pk, actor=ada)
    for status in ("confirmed", "shipped", "delivered"):
        move_order(order_id=order.pk, to=status, actor=ada, by_staff=True)
    return order


def sold_today():
    since = days.start_of_day(reports.timezone.localdate())
    until = since + timedelta(days=1)
    [mug] = reports.best_sellers(since) or [None]
    current = reports.compare_sales(since, until).current
    return current.revenue, current.units, mug and (mug.units, mug.revenue)


def test_a_return_counts_when_it_is_paid_back(ada, delivered, mug):
    assert sold_today() == (50, 4, (4, 50))
    returned = {mug.pk: ReturnedUnits(put_back=1, write_off=1)}
    return_items(order_id=delivered.pk, returned=returned, actor=ada)
    assert sold_today() == (50, 2, (2, 25))
    refund_order(order_id=delivered.pk, actor=ada)
    assert sold_today() == (25, 2, (2, 25))


def test_a_product_of_which_all_units_came_back_is_no_best_seller(ada, delivered, mug):
    return_items(order_id=delivered.pk, returned={mug.pk: ReturnedUnits(put_back=4)}, actor=ada)
    assert reports.best_sellers(delivered.created_at) == []


def test_the_pace_of_a_low_product_is_net_of_edits_and_returns(ada, carl, mug):
    mug.low_stock_threshold = 50
    mug.save()
    order = world.create_order(carl, (mug, 5))

    def pace():
        return [(low.sold, low.stock) for low in reports.low_stock_products(9)]

    assert pace() == [(5, 5)]
    edit_order(order_id=order.pk, actor=ada, changes=OrderChanges(quantities={mug.pk: 3}))
    assert pace() == [(3, 7)]
    for status in ("confirmed", "shipped", "delivered"):
        move_order(order_id=order.pk, to=status, actor=ada, by_staff=True)
    return_items(order_id=order.pk, returned={mug.pk: ReturnedUnits(put_back=1)}, actor=ada)
    assert pace() == [(2, 8)]
    StockMovement.objects.filter(kind="sale").update(
        created_at=reports.timezone.now() - timedelta(days=31)
    )
    assert pace() == [(0, 8)]


#: Time zone -> days on which its clock is changed, or which are special in other ways.
ZONES = {
    "Europe/Berlin": [date(2026, 3, 29), date(2026, 10, 25)],
    "America/New_York": [date(2026, 3, 8), date(2026, 11, 1)],
    "Asia/Tokyo": [date(2026, 1, 1)],
    "America/Santiago": [date(2026, 9, 6), date(2026, 4, 5)],
    "Australia/Lord_Howe": [date(2026, 4, 5), date(2026, 10, 4)],
    "Asia/Kathmandu": [date(2026, 7, 1)],
    "UTC": [date(2026, 12, 31)],
}


@pytest.mark.parametrize("zone", ZONES)
def test_daily_sales_are_of_local_days_also_when_the_clock_changes(carl, settings, zone):
    settings.TIME_ZONE = zone
    tz = ZoneInfo(zone)
    for changed in ZONES[zone]:
        Order.objects.all().delete()
        first = changed - timedelta(days=2)
        moments = [
            edge
            for number in range(6)
            for start in [days.start_of_day(first + timedelta(days=number))]
            for edge in (start - TICK, start, start + timedelta(hours=12, minutes=30))
        ]
        for moment in moments:
            create_order(carl, moment, "1.00")
        local = [moment.astimezone(tz).date() for moment in moments]
        expected = [
            (day, local.count(day)) for day in (first + timedelta(days=n) for n in range(5))
        ]
        rows = reports.daily_sales(5, first + timedelta(days=4))
        assert [(row.day, row.orders) for row in rows] == expected
        assert [int(row.revenue) for row in rows] == [count for _day, count in expected]


def test_the_day_before_a_change_of_the_clock_is_compared_at_the_same_time(carl, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    berlin = ZoneInfo("Europe/Berlin")
    monday = datetime(2026, 3, 30, tzinfo=berlin)
    create_order(carl, datetime(2026, 3, 23, 9, 30, tzinfo=berlin))
    create_order(carl, datetime(2026, 3, 23, 10, 30, tzinfo=berlin))
    seven = monday - timedelta(days=6), monday + timedelta(hours=10)
    assert reports.compare_sales(*seven).previous.orders == 1
