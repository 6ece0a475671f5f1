"""Exact figures, from orders placed at the edges of each period."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from support import factories

from shop.models import Order, OrderItem, StockMovement
from shop.services import reports
from shop.services.order_moves import move_order
from shop.services.orders import place_order
from shop.services.reports import BestSeller, Comparison, DailySales, LowStockProduct, Sales

TICK = timedelta(microseconds=1)
SINCE = datetime(2026, 3, 10, tzinfo=UTC)
NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)
NO_SALES = Sales(Decimal("0.00"), 0, 0)


def create_order(buyer, at, *lines, status="delivered"):
    """Create an order placed at that time, with (product, quantity) lines."""
    total = sum(product.price * quantity for product, quantity in lines)
    order = Order.objects.create(user=buyer, created_at=at, status=status, total_amount=total)
    for product, quantity in lines:
        OrderItem.objects.create(
            order=order,
            product=product,
            sku=product.sku,
            name=product.name,
            price=product.price,
            quantity=quantity,
        )
    return order


def test_sales_are_compared_with_the_period_before(carl, mug, lamp):
    for at in (SINCE, NOON - TICK):
        create_order(carl, at, (mug, 2), (lamp, 1))
    for at in (SINCE - timedelta(days=7), NOON - timedelta(days=7) - TICK):
        create_order(carl, at, (mug, 1))
    for outside in (NOON, SINCE - TICK, NOON - timedelta(days=7), SINCE - timedelta(days=7) - TICK):
        create_order(carl, outside, (mug, 7))
    comparison = reports.compare_sales(SINCE, NOON)
    assert comparison == Comparison(Sales(Decimal("149.80"), 2, 6), Sales(Decimal("25.00"), 2, 2))
    averages = (comparison.current.average, comparison.previous.average)
    assert averages == (Decimal("74.90"), Decimal("12.50"))


def test_a_morning_is_compared_with_the_morning_before(carl, mug):
    midnight = datetime(2026, 3, 16, tzinfo=UTC)
    create_order(carl, midnight - timedelta(days=1), (mug, 1))
    create_order(carl, NOON - timedelta(days=1), (mug, 5))
    assert reports.compare_sales(midnight, NOON) == Comparison(
        NO_SALES, Sales(Decimal("12.50"), 1, 1)
    )


def test_whole_days_are_compared_with_the_days_before(carl, mug):
    until = SINCE + timedelta(days=1)
    create_order(carl, SINCE - TICK, (mug, 1))
    assert reports.compare_sales(SINCE, until) == Comparison(
        NO_SALES, Sales(Decimal("12.50"), 1, 1)
    )


def test_cancelled_orders_do_not_count_as_sales(carl, mug):
    create_order(carl, SINCE, (mug, 1), status="cancelled")
    assert reports.compare_sales(SINCE, NOON) == Comparison(NO_SALES, NO_SALES)
    assert reports.daily_sales(1, SINCE.date()) == [DailySales(SINCE.date(), Decimal("0.00"), 0)]
    assert reports.best_sellers(SINCE) == []


def test_the_average_is_rounded_to_the_cent(carl, mug, lamp):
    for product in (mug, mug, lamp):
        create_order(carl, SINCE, (product, 1))
    assert reports.compare_sales(SINCE, NOON).current.average == Decimal("24.97")
    assert NO_SALES.average == Decimal("0.00")


def test_sums_of_cents_are_exact(carl):
    penny = factories.create_product("Penny", price="0.10")
    for _ in range(3):
        create_order(carl, SINCE, (penny, 1))
    assert str(reports.compare_sales(SINCE, NOON).current.revenue) == "0.30"
    assert str(reports.daily_sales(1, SINCE.date())[0].revenue) == "0.30"
    assert str(reports.best_sellers(SINCE)[0].revenue) == "0.30"


def test_orders_count_whatever_their_order_of_ids(carl, mug):
    create_order(carl, NOON - TICK, (mug, 1))
    create_order(carl, SINCE, (mug, 2))
    assert reports.compare_sales(SINCE, NOON).current == Sales(Decimal("37.50"), 2, 3)
    assert reports.best_sellers(SINCE) == [BestSeller(mug.pk, "Mug", 3, Decimal("37.50"))]


def test_every_day_has_a_row(carl, mug, lamp):
    today = date(2026, 3, 16)
    create_order(carl, datetime(2026, 3, 13, 23, 59, 59, 999999, tzinfo=UTC), (mug, 9))
    create_order(carl, datetime(2026, 3, 14, tzinfo=UTC), (mug, 1))
    create_order(carl, datetime(2026, 3, 14, 23, 59, 59, 999999, tzinfo=UTC), (lamp, 1))
    create_order(carl, datetime(2026, 3, 16, 23, 59, 59, 999999, tzinfo=UTC), (mug, 1))
    create_order(carl, datetime(2026, 3, 17, tzinfo=UTC), (mug, 9))
    assert reports.daily_sales(3, today) == [
        DailySales(date(2026, 3, 14), Decimal("62.40"), 2),
        DailySales(date(2026, 3, 15), Decimal("0.00"), 0),
        DailySales(date(2026, 3, 16), Decimal("12.50"), 1),
    ]


def test_open_orders_are_counted_by_status(carl, mug):
    for status in ("pending", "pending", "shipped", "delivered", "cancelled"):
        create_order(carl, NOON, (mug, 1), status=status)
    counts = {row.status: row.orders for row in reports.open_order_counts()}
    open_statuses = [status for status in Order.Status if status.facts.next]
    assert list(counts) == open_statuses
    assert counts == dict.fromkeys(open_statuses, 0) | {"pending": 2, "shipped": 1}


def test_best_sellers_are_sorted_by_units_then_by_revenue(carl, mug, lamp):
    cups = [
        factories.create_product(f"Cup {number}", price=f"{number}.00") for number in range(1, 6)
    ]
    create_order(carl, SINCE, (mug, 1), (lamp, 3), *((cup, 2) for cup in cups))
    create_order(carl, NOON, (mug, 3))
    create_order(carl, SINCE - TICK, (cups[0], 99))
    assert reports.best_sellers(SINCE) == [
        BestSeller(mug.pk, "Mug", 4, Decimal("50.00")),
        BestSeller(lamp.pk, "Lamp", 3, Decimal("149.70")),
        BestSeller(cups[4].pk, "Cup 5", 2, Decimal("10.00")),
        BestSeller(cups[3].pk, "Cup 4", 2, Decimal("8.00")),
        BestSeller(cups[2].pk, "Cup 3", 2, Decimal("6.00")),
    ]


def test_low_stock_products_and_the_days_until_they_run_out(carl, mug, lamp):
    sold_out = factories.create_product("Vase", stock=0)
    factories.create_product("Archived", stock=0, is_active=False)
    factories.create_product("Enough", stock=6)
    factories.add_to_cart(carl, (mug, 7), (lamp, 1))
    place_order(user=carl, shipping_address="1 Street")
    assert reports.low_stock_products(9) == [
        LowStockProduct(sold_out.pk, "Vase", 0, 0),
        LowStockProduct(mug.pk, "Mug", 3, 7),
        LowStockProduct(lamp.pk, "Lamp", 4, 1),
    ]
    assert [low.days_left for low in reports.low_stock_products(9)] == [None, 12, 120]
    assert reports.low_stock_products(1) == [LowStockProduct(sold_out.pk, "Vase", 0, 0)]


def test_the_pace_counts_thirty_days_without_cancelled_orders(ada, carl, lamp):
    for quantity in (1, 2):
        factories.add_to_cart(carl, (lamp, quantity))
        order = place_order(user=carl, shipping_address="1 Street").order
    assert reports.low_stock_products(1) == [LowStockProduct(lamp.pk, "Lamp", 2, 3)]
    move_order(order_id=order.pk, to="cancelled", actor=ada, by_staff=True)
    assert reports.low_stock_products(1) == [LowStockProduct(lamp.pk, "Lamp", 4, 1)]
    month_ago = timezone.now() - timedelta(days=30)
    StockMovement.objects.update(created_at=month_ago)
    assert reports.low_stock_products(1) == [LowStockProduct(lamp.pk, "Lamp", 4, 0)]


def test_recent_orders_are_sorted_newest_first(carl, dora, mug, lamp):
    create_order(carl, SINCE, (mug, 1))
    middle = create_order(carl, NOON, (mug, 1), status="cancelled")
    last = create_order(dora, NOON, (lamp, 1))
    assert reports.recent_orders(2) == [
        reports.RecentOrder(
            last.pk, last.order_number, "Dora Stranger", "delivered", Decimal("49.90"), "EUR", NOON
        ),
        reports.RecentOrder(
            middle.pk, middle.order_number, "Carl Buyer", "cancelled", Decimal("12.50"), "EUR", NOON
        ),
    ]


@pytest.mark.parametrize("orders", [0, 1, 3])
@pytest.mark.parametrize(
    ("report", "count"),
    [
        (lambda: reports.compare_sales(SINCE, NOON), 3),
        (lambda: reports.daily_sales(30, NOON.date()), 1),
        (reports.open_order_counts, 1),
        (lambda: reports.low_stock_products(5), 1),
        (reports.has_products, 1),
        (lambda: reports.recent_orders(5), 1),
    ],
)
def test_the_number_of_statements_does_not_depend_on_the_number_of_orders(
    carl, mug, lamp, statements, report, count, orders
):
    for _ in range(orders):
        create_order(carl, SINCE, (mug, 1), (lamp, 1))
    with statements(count):
        report()


def test_best_sellers_run_three_statements_whatever_the_number_of_products(
    carl, mug, lamp, statements
):
    for lines in ([(mug, 1)], [(mug, 1), (lamp, 1)]):
        create_order(carl, SINCE, *lines)
        with statements(3):
            reports.best_sellers(SINCE)
